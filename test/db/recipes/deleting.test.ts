import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { EraseOptions } from "../../../collector/commands/erase/index.ts";
import { countUnlinked, findUnlinked, pruneUnlinked } from "../../../collector/commands/prune-unlinked.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { runOn } from "../../support/cli-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { repositoryRoot } from "../../support/source-files.ts";

const recipe = readFileSync(join(repositoryRoot, "docs/recipes/deleting-with-your-own-table.md"), "utf8");
const blocks = (language: string): string[] =>
  Array.from(recipe.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g")), (match) => match[1] ?? "");
const OLD = "2026-01-01 00:00:00+00";

describeEachServer("docs/recipes/deleting-with-your-own-table.md", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    await rig.owner.unsafe(`CREATE SCHEMA app; CREATE TABLE app.chapters (id bigint PRIMARY KEY);
      CREATE TABLE app.definities (id bigint PRIMARY KEY, begrip text, chapter bigint REFERENCES app.chapters ON DELETE CASCADE);
      INSERT INTO app.chapters VALUES (1), (2); INSERT INTO app.definities VALUES (455, 'recht', 1), (456, 'plicht', 1), (457, 'wet', 2)`);
    for (const id of ["455", "456", "457", null])
      await rig.owner`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, entity_type, entity_id, logged_at, updated_at, received_at)
        VALUES (1, md5(${id ?? "none"}::text), left(md5(${id ?? "none"}::text), 16), ${OLD}, 'x', 'success', 'definitie', ${id}, now(), now(), now())`;
    await rig.owner.unsafe(blocks("sql")[0] ?? "");
  });
  afterAll(() => rig[Symbol.asyncDispose]());
  const entities = async (): Promise<unknown[]> =>
    (await rig.owner`SELECT entity_id FROM generation_logs ORDER BY 1`).map((row) => row["entity_id"]);

  /** The recipe's loop, command by command. */
  async function workOff(): Promise<void> {
    const loop = blocks("sh")[0] ?? "";
    const [select] = /SELECT entity FROM app\.erasures_due/.exec(loop) ?? [""];
    const words = /genspan (erase entity) "\$entity" (--yes)/.exec(loop) ?? [];
    for (const { entity } of await rig.owner.unsafe<{ entity: string }[]>(select)) {
      expect((await runOn(rig, [...(words[1] ?? "").split(" "), entity, words[2] ?? ""])).code).toBe(0);
      await rig.owner`DELETE FROM app.erasures_due WHERE entity = ${entity}`;
    }
  }

  it("erases what generated a row that was deleted, and keeps everything else", async () => {
    await rig.owner`DELETE FROM app.definities WHERE id = 456`;
    await workOff();
    expect(await entities()).toEqual(["455", "457", null]);
    expect(await rig.owner`SELECT FROM app.erasures_due`).toHaveLength(0);
  });

  it("misses none that goes by a cascade of one's own; a deletion that is rolled back erases nothing", async () => {
    await rig.owner
      .begin(async (tx) => {
        await tx`DELETE FROM app.definities WHERE id = 457`;
        throw new Error("rolled back");
      })
      .catch(() => undefined);
    await rig.owner`DELETE FROM app.chapters WHERE id = 1`;
    await workOff();
    expect(await entities()).toEqual(["457", null]);
  });

  it("finds what is left over on either side", async () => {
    await rig.owner`ALTER TABLE app.definities DISABLE TRIGGER definitie_deleted`;
    await rig.owner`DELETE FROM app.definities WHERE id = 457`;
    expect([...(await rig.owner.unsafe(blocks("sql")[1] ?? ""))]).toEqual([{ entity_id: "457" }]);
    const unlinked = { ...rig.services.writer, projectId: 1, before: new Date() };
    const listed = await runOn(rig, ["generation", "list", "-f", "has=unlinked", "-o", "jsonl"]);
    expect(
      listed.out
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { entity_id: string | null }).entity_id),
    ).toEqual([null]);
    expect(await findUnlinked(unlinked)).toMatchObject([{ entity_type: "definitie", generation_status: "success" }]);
    expect(await findUnlinked({ ...unlinked, before: new Date(OLD) })).toEqual([]);
    for (const id of ["second", "third"])
      await rig.owner`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, entity_type, logged_at, updated_at, received_at)
        VALUES (1, md5(${id}::text), left(md5(${id}::text), 16), ${OLD}, 'x', 'success', 'definitie', now(), now(), now())`;
    expect(await countUnlinked(unlinked)).toBe(3);
    const inFiles: string[] = [];
    const eraseFiles: EraseOptions["eraseFiles"] = async (_projectId, targets) => {
      inFiles.push(...targets.map((target) => target.trace_id));
      return { rows: 0, unreached: 0 };
    };
    expect(await pruneUnlinked({ ...unlinked, eraseFiles, actor: "cli", batchRows: 2 })).toBe(3);
    expect(inFiles).toHaveLength(3);
    expect(await entities()).toEqual(["457"]);
    const [entry] = await rig.owner`SELECT actor, details ->> 'rows' AS rows FROM audit_log WHERE action = 'prune.unlinked'`;
    expect(entry).toEqual({ actor: "cli", rows: "3" });
  });
});
