import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { archiveReaderOf, eraserOf } from "../../collector/app/privacy.ts";
import { createLog } from "../../collector/base/log.ts";
import { isContentName } from "../../collector/dialects/content-names.ts";
import { eraseFromArchive } from "../../collector/jobs/archive/erase-files.ts";
import { createContentJob } from "../../collector/jobs/archive/index.ts";
import { withArchive } from "../../collector/jobs/archive/lock.ts";
import { removeContent } from "../../collector/jobs/archive/remove-content.ts";
import { restoreContent } from "../../collector/jobs/archive/restore.ts";
import { createPool } from "../../collector/query/pool.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { logsOf, TRACE, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";

const CANARY = "canary-content-19c2";
const TABLES = ["spans", "generation_logs", "log_records", "image_traces", "generation_items", "generation_attempts"];
const LATER = new Date("2100-01-01T00:00:00Z");
const chat = {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "m",
  "gen_ai.usage.input_tokens": 7,
  ratio: 5.5,
};

describeEachServer("old content", (server) => {
  let database: TestDatabase;
  let rig: PipelineRig;
  let folder: string;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rig = createPipelineRig(database.url);
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "genspan-archive-"));
    const messages = JSON.stringify([{ role: "user", parts: [{ type: "text", content: CANARY }] }]);
    await rig.send(
      tracesOf(
        {
          id: "call",
          attributes: { ...chat, "gen_ai.input.messages": messages, "input.value": CANARY, "http.route": "/ask" },
          events: [{ name: "gen_ai.user.message", attributes: { content: CANARY, turn: 1 } }],
        },
        { id: "plain", attributes: { "http.route": "/" } },
      ),
    );
    await rig.send(logsOf({ span: "call", name: "gen_ai.user.message", body: { content: CANARY } }), "logs");
    await rig.refiner.settled();
    await rig.sql`UPDATE generation_logs SET own_values = ${rig.sql.json({ prompt_full_text: CANARY, model_name: "told" })}`;
    await rig.sql`INSERT INTO image_traces (project_id, id, status, created_at, received_at, entity_type, entity_id, request_data, image_generation_attempts)
      VALUES (1, '00000000-0000-0000-0000-000000000001', 'completed', now(), now(), 'lesson', 'l-1', ${rig.sql.json({ prompts: [CANARY] })},
        ${rig.sql.json([{ model: "sdxl", prompt: CANARY, duration_ms: 5, success: true }])})`;
    await rig.sql`INSERT INTO generation_items (project_id, id, item_id, created_at, updated_at, generation_trace) VALUES
      (1, '00000000-0000-0000-0000-000000000002', 'i-1', now(), now(), ${`{"total_tokens": 12345678901234567890, "sentences": [{"prompt_text": "${CANARY}", "input_tokens": 1.50}]}`}::text::jsonb)`;
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true });
    await rig.empty(...TABLES, "archive_folders");
  });
  afterAll(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });

  const options = (more: object = {}) => ({ sql: rig.sql, schema: "public", before: LATER, isContentName, keepChars: 0, ...more });
  const texts = async (): Promise<string> => {
    const rows = await Promise.all(TABLES.map((table) => rig.sql`SELECT t::text AS row FROM ${rig.sql(table)} t ORDER BY 1`));
    return rows.flatMap((each) => each.map((row) => String(row["row"]))).join("\n");
  };

  it("notes the hour of each call whose texts go or come back: what was worked out from them is not used any more", async () => {
    const hours = () =>
      rig.sql`WITH gone AS (DELETE FROM usage_dirty_hours RETURNING project_id, hour) SELECT DISTINCT project_id, hour FROM gone`;
    const [call] = await rig.sql`SELECT project_id, date_trunc('hour', start_time, 'UTC') AS hour FROM generation_logs`;
    await hours();
    await removeContent(options({ archiveFolder: folder }));
    expect(await hours()).toEqual([call]);
    await removeContent(options({ archiveFolder: folder }));
    expect(await hours()).toEqual([]);
    await restoreContent({ sql: rig.sql, schema: "public", folders: [folder] });
    expect(await hours()).toEqual([call]);
  });

  it("leaves its rows; numbers, names, times and what is no content stay to the last digit", async () => {
    const removed = await removeContent(options());
    expect(removed).toMatchObject({ generation_logs: 1, spans: 1, log_records: 1, image_traces: 1, generation_items: 1 });
    expect(await texts()).not.toContain(CANARY);
    const [call] = await rig.sql`SELECT tokens_prompt, model_name, content_state, prompt_format, prompt_full_text FROM generation_logs`;
    expect(call).toEqual({
      tokens_prompt: "7",
      model_name: "m",
      content_state: "truncated",
      prompt_format: null,
      prompt_full_text: null,
    });
    const [span] = await rig.sql`SELECT attributes::text, events::text FROM spans WHERE name = 'call'`;
    expect(span?.["attributes"]).toContain('"ratio": 5.5');
    expect(span?.["attributes"]).toContain('"http.route": "/ask"');
    expect(span?.["events"]).toContain('"turn": 1');
    const [item] = await rig.sql`SELECT generation_trace::text AS trace FROM generation_items`;
    expect(item?.["trace"]).toBe('{"sentences": [{"input_tokens": 1.50}], "total_tokens": 12345678901234567890}');
    expect(await removeContent(options())).toEqual({});
  });

  it("can leave its first characters", async () => {
    await removeContent(options({ keepChars: 20 }));
    const [call] = await rig.sql`SELECT prompt_full_text, prompt_format FROM generation_logs`;
    expect(call).toEqual({ prompt_full_text: '[{"role":"user","par', prompt_format: "text" });
  });

  it("stays where it is younger, and where one only asks what would go", async () => {
    const before = await texts();
    expect(await removeContent(options({ before: new Date("2020-01-01T00:00:00Z") }))).toEqual({});
    expect(await removeContent(options({ dryRun: true }))).toMatchObject({ spans: 1, generation_logs: 1 });
    expect(await texts()).toBe(before);
  });

  it("comes back from the archive as it was, also twice", async () => {
    const before = await texts();
    await removeContent(options({ archiveFolder: folder }));
    expect(await texts()).not.toContain(CANARY);
    const files = readdirSync(folder);
    expect(files.every((name) => /^content-p1-\d{4}-\d\d-\d\d\.jsonl\.gz$/.test(name))).toBe(true);
    expect(statSync(join(folder, files[0] ?? "")).mode & 0o077).toBe(0);
    for (const _ of [1, 2]) {
      expect(await restoreContent({ sql: rig.sql, schema: "public", folders: [folder] })).toMatchObject({
        files: files.length,
        restored: 5,
        missing: 0,
      });
      expect(await texts()).toBe(before);
    }
  });

  it("is what a model said of an answer, too, and a call's traceback wherever it stands; what a reviewer noted stays", async () => {
    onTestFinished(() => rig.empty("generation_scores"));
    await rig.send(tracesOf({ id: "failed", error: "e", attributes: { ...chat, "genspan.error.traceback": CANARY } }));
    await rig.refiner.settled();
    for (const source of ["evaluation", "review"])
      await rig.sql`INSERT INTO generation_scores (project_id, trace_id, span_id, time, id, name, value, explanation, source, received_at)
        VALUES (1, ${TRACE}, 'a', '2026-11-01', gen_random_uuid(), 'tone', 0.5, ${`${CANARY} ${source}`}, ${source}, now())`;
    const scores = () => rig.sql`SELECT value, explanation FROM generation_scores ORDER BY source`;
    const [before, told] = [await scores(), await texts()];
    expect(await removeContent(options({ archiveFolder: folder }))).toMatchObject({ generation_scores: 1 });
    expect(await scores()).toEqual([
      { value: 0.5, explanation: null },
      { value: 0.5, explanation: `${CANARY} review` },
    ]);
    expect(await texts()).not.toContain(CANARY);
    await restoreContent({ sql: rig.sql, schema: "public", folders: [folder] });
    expect([await scores(), await texts()]).toEqual([before, told]);
  });

  it("is the stack of an exception in a span's events, on a span and in a log record, too; type and message stay", async () => {
    const exception = { "exception.type": "E", "exception.message": "went wrong", "exception.stacktrace": `at ${CANARY}.js:1` };
    await rig.empty(...TABLES);
    await rig.send(
      tracesOf(
        { id: "failed", error: "e", attributes: chat, events: [{ name: "exception", attributes: exception }] },
        { id: "plain", attributes: exception },
      ),
    );
    await rig.send(logsOf({ name: "exception", attributes: exception }), "logs");
    await rig.refiner.settled();
    const before = await texts();
    expect(before.split(CANARY)).toHaveLength(5);
    expect(await removeContent(options({ archiveFolder: folder }))).toEqual({ generation_logs: 1, spans: 2, log_records: 1 });
    expect(await texts()).not.toContain(CANARY);
    const [failed] =
      await rig.sql`SELECT error_message, events -> 0 -> 'attributes' AS attributes FROM generation_logs JOIN spans USING (span_id)`;
    expect(failed).toEqual({ error_message: "e", attributes: { "exception.type": "E", "exception.message": "went wrong" } });
    expect(await removeContent(options())).toEqual({});
    await restoreContent({ sql: rig.sql, schema: "public", folders: [folder] });
    expect(await texts()).toBe(before);
  });

  it("comes back in full where its first characters stayed for a while and went to the archive later", async () => {
    const before = await texts();
    await removeContent(options({ archiveFolder: folder, keepChars: 20 }));
    expect(await removeContent(options({ archiveFolder: folder }))).toEqual({ generation_logs: 1 });
    await restoreContent({ sql: rig.sql, schema: "public", folders: [folder] });
    expect(await texts()).toBe(before);
  });

  it("goes to a folder that is known by then, also where the transaction that took it there comes to nothing", async () => {
    await rig.sql`ALTER TABLE generation_logs ADD CONSTRAINT stays_whole CHECK (content_state <> 'truncated') NOT VALID`;
    onTestFinished(async () => void (await rig.sql`ALTER TABLE generation_logs DROP CONSTRAINT stays_whole`));
    await expect(removeContent(options({ archiveFolder: folder }))).rejects.toThrow();
    expect(await rig.sql`SELECT folder FROM archive_folders`).toEqual([{ folder }]);
  });

  it("that is gone from the database is not made anew by the archive", async () => {
    await removeContent(options({ archiveFolder: folder }));
    await rig.sql`DELETE FROM generation_logs`;
    expect(await restoreContent({ sql: rig.sql, schema: "public", folders: [folder] })).toMatchObject({ restored: 4, missing: 1 });
    expect(await rig.sql`SELECT FROM generation_logs`).toHaveLength(0);
  });

  it("PRV-01 that was erased is in no file any more: neither its bytes nor its rows", async () => {
    await removeContent(options({ archiveFolder: folder }));
    const inFiles = (): string =>
      readdirSync(folder)
        .map((name) => gunzipSync(readFileSync(join(folder, name))).toString())
        .join("");
    expect(inFiles()).toContain(CANARY);
    expect(await eraseFromArchive(folder, 2, { spans: [{ trace_id: TRACE, span_id: "" }], subject: { kind: "trace", value: TRACE } })).toBe(
      0,
    );
    expect(
      await eraseFromArchive(folder, 1, { spans: [{ trace_id: TRACE, span_id: "" }], subject: { kind: "entity", value: "lesson:l-1" } }),
    ).toBe(4);
    expect(
      inFiles()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => (JSON.parse(line) as { table: string }).table),
    ).toEqual(["generation_items"]);
  });

  it.each([
    ["user", "u-1"],
    ["conversation", "c-1"],
    ["entity", "definitie:7"],
  ] as const)("PRV-01 of a %s goes from the files, too, when its rows are gone from the database", async (kind, value) => {
    const names = { "user.id": "u-1", "gen_ai.conversation.id": "c-1", "genspan.entity.type": "definitie", "genspan.entity.id": "7" };
    const others = { "user.id": "u-2", "gen_ai.conversation.id": "c-2", "genspan.entity.type": "definitie", "genspan.entity.id": "8" };
    const asks = (text: string) => ({
      ...chat,
      "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: text }] }]),
    });
    await rig.empty(...TABLES);
    const inTrace = (body: object, digit: string) => JSON.parse(JSON.stringify(body).replaceAll(TRACE, digit.repeat(32))) as object;
    const own = { id: "own", attributes: { ...asks(`${CANARY} own`), ...names } };
    const other = { id: "other", attributes: { ...asks("of another"), ...others } };
    await rig.send(inTrace(tracesOf({ id: "tool", attributes: { "input.value": `${CANARY} tool` } }, own), "a"));
    await rig.send(inTrace(tracesOf(own, other), "b"));
    if (kind !== "entity") {
      const events = [{ name: "seen", attributes: { "enduser.id": "u-1", "session.id": "c-1" } }];
      await rig.send(inTrace(tracesOf({ id: "seen", attributes: { "input.value": `${CANARY} seen` }, events }), "c"));
    }
    await rig.refiner.settled();
    await removeContent(options({ archiveFolder: folder }));
    await rig.empty(...TABLES);
    const files = () => readdirSync(folder).map((name) => gunzipSync(readFileSync(join(folder, name))).toString());
    expect(files().join("").split(CANARY).length).toBeGreaterThan(3);
    const told: string[] = [];
    for await (const line of archiveReaderOf({ sql: rig.sql, schema: "public", folders: [folder] })(1, [], { kind, value }))
      told.push(line);
    expect(told.join("")).toContain(`${CANARY} tool`);
    const erased = await eraserOf({ sql: rig.sql, schema: "public", folders: [folder] })(1, [], { kind, value });
    expect(erased).toEqual({ rows: told.length, unreached: 0 });
    expect(files().join("")).not.toContain(CANARY);
    expect(files().join("")).toContain("of another");
  });

  describe("while somebody else is at the files", () => {
    const access = () => ({ sql: rig.sql, schema: "public", folders: [folder] });
    const inFiles = (): string =>
      readdirSync(folder)
        .map((name) => gunzipSync(readFileSync(join(folder, name))).toString())
        .join("");
    /** Holds the files until `work` and what it began have been seen to wait. */
    const whileHeld = async <T>(begin: () => Promise<T>, meanwhile: () => Promise<unknown>): Promise<T> => {
      const outside = createPool(database.url, 1);
      const release = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      const holding = withArchive(outside, "public", async () => {
        held.resolve();
        await release.promise;
      });
      await held.promise;
      const begun = begin();
      const waiting = () => rig.sql`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      await expect.poll(waiting).toHaveLength(1);
      await meanwhile();
      release.resolve();
      await holding;
      await outside.end();
      return begun;
    };

    it("PRV-01 goes to no file when its row is erased before its turn comes", async () => {
      await whileHeld(
        () => removeContent(options({ archiveFolder: folder })),
        () => rig.empty(...TABLES),
      );
      expect(inFiles()).not.toContain(CANARY);
    });

    it("is not written while an erasure writes the files anew, nor the other way round", async () => {
      await removeContent(options({ archiveFolder: folder }));
      const erased = await whileHeld(
        () => eraserOf(access())(1, [{ trace_id: TRACE, span_id: "" }], { kind: "trace", value: TRACE }),
        async () => expect(inFiles()).toContain(CANARY),
      );
      expect(erased).toEqual({ rows: 3, unreached: 0 });
    });
  });

  describe("by the clock", () => {
    const job = (retentionMillis: number, isContent = isContentName) =>
      createContentJob({
        sql: rig.sql,
        schema: "public",
        holder: "a",
        log: createLog("silent"),
        retentionMillis,
        archiveFolder: folder,
        isContentName: isContent,
      });
    const DAY_MS = 86_400_000;

    it("stays unless it is asked to go", async () => {
      expect(await job(0).runOnce()).toBeUndefined();
      expect(await texts()).toContain(CANARY);
    });

    it("goes when it is old enough, by one collector at a time", async () => {
      await rig.sql`UPDATE image_traces SET created_at = now() - interval '3 days'`;
      expect(await job(2 * DAY_MS).runOnce()).toMatchObject({ image_traces: 1 });
    });

    it("is looked for in old rows once, and again in what comes late, comes back, or becomes old", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      onTestFinished(() => void vi.useRealTimers());
      let looks = 0;
      const counting = job(DAY_MS, (name, event) => {
        looks++;
        return isContentName(name, event);
      });
      const run = async (atMillis: number) => {
        looks = 0;
        vi.setSystemTime(atMillis);
        return counting.runOnce();
      };
      const later = LATER.getTime();
      const MINUTE_MS = 60_000;
      expect(await run(later)).toMatchObject({ spans: 1, generation_logs: 1, log_records: 1 });
      // What a run wrote itself is read once more.
      expect([await run(later + MINUTE_MS), looks > 0]).toEqual([{}, true]);
      const looksAgain = async () => [await run(later + 2 * MINUTE_MS), looks];
      // Transactions of other databases may keep a run from being sure that it saw everything.
      await expect.poll(looksAgain, { timeout: 60_000 }).toEqual([{}, 0]);

      await rig.send(tracesOf({ id: "late", at: -40 * DAY_MS, attributes: { "input.value": CANARY } }));
      expect(await run(later + 3 * MINUTE_MS)).toEqual({ spans: 1 });
      await restoreContent({ sql: rig.sql, schema: "public", folders: [folder] });
      expect(await run(later + 4 * MINUTE_MS)).toMatchObject({ spans: 2, generation_logs: 1 });
      expect(await texts()).not.toContain(CANARY);

      await rig.sql`UPDATE image_traces SET created_at = ${new Date(later - DAY_MS + 10 * MINUTE_MS)}, request_data = ${rig.sql.json({ prompts: [CANARY] })}`;
      expect(await run(later + 5 * MINUTE_MS)).toEqual({});
      expect(await run(later + 6 * MINUTE_MS)).toEqual({});
      expect(await run(later + 11 * MINUTE_MS)).toEqual({ image_traces: 1 });
      // Once a day everything is.
      expect([await run(later + DAY_MS), looks > 0]).toEqual([{}, true]);
    });
  });
});
