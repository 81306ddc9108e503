import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { examplesOf, runOn } from "../../support/cli-rig.ts";
import { describeEachServer } from "../../support/database.ts";

/** As a shell would cut them; what leads into a file or comes out of another program is not the command's. */
const wordsOf = (example: string): string[] =>
  Array.from(
    example
      .replace(/^.*\| /, "")
      .replace(/ > \S+$/, "")
      .replace(/^genspan /, "")
      .matchAll(/'([^']*)'|(\S+)/g),
    (match) => match[1] ?? match[2] ?? "",
  );

describeEachServer("examples in the help of commands for files, alerts and erasures", (server) => {
  let rig: ApiRig;
  let folder: string;
  beforeAll(async () => {
    rig = await createApiRig(server);
    folder = mkdtempSync(join(tmpdir(), "genspan-examples-"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await rig[Symbol.asyncDispose]();
  });

  it("work as they stand there", async () => {
    const nouns = [["export"], ["erase"], ["alert", "create", "list", "check", "mute", "test", "delete"]] as const;
    const examples = (await Promise.all(nouns.map(([noun, ...verbs]) => examplesOf(rig, noun, verbs)))).flat();
    expect(examples.length).toBeGreaterThan(10);
    // Rules are made before they are asked for, and removed last.
    const order = (example: string): number => (example.includes("alert create") ? 0 : example.includes("alert delete") ? 2 : 1);
    for (const example of [...new Set(examples)].toSorted((a, b) => order(a) - order(b))) {
      const { code, notes } = await runOn(rig, wordsOf(example));
      expect([example, code, notes.includes("error")]).toEqual([example, 0, false]);
    }
  });

  it("of import work on files of those names", async () => {
    for (const example of (await examplesOf(rig, "import")).filter((each) => !each.includes("|"))) {
      const words = wordsOf(example).map((word) => {
        if (!/\.jsonl?$/.test(word)) return word;
        writeFileSync(join(folder, word), '{"started_at": "2026-01-01T00:00:00Z", "questions_requested": 5}\n');
        return join(folder, word);
      });
      expect([example, (await runOn(rig, words)).code]).toEqual([example, 0]);
    }
  });

  it("import tells of names that went unused, and of files that hold nothing to import", async () => {
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const odd = file("odd.json", '{"started_at": "2026-01-01T00:00:00Z", "questions_requested": 5, "colour": "red"}');
    expect(await runOn(rig, ["import", odd])).toMatchObject({ code: 0, notes: `${odd}:1: ignored: colour\n` });
    const numbers = file("numbers.json", '[1,2,"x",null]');
    const refused = await runOn(rig, ["import", numbers, "-o", "csv"]);
    expect([refused.code, refused.out.split("\r\n")[1]]).toEqual([1, `${numbers},4,0,0,0,4`]);
    expect(refused.notes).toContain(`${numbers}:1: this is no object\n`);
    const empty = file("empty.json", "");
    expect(await runOn(rig, ["import", empty])).toMatchObject({
      code: 2,
      notes: `The file ${empty} is empty: there is nothing to import.\n`,
    });
    expect(await runOn(rig, ["import", folder])).toMatchObject({ code: 2, notes: `${folder} is a folder: name the files in it.\n` });
    expect((await runOn(rig, ["import", join(folder, "gone.json")])).code).toBe(2);
  });
});
