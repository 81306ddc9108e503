import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../collector/jobs/leased-job.ts";
import { createUsageRollup } from "../../collector/jobs/usage-rollup.ts";
import type { GenerationStatistics } from "../../collector/query/generations/statistics.ts";
import type { Usage } from "../../collector/query/usage/read.ts";
import { type ApiRig, createApiRig } from "../support/api-rig.ts";
import { describeEachServer } from "../support/database.ts";
import { type GenerationRow, storeGenerations } from "../support/generation-rows.ts";
import { recordingLog } from "../support/recording-log.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Midnight; days before it are over when the job runs. */
const TODAY = Date.UTC(2026, 10, 20);
const SETTLED = TODAY + 20 * HOUR_MS;

const at = (millis: number): Date => new Date(TODAY + millis);
const call = (millis: number, row: GenerationRow = {}): GenerationRow => ({
  start_time: at(millis),
  model_name: "gpt-5",
  tokens_total: 10,
  cost_amount: "0.000001",
  cost_currency: "USD",
  duration_ms: 100,
  ...row,
});

describeEachServer("usage", (server) => {
  let rig: ApiRig;
  let rollup: Job<number>;
  let stored = 0;

  /** As the writer does: rows and the note of their hours in one transaction. */
  async function write(rows: readonly GenerationRow[], mark = true): Promise<void> {
    await storeGenerations(rig.owner, rows, stored + 1);
    stored += rows.length;
    if (!mark) return;
    const times = rows.map((row) => (row.start_time as Date).toISOString());
    await rig.owner`INSERT INTO usage_dirty_hours SELECT 1, date_trunc('hour', t, 'UTC') FROM unnest(${times}::text[]::timestamptz[]) AS t`;
  }

  const usage = async (query: string): Promise<Usage> => {
    const { status, body } = await rig.get<Usage>(`/api/usage?${query}`);
    expect([query, status]).toEqual([query, 200]);
    return body;
  };
  const range = (from: number, to: number): string => `from=${at(from).toISOString()}&to=${at(to).toISOString()}`;
  const sums = async (table: string): Promise<number> =>
    (await rig.owner`SELECT count(*)::int AS rows FROM ${rig.owner(table)}`)[0]!["rows"] as number;

  beforeAll(async () => {
    rig = await createApiRig(server);
    rollup = createUsageRollup({ sql: rig.owner, schema: "public", holder: "test", log: recordingLog().log, now: () => SETTLED });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("is the same before its rows are summed up, when they are, and while some are not", async () => {
    await write([
      call(-3 * DAY_MS),
      call(-3 * DAY_MS + 90 * 60_000, { model_name: "claude", generation_status: "failed", cost_amount: null }),
      call(HOUR_MS),
      call(25 * HOUR_MS),
    ]);
    const question = `${range(-5 * DAY_MS, 2 * DAY_MS)}&by=model`;
    const before = await usage(question);
    expect(before.data).toMatchObject([
      { model: "gpt-5", generations: 3, tokens_total: 30, cost_amount: 0.000003, error_rate: 0 },
      { model: "claude", generations: 1, failed: 1, cost_amount: null, error_rate: 1 },
    ]);
    // The hour of tomorrow is not over.
    expect(await rollup.runOnce()).toBe(3);
    expect([await sums("usage_hours"), await sums("usage_days")]).toEqual([3, 2]);
    expect(await usage(question)).toEqual(before);
    await write([call(-3 * DAY_MS + 60_000)]);
    expect((await usage(question)).data[0]).toMatchObject({ generations: 4, cost_amount: 0.000004 });
    await rollup.runOnce();
    expect((await usage(question)).data[0]).toMatchObject({ generations: 4, cost_amount: 0.000004 });
  });

  it("really reads the sums: what was written without a note is not in them", async () => {
    await write([call(-10 * DAY_MS)]);
    await rollup.runOnce();
    await write([call(-10 * DAY_MS + 1)], false);
    const question = range(-11 * DAY_MS, -9 * DAY_MS);
    expect((await usage(question)).data).toMatchObject([{ generations: 1 }]);
    expect((await usage(`${question}&by=user`)).data).toMatchObject([{ generations: 2 }]);
    expect((await usage(`${question}&by=user`)).source).toBe("rows");
  });

  it("holds the cut of a range inside an hour to the microsecond", async () => {
    await write([call(-20 * DAY_MS + 10), call(-20 * DAY_MS + 20), call(-20 * DAY_MS + 30)]);
    await rollup.runOnce();
    expect((await usage(range(-20 * DAY_MS + 10, -20 * DAY_MS + 30))).data).toMatchObject([{ generations: 2 }]);
    expect((await usage(range(-20 * DAY_MS + 11, -19 * DAY_MS))).data).toMatchObject([{ generations: 2 }]);
    expect((await usage(range(-20 * DAY_MS + 31, -20 * DAY_MS + 32))).data).toMatchObject([
      { generations: 0, tokens_total: null, p95_duration_ms: null },
    ]);
    const hour = new Date(TODAY - 20 * DAY_MS).toISOString().slice(0, -1);
    expect((await usage(`from=${hour}999Z&to=${at(-19 * DAY_MS).toISOString()}`)).data).toMatchObject([{ generations: 3 }]);
    await write([call(-21 * DAY_MS)]);
    await rollup.runOnce();
    const before = new Date(TODAY - 21 * DAY_MS).toISOString().slice(0, -1);
    expect((await usage(`from=${before}001Z&to=${at(-20 * DAY_MS).toISOString()}`)).data).toMatchObject([{ generations: 0 }]);
    expect((await usage(`from=${before}000Z&to=${before}001Z`)).data).toMatchObject([{ generations: 1 }]);
  });

  it("counts as unpriced what has=unpriced lists, before it is summed up and after: tokens that are billed and have no price", async () => {
    const day = range(-60 * DAY_MS, -59 * DAY_MS);
    const without = { cost_amount: null, cost_currency: null };
    await write([
      call(-60 * DAY_MS),
      call(-60 * DAY_MS + 1, without),
      call(-60 * DAY_MS + 2, { ...without, generation_status: "failed" }),
      call(-60 * DAY_MS + 3, { ...without, cached: true }),
      call(-60 * DAY_MS + 4, { ...without, tokens_total: 0 }),
      call(-60 * DAY_MS + 5, { ...without, tokens_total: null, generation_status: "pending" }),
    ]);
    const listed = (await rig.get<{ data: readonly unknown[] }>(`/api/generations?${day}&has=unpriced`)).body.data;
    expect(listed).toHaveLength(2);
    for (const _summed of [false, true]) {
      expect((await usage(day)).data).toMatchObject([{ generations: 6, unpriced: 2 }]);
      await rollup.runOnce();
    }
    const exact = await rig.get<{ data: readonly unknown[] }>(`/api/generations/stats?${day}`);
    expect(exact.body.data).toMatchObject([{ generations: 6, unpriced: 2 }]);
  });

  it("adds no amounts of several currencies up, neither from rows nor from sums", async () => {
    const day = range(-62 * DAY_MS, -61 * DAY_MS);
    await write([call(-62 * DAY_MS), call(-62 * DAY_MS + 1, { cost_amount: "0.000002", cost_currency: "EUR", model_name: "claude" })]);
    for (const _summed of [false, true]) {
      expect((await usage(day)).data).toMatchObject([{ cost_amount: null, cost_currency: "mixed" }]);
      expect((await usage(`${day}&by=model&model=claude`)).data).toMatchObject([{ cost_amount: 0.000002, cost_currency: "EUR" }]);
      await rollup.runOnce();
    }
  });

  it("gives ten thousand groups, those with the most calls, and says when there are more", async () => {
    const [from, to] = [at(-80 * DAY_MS), at(-70 * DAY_MS)];
    await rig.owner`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, logged_at, updated_at, received_at, user_id, model_name)
      SELECT 1, lpad(to_hex(n), 32, 'a'), lpad('', 16, 'a'), ${from}::timestamptz + n * interval '1 second', 'semconv', 'success', now(), now(), now(),
        'user ' || least(n, 10001), 'model ' || least(n, 10001) FROM generate_series(1, 10002) AS n`;
    await rig.owner`INSERT INTO usage_dirty_hours SELECT 1, hour FROM generate_series(date_trunc('hour', ${from}::timestamptz), ${to}, interval '1 hour') AS hour`;
    const asked = `from=${from.toISOString()}&to=${to.toISOString()}`;
    const answers = [await usage(`${asked}&by=user`), await usage(`${asked}&by=model`)];
    for (const { source, data, truncated } of answers) {
      expect([source, data.length, truncated, Number(data[0]?.generations)]).toEqual([source, 10_000, true, 2]);
    }
    expect(answers.map(({ source, data }) => [source, data[0]?.["user"] ?? data[0]?.["model"]])).toEqual([
      ["rows", "user 10001"],
      ["rollup", "model 10001"],
    ]);
    expect(await usage(`${asked}&by=day`)).toMatchObject({ truncated: false });
  });

  it("lists days in their order, others by their calls and then by name", async () => {
    await write([-91, -90, -90, -92].map((day) => call(day * DAY_MS, { model_name: `m${-day}` })));
    await write([-91, -92].map((day) => call(day * DAY_MS + 1, { model_name: "many" })));
    const asked = range(-93 * DAY_MS, -89 * DAY_MS);
    const day = (days: number): string =>
      at(days * DAY_MS)
        .toISOString()
        .slice(0, 10);
    for (const _summed of [false, true]) {
      for (const path of ["/api/usage", "/api/generations/stats"]) {
        const groups = async (by: string) =>
          (await rig.get<Usage>(`${path}?${asked}&by=${by}`)).body.data.map((row) =>
            by
              .split(",")
              .map((name) => row[name])
              .join(" "),
          );
        expect(await groups("day")).toEqual([day(-92), day(-91), day(-90)]);
        expect(await groups("model,day")).toEqual([
          `m92 ${day(-92)}`,
          `many ${day(-92)}`,
          `m91 ${day(-91)}`,
          `many ${day(-91)}`,
          `m90 ${day(-90)}`,
        ]);
        expect(await groups("model")).toEqual(["m90", "many", "m91", "m92"]);
      }
      await rollup.runOnce();
    }
  });

  it("looks thirty days on where it is asked from a time ahead", async () => {
    const ahead = new Date(Date.now() + 40 * DAY_MS);
    await storeGenerations(rig.owner, [{ start_time: ahead }], 90_000);
    await rig.owner`INSERT INTO usage_dirty_hours VALUES (1, date_trunc('hour', ${ahead}::timestamptz, 'UTC'))`;
    const from = new Date(ahead.getTime() - HOUR_MS).toISOString();
    const { to, data } = await usage(`from=${from}`);
    expect([to, data[0]?.generations]).toEqual([new Date(Date.parse(from) + 30 * DAY_MS).toISOString(), 1]);
  });

  it("forgets what was deleted with its note", async () => {
    await write([call(-30 * DAY_MS)]);
    await rollup.runOnce();
    await rig.owner`DELETE FROM generation_logs WHERE start_time = ${at(-30 * DAY_MS)}`;
    await rig.owner`INSERT INTO usage_dirty_hours VALUES (1, ${at(-30 * DAY_MS)})`;
    await rollup.runOnce();
    expect((await usage(range(-31 * DAY_MS, -29 * DAY_MS))).data).toMatchObject([{ generations: 0 }]);
    const [left] = await rig.owner`SELECT count(*)::int AS rows FROM usage_hours WHERE hour = ${at(-30 * DAY_MS)}`;
    expect(left).toEqual({ rows: 0 });
  });

  it("gives percentiles within two and a half per cent", async () => {
    const durations = Array.from({ length: 101 }, (_, i) => 10 * (i + 1));
    await write(durations.map((duration_ms, i) => call(-40 * DAY_MS + i, { duration_ms })));
    await rollup.runOnce();
    const { data, source } = await usage(range(-41 * DAY_MS, -39 * DAY_MS));
    expect(source).toBe("rollup");
    for (const [name, exact] of [
      ["p50_duration_ms", 510],
      ["p95_duration_ms", 960],
      ["p99_duration_ms", 1_000],
    ] as const)
      expect(Math.abs(Number(data[0]![name]) / exact - 1)).toBeLessThan(0.0251);
  });

  it("counts durations of any length, before they are summed up and after", async () => {
    const durations = [0, 1e-9, 0.001, 100, 100, 100, 1e300];
    await write(durations.map((duration_ms, i) => call(-50 * DAY_MS + i, { duration_ms })));
    const question = range(-51 * DAY_MS, -49 * DAY_MS);
    const before = await usage(question);
    expect(before.data).toMatchObject([{ generations: 7, p50_duration_ms: expect.closeTo(100, -1) }]);
    expect(await rollup.runOnce()).toBe(1);
    const after = await usage(question);
    expect(after.data[0]).toEqual({ ...before.data[0], avg_duration_ms: expect.closeTo(1e300 / 7, -290) });
  });

  describe("whatever was summed up when", () => {
    const OLD = -100 * DAY_MS;
    const minute = fc.integer({ min: 0, max: 3 * 24 * 60 });
    const step = fc.oneof(
      fc.record({
        write: fc.array(
          fc.record({ minute, model: fc.constantFrom("a", "b", null), status: fc.constantFrom("success", "failed", "pending") }),
          { minLength: 1, maxLength: 8 },
        ),
      }),
      fc.constant({ rollUp: true }),
    );

    it("equals the rows", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.tuple(minute, minute), async (steps, [a, b]) => {
          await rig.owner`DELETE FROM generation_logs WHERE start_time < ${at(-50 * DAY_MS)}`;
          for (const table of ["usage_hours", "usage_days", "usage_dirty_hours"]) await rig.owner`TRUNCATE ${rig.owner(table)}`;
          await rig.owner`INSERT INTO usage_dirty_hours SELECT DISTINCT project_id, date_trunc('hour', start_time, 'UTC') FROM generation_logs`;
          for (const each of steps) {
            if ("rollUp" in each) await rollup.runOnce();
            else
              await write(
                each.write.map(({ minute: m, model, status }) =>
                  call(OLD + m * 60_000, { model_name: model, generation_status: status, tokens_total: m }),
                ),
              );
          }
          const question = `${range(OLD + Math.min(a, b) * 60_000, OLD + Math.max(a, b) * 60_000)}&by=model,day`;
          const pick = ({ data }: { data: readonly GenerationStatistics[] }) =>
            data
              .map((row) =>
                [row["model"], row["day"], row.generations, row.failed, row.pending, row.tokens_total, row.cost_amount].join("|"),
              )
              .toSorted();
          const { body } = await rig.get<{ data: readonly GenerationStatistics[] }>(`/api/generations/stats?${question}`);
          expect(pick(await usage(question))).toEqual(pick(body));
        }),
        { numRuns: 25 },
      );
    });
  });
});
