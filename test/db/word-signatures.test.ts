import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { markUsage } from "../../collector/commands/usage-marks.ts";
import type { Job } from "../../collector/jobs/leased-job.ts";
import { createUsageRollup } from "../../collector/jobs/usage-rollup.ts";
import { createWordSignatures } from "../../collector/jobs/word-signatures/index.ts";
import { conditionsOf } from "../../collector/query/filter/conditions.ts";
import type { Noun } from "../../collector/query/filter/noun.ts";
import { parseFilter } from "../../collector/query/filter/parse.ts";
import { listGenerations } from "../../collector/query/generations/list.ts";
import { GENERATIONS } from "../../collector/query/generations/noun.ts";
import { generationStatistics } from "../../collector/query/generations/statistics.ts";
import { sql } from "../../collector/query/sql.ts";
import { wordlessTimes } from "../../collector/query/words/wordless.ts";
import { type ApiRig, createApiRig } from "../support/api-rig.ts";
import { describeEachServer } from "../support/database.ts";
import { type GenerationRow, idsOf, storeGenerations } from "../support/generation-rows.ts";
import { recordingLog } from "../support/recording-log.ts";

const HOUR_MS = 3_600_000;
/** Beginning of an hour that has long been over. */
const BEGAN = Date.UTC(2026, 9, 1, 8);
const at = (millis: number): Date => new Date(BEGAN + millis);
/** Every search of the texts, as if there were no signatures. */
const { wordless: _wordless, ...UNAIDED } = GENERATIONS;

describeEachServer("signatures of texts", (server) => {
  let rig: ApiRig;
  let rollup: Job<number>;
  let signing: Job<number>;
  let stored = 0;

  beforeAll(async () => {
    rig = await createApiRig(server);
    const common = { sql: rig.owner, schema: "public", holder: "test", log: recordingLog().log };
    rollup = createUsageRollup(common);
    signing = createWordSignatures({ ...common, settleMillis: 0, rest: 0 });
  });
  async function empty(): Promise<void> {
    await rig.owner`TRUNCATE generation_logs, usage_hours, usage_days, usage_dirty_hours, word_signatures, word_dirty_hours`;
    stored = 0;
  }
  beforeEach(empty);
  afterAll(() => rig?.[Symbol.asyncDispose]());

  const noted = async (projectId: number, startMillis: readonly number[], change: () => Promise<unknown>): Promise<void> => {
    await change();
    await rig.owner.begin((tx) => markUsage(tx, "public", { projectId, startMillis }));
  };

  async function write(millis: number, row: GenerationRow): Promise<void> {
    const projectId = (row["project_id"] as number | undefined) ?? 1;
    await noted(projectId, [BEGAN + millis], () => storeGenerations(rig.owner, [{ start_time: at(millis), ...row }], ++stored));
  }

  async function sign(): Promise<number | undefined> {
    await rollup.runOnce();
    return signing.runOnce();
  }

  /** Calls that the signatures leave to be searched for the words. */
  async function searched(words: readonly string[], projectId = 1): Promise<number> {
    const wordless = wordlessTimes(words, { from: undefined, to: undefined });
    const rows = await rig.services.reader.read({ projectId }, (ask) =>
      ask<{ rows: number }>(
        sql`SELECT count(*)::int AS rows FROM generation_logs WHERE NOT start_time <@ ${wordless ?? sql`'{}'::tstzmultirange`}`,
      ),
    );
    return rows[0]!.rows;
  }

  async function idsFound(query: string, { noun = GENERATIONS, projectId = 1 }: { noun?: Noun; projectId?: number } = {}) {
    const filter = parseFilter(new URLSearchParams(query), noun);
    const { data } = await listGenerations(rig.services.reader, projectId, { ...filter, limit: 500 });
    const counted = await generationStatistics(rig.services.reader, projectId, { filter, by: [] });
    return { ids: data.map(({ id }) => id), counted: Number(counted.data[0]?.generations ?? 0) };
  }

  it("spare a search for a rare word every hour without it, and none that has it", async () => {
    await write(0, { prompt_full_text: "The teacher explains" });
    await write(HOUR_MS, { response_full_text: "A Xylophone plays" });
    await write(2 * HOUR_MS, { error_message: "river" });
    expect(await searched(["xylophone"])).toBe(3);
    expect(await sign()).toBe(3);
    expect(await searched(["xylophone"])).toBe(1);
    expect(await searched(["xylophone", "teacher"])).toBe(0);
    expect(await searched(["marimbas"])).toBe(0);
    expect(await searched(["a"])).toBe(3);
    expect((await idsFound("q=XYLOPHONE")).ids).toHaveLength(1);
  });

  it("sign every column that is searched", async () => {
    const columns = ["prompt_full_text", "response_full_text", "system_instructions", "reasoning_content", "error_message"];
    for (const [i, column] of columns.entries()) await write(i * HOUR_MS, { [column]: `the word ${column}` });
    await sign();
    for (const column of columns) {
      expect(await searched([column])).toBe(1);
      expect((await idsFound(`q=${column}`)).ids).toHaveLength(1);
    }
  });

  it("are not used for an hour from the moment that a call of it is written, changed or removed, and are then made anew", async () => {
    await write(0, { prompt_full_text: "The teacher explains" });
    await write(120_000, { prompt_full_text: "The teacher explains" });
    await sign();
    expect(await searched(["xylophone"])).toBe(0);
    await write(60_000, { prompt_full_text: "late xylophone" });
    expect((await idsFound("q=xylophone")).counted).toBe(1);
    await rollup.runOnce();
    expect(await searched(["marimbas"])).toBe(3);
    expect((await idsFound("q=xylophone")).counted).toBe(1);
    await signing.runOnce();
    expect(await searched(["marimbas"])).toBe(0);
    expect((await idsFound("q=xylophone")).counted).toBe(1);
  });

  it("of a call go with it: none of them is left once its hour was summed up", async () => {
    await write(0, { prompt_full_text: "canaryword" });
    await sign();
    expect(await searched(["canaryword"])).toBe(1);
    await noted(1, [BEGAN], () => rig.owner`DELETE FROM generation_logs`);
    await rollup.runOnce();
    expect(await rig.owner`SELECT part FROM word_signatures`).toEqual([]);
    await signing.runOnce();
    expect(await rig.owner`SELECT part FROM word_signatures`).toEqual([]);
  });

  it("spare no text that holds the word as JSON escapes it", async () => {
    for (const [i, text] of ["\\u00dcbung", "ein \\u00fcbung", "C:\\\\Daten", "Teacher"].entries())
      await write(i * HOUR_MS, { prompt_full_text: text });
    await sign();
    expect(await searched(["Übung"])).toBe(2);
    expect((await idsFound("q=%C3%9Cbung")).counted).toBe(2);
    expect(await searched(["c:\\daten"])).toBe(1);
    expect((await idsFound("q=c:%5Cdaten")).counted).toBe(1);
  });

  it("do not hold the texts", async () => {
    await write(0, { prompt_full_text: "canaryword canarywordcanaryword" });
    await sign();
    const [row] = await rig.owner`SELECT encode(bits, 'escape') AS bits FROM word_signatures`;
    expect(String(row?.["bits"])).not.toMatch(/canary|word/i);
  });

  it("of one project say nothing about another", async () => {
    await write(0, { prompt_full_text: "teacher" });
    await sign();
    await rig.owner`INSERT INTO projects (id, name, created_at) VALUES (2, 'second', now()) ON CONFLICT DO NOTHING`;
    await write(0, { prompt_full_text: "xylophone", project_id: 2 });
    expect(await searched(["xylophone"], 2)).toBe(1);
    expect((await idsFound("q=xylophone", { projectId: 2 })).counted).toBe(1);
    expect(await searched(["xylophone"])).toBe(0);
    await sign();
    expect(await searched(["teacher"], 2)).toBe(0);
    expect(await searched(["teacher"])).toBe(1);
  });

  it("leave a call that is too long to be signed to every search", async () => {
    await write(0, { prompt_full_text: `${"x".repeat(2 ** 20)} xylophone` });
    await write(30 * 60_000, { prompt_full_text: "teacher" });
    await sign();
    expect(await searched(["marimbas"])).toBe(1);
    expect((await idsFound("q=xylophone")).counted).toBe(1);
  });

  it("wait until an hour is left alone", async () => {
    const patient = createWordSignatures({ sql: rig.owner, schema: "public", holder: "test", log: recordingLog().log });
    await write(0, { prompt_full_text: "teacher" });
    await rollup.runOnce();
    expect(await patient.runOnce()).toBe(0);
    await rig.owner`UPDATE word_dirty_hours SET noted_at = noted_at - interval '6 minutes'`;
    await rollup.runOnce();
    expect(await patient.runOnce()).toBe(1);
  });

  it("that were made from rows which changed meanwhile are not used", async () => {
    const patient = createWordSignatures({ sql: rig.owner, schema: "public", holder: "test", log: recordingLog().log });
    await write(0, { prompt_full_text: "teacher" });
    await rollup.runOnce();
    await rig.owner`UPDATE word_dirty_hours SET noted_at = noted_at - interval '1 hour'`;
    // Holds the job when it has read the rows and stores their signature.
    const { promise: free, resolve: release } = Promise.withResolvers<void>();
    const held = rig.owner.begin(async (tx) => {
      await tx`INSERT INTO word_signatures (project_id, hour, part, first_time, last_time, bits) VALUES (1, ${at(0)}, 0, ${at(0)}, ${at(0)}, '\\x00')`;
      await free;
      throw new Error("given up");
    });
    const run = patient.runOnce();
    await expect.poll(async () => (await rig.owner`SELECT FROM pg_locks WHERE NOT granted`).length, { timeout: 10_000 }).toBeGreaterThan(0);
    await write(0, { prompt_full_text: "xylophone" });
    await rollup.runOnce();
    release();
    await expect(held).rejects.toThrow("given up");
    expect(await run).toBe(1);
    expect(await rig.owner`SELECT part FROM word_signatures`).toHaveLength(1);
    expect(await searched(["marimbas"])).toBe(2);
    expect((await idsFound("q=xylophone")).counted).toBe(1);
    await signing.runOnce();
    expect(await searched(["marimbas"])).toBe(0);
    expect((await idsFound("q=xylophone")).counted).toBe(1);
  });

  describe("whatever was written, changed, removed and signed when", () => {
    const WORDS = ["Teacher", "xyloPHONE", "Straße", "\u212Aelvin", "日本語", "100%", "a_b1", "ab12", "Übung/Heft", 'C:\\"Daten'];
    const asJson = (text: string): string =>
      JSON.stringify(text).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const word = fc.constantFrom(...WORDS);
    const text = fc.array(fc.oneof({ weight: 3, arbitrary: word }, fc.constantFrom(" ", "phone", '{"x":"', "\\n")), { maxLength: 4 });
    const row = fc.record({
      column: fc.constantFrom("prompt_full_text", "response_full_text", "system_instructions", "reasoning_content", "error_message"),
      text: fc.tuple(text, fc.boolean()).map(([pieces, isJson]) => (isJson ? asJson(pieces.join("")) : pieces.join(""))),
    });
    const minute = fc.nat(11).map((n) => n * 10);
    const projectId = fc.constantFrom(1, 1, 2);
    const number = fc.integer({ min: 1, max: 8 });
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("write" as const), minute, row, projectId }) },
      fc.record({ kind: fc.constant("change" as const), number, row }),
      fc.record({ kind: fc.constant("remove" as const), number }),
      fc.constantFrom({ kind: "roll" as const }, { kind: "sign" as const }, { kind: "sign" as const }),
    );
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

    /** Stands in the text that was stored last, and in no other. */
    let newest = "word0";
    function withNewest(text: string): string {
      newest = `word${Number(newest.slice("word".length)) + 1}`;
      return `${text} ${newest}`;
    }

    async function take(one: Step): Promise<void> {
      if (one.kind === "roll") return void (await rollup.runOnce());
      if (one.kind === "sign") return void (await sign());
      if (one.kind === "write")
        return write(one.minute * 60_000, { [one.row.column]: withNewest(one.row.text), project_id: one.projectId });
      const { trace_id } = idsOf(one.number);
      const [found] = await rig.owner`SELECT project_id, start_time FROM generation_logs WHERE trace_id = ${trace_id}`;
      if (found === undefined) return;
      await noted(found["project_id"], [found["start_time"].getTime()], () =>
        one.kind === "remove"
          ? rig.owner`DELETE FROM generation_logs WHERE trace_id = ${trace_id}`
          : rig.owner`UPDATE generation_logs SET ${rig.owner({ [one.row.column]: withNewest(one.row.text) })} WHERE trace_id = ${trace_id}`,
      );
    }

    const cut = fc.tuple(word, fc.nat(3), fc.nat(9)).map(([whole, start, length]) => whole.slice(start).slice(0, length) || whole);
    const question = fc.record({
      words: fc.array(fc.oneof(word, cut), { minLength: 1, maxLength: 2 }),
      from: fc.option(minute, { freq: 2 }),
      to: fc.option(minute, { freq: 2 }),
    });
    const queryOf = ({ words, from, to }: { words: readonly string[]; from: number | null; to: number | null }): string => {
      const query = new URLSearchParams({ q: words.join(" ") });
      if (from !== null) query.set("from", at(from * 60_000).toISOString());
      if (to !== null && to >= (from ?? 0)) query.set("to", at(to * 60_000).toISOString());
      return `${query}`;
    };

    /** Calls of both projects that a search finds, with signatures and without. */
    async function foundWithAndWithout(query: string): Promise<string[][]> {
      const conditions = [GENERATIONS, UNAIDED].map((noun) => conditionsOf(parseFilter(new URLSearchParams(query), noun)));
      const found: string[][] = [[], []];
      for (const projectId of [1, 2]) {
        await rig.services.reader.read({ projectId }, async (ask) => {
          for (const [i, condition] of conditions.entries()) {
            const rows = await ask<{ id: string }>(sql`SELECT id FROM generation_logs WHERE ${condition} ORDER BY id`);
            found[i]!.push(...rows.map(({ id }) => id));
          }
        });
      }
      return found;
    }

    it("every search finds what it would without them", async () => {
      await rig.owner`INSERT INTO projects (id, name, created_at) VALUES (2, 'second', now()) ON CONFLICT DO NOTHING`;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(step, question), { minLength: 4, maxLength: 14 }), async (steps) => {
          await empty();
          for (const minute of [0, 50, 60, 110]) await write(minute * 60_000, { prompt_full_text: withNewest("Teacher") });
          await sign();
          for (const [one, asked] of steps) {
            await take(one);
            for (const query of [`q=${newest}`, queryOf(asked)]) {
              const [found, all] = await foundWithAndWithout(query);
              expect(found).toEqual(all);
            }
          }
        }),
        { numRuns: 10 },
      );
    });
  });
});
