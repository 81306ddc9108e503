import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly faults?: readonly string[] };
}
interface Row {
  readonly [column: string]: unknown;
}
interface Page {
  readonly data: readonly Row[];
  readonly next: string | null;
  readonly total: number | null;
}

const PATH = "/v1/admin/generation-runs";
const DAY_MS = 86_400_000;
const now = Date.now();
const daysAgo = (days: number): string => new Date(now - days * DAY_MS).toISOString();
const id = (n: number): string => `10000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** A finished run as the question service reports it. */
const report = (n: number, days: number, fields: Row = {}): Row => ({
  id: id(n),
  started_at: daysAgo(days),
  completed_at: new Date(now - days * DAY_MS + 100_000).toISOString(),
  status: "success",
  exit_code: 0,
  questions_requested: 50,
  environment: "production",
  ...fields,
});

const providers = (openai: number, anthropic: number): Row => ({
  openai: { generated: 30, api_calls: 45, failures: 1, evaluated: 30, approved: openai, rejected: 30 - openai },
  anthropic: { generated: 20, api_calls: 25, failures: 0, evaluated: 20, approved: anthropic, rejected: 20 - anthropic },
});

describeEachServer("runs", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());
  const post = <T = Row>(body: unknown) => rig.send<T>(PATH, body);
  const stored = async (n: number): Promise<Row> => (await rig.owner`SELECT * FROM generation_runs WHERE id = ${id(n)}`)[0] as Row;

  describe("reported to POST /v1/admin/generation-runs", () => {
    it("are stored under general names, with the rates and the duration that follow", async () => {
      const { status, body } = await post(
        report(901, 400, {
          questions_generated: 40,
          questions_evaluated: 40,
          questions_approved: 30,
          duplicates_found: 3,
          questions_inserted: 25,
        }),
      );
      expect([status, body]).toEqual([201, { id: id(901), status: "success", created: true }]);
      expect(await stored(901)).toMatchObject({
        items_requested: "50",
        items_generated: "40",
        items_rejected: "10",
        duration_seconds: 100,
        generation_success_rate: 0.8,
        approval_rate: 0.75,
        duplicate_rate: 0.1,
        overall_success_rate: 0.5,
        closed_by: "report",
      });
    });

    it("get an id where they bring none", async () => {
      const { body } = await post<{ id: string }>({ ...report(0, 400), id: undefined });
      expect(body.id).toMatch(/^[0-9a-f-]{36}$/);
      expect((await rig.get<Row>(`${PATH}/${body.id}`)).body["questions_requested"]).toBe(50);
    });

    it("DUP-08 change nothing when the same report comes again", async () => {
      await post(report(902, 400, { questions_inserted: 10 }));
      const before = await stored(902);
      const { status, body } = await post(report(902, 400, { questions_inserted: 10 }));
      expect([status, body["created"]]).toEqual([200, false]);
      expect({ ...(await stored(902)), updated_at: null }).toEqual({ ...before, updated_at: null });
    });

    it("DUP-08 run, show progress, end, and never run again", async () => {
      const running = { id: id(903), status: "running", started_at: daysAgo(400), questions_requested: 20, triggered_by: "scheduler" };
      await post(running);
      expect(await stored(903)).toMatchObject({ status: "running", completed_at: null, closed_by: null });
      await post({ id: id(903), status: "running", questions_generated: 10 });
      expect(await stored(903)).toMatchObject({ status: "running", items_generated: "10", generation_success_rate: 0.5 });
      await post({
        id: id(903),
        status: "partial_failure",
        exit_code: 1,
        questions_generated: 18,
        questions_inserted: 9,
        duration_seconds: 60,
      });
      const ended = {
        status: "partial_failure",
        items_generated: "18",
        overall_success_rate: 0.45,
        triggered_by: "scheduler",
        duration_seconds: 60,
      };
      expect(await stored(903)).toMatchObject(ended);
      const late = await post(running);
      expect([late.status, late.body["status"]]).toEqual([200, "partial_failure"]);
      expect(await stored(903)).toMatchObject(ended);
    });

    it("DUP-08 come out the same when two of one run are sent at once", async () => {
      const both = [
        report(904, 400, { questions_inserted: 5 }),
        { ...report(904, 400), status: "running", completed_at: null, exit_code: null },
      ];
      for (const { status } of await Promise.all(both.map((body) => post(body)))) expect([200, 201]).toContain(status);
      expect(await stored(904)).toMatchObject({ status: "success", items_inserted: "5" });
    });

    it.each<[string, Row, string]>([
      ["no status", { status: undefined }, "status: "],
      ["an unknown status", { status: "done" }, "status: "],
      ["an unknown field", { question_requested: 1 }, 'Unrecognized key: "question_requested"'],
      ["a negative count", { questions_generated: -1 }, "questions_generated: "],
      ["a count with decimals", { questions_generated: 1.5 }, "questions_generated: "],
      ["a rate above 1", { approval_rate: 87 }, "approval_rate: "],
      ["a time without a zone", { started_at: "2026-11-21T08:00:00" }, "started_at: "],
      ["an id that is no uuid", { id: "run-7" }, "id: "],
      ["an end before the start", { completed_at: daysAgo(999) }, "completed_at: lies before started_at"],
      ["a running run with an end", { status: "running" }, "completed_at: a running run has none yet"],
      ["a count under both names", { items_requested: 50 }, "questions_requested: stands there a second time as items_requested"],
      ["a breakdown that is a list", { provider_metrics: [] }, "provider_metrics: "],
      ["an exit code of no job", { exit_code: 99 }, "exit_code: must be 0 to 6, or from 128 on for a signal"],
      ["a text of any length", { prompt_version: "v".repeat(500) }, "prompt_version: "],
    ])("are refused with the reason for %s", async (_name, fields, fault) => {
      const { status, body } = await post<Failure>(report(905, 400, fields));
      expect([status, body.error.code]).toEqual([400, "bad_request"]);
      expect(body.error.message).toContain(fault);
      expect(await stored(905)).toBeUndefined();
    });

    it("need their start and the number of questions the first time", async () => {
      const { status, body } = await post<Failure>({ id: id(906), status: "running" });
      expect([status, body.error.faults]).toEqual([
        400,
        ["started_at: is required for a new run", "questions_requested: is required for a new run"],
      ]);
    });
  });

  describe("in a period", () => {
    // Ten runs of 30 days: scores fall, version 2.1 approves more than 2.0, the last three insert less than half.
    const runs = Array.from({ length: 10 }, (_, i) => {
      const days = 29 - 3 * i;
      const low = i >= 7;
      const newer = i >= 5;
      return report(i + 1, days, {
        prompt_version: newer ? "2.1" : "2.0",
        avg_arbiter_score: 0.9 - 0.02 * i,
        questions_generated: 48,
        questions_evaluated: 50,
        questions_approved: newer ? 45 : 35,
        questions_inserted: low ? 20 : 40,
        total_api_calls: 70,
        provider_metrics: providers(24, newer ? 18 : 17),
        duration_seconds: 100 + i,
        ...(i === 8 || i === 9 ? { status: "failed", exit_code: 2, error_summary: { by_category: { rate_limit: 3, network: 1 } } } : {}),
      });
    });
    beforeAll(async () => {
      for (const run of runs) expect((await post(run)).status).toBe(201);
      await post(report(50, 2, { environment: "staging", questions_requested: 10, questions_inserted: 10, duration_seconds: 20 }));
      await post({ id: id(51), status: "running", started_at: daysAgo(1 / 24), questions_requested: 50, environment: "production" });
    });
    const period = "from=-31d&env=production";

    it("use case 1, quality trends: average arbiter scores over the last 30 days, declining", async () => {
      const { body } = await rig.get<Row & { days: readonly Row[] }>(`/api/runs/trend?metric=avg_arbiter_score&${period}`);
      expect(body).toMatchObject({ direction: "declining", runs: 10, mean: expect.closeTo(0.81, 10), change: expect.closeTo(-0.18, 6) });
      expect(body.days).toHaveLength(10);
      expect(body.days[0]).toEqual({ day: daysAgo(29).slice(0, 10), runs: 1, value: 0.9 });
      expect(body["rule"]).toContain("least squares");
    });

    it("use case 2, provider comparison: the one with the highest approval rate comes first, as SQL says", async () => {
      const { body } = await rig.get<{ providers: readonly Row[] }>(`${PATH}/stats?${period}`);
      expect(body.providers).toMatchObject([
        { provider: "anthropic", runs: 10, evaluated: 200, approved: 175, approval_rate: 0.875 },
        { provider: "openai", evaluated: 300, approved: 240, approval_rate: 0.8, failure_rate: 10 / 450 },
      ]);
      const [winner] = await rig.owner`
        SELECT provider FROM question_generation_runs, jsonb_each(provider_metrics) AS p (provider, metrics) WHERE environment = 'production'
        GROUP BY 1 ORDER BY sum((metrics->>'approved')::int)::float8 / sum((metrics->>'evaluated')::int) DESC LIMIT 1`;
      expect(winner?.["provider"]).toBe(body.providers[0]?.["provider"]);
    });

    it("use case 3, failure analysis: how many runs failed by rate limiting this week", async () => {
      const { body } = await rig.get<{ errors: readonly Row[] }>("/api/runs/stats?from=-7d&env=production");
      expect(body.errors).toEqual([
        { category: "rate_limit", errors: 6, runs: 2, failed_runs: 2 },
        { category: "network", errors: 2, runs: 2, failed_runs: 2 },
      ]);
      expect((await rig.get<Page>("/api/runs?error=rate_limit&status=failed&from=-7d")).body.total).toBe(2);
    });

    it("use case 4, cost tracking: API calls per question inserted", async () => {
      const { body } = await rig.get<Row>(`/api/runs/stats?${period}`);
      expect(body["api_calls_per_inserted"]).toBeCloseTo(700 / 340, 10);
    });

    it("use case 5, prompt effectiveness: version 2.1 beside 2.0", async () => {
      const { body } = await rig.get<{ prompt_versions: readonly Row[] }>(`/api/runs/stats?${period}&version=2.0&version=2.1`);
      expect(body.prompt_versions).toMatchObject([
        { prompt_version: "2.0", runs: 5, approval_rate: 0.7 },
        { prompt_version: "2.1", runs: 5, approval_rate: 0.9 },
      ]);
    });

    it("use case 6, capacity planning: duration of a batch of 50", async () => {
      const { body } = await rig.get<Row>("/api/runs/stats?from=-31d&requested=50");
      expect(body).toMatchObject({
        avg_duration_seconds: 104.5,
        median_duration_seconds: 104.5,
        seconds_per_item: expect.closeTo(2.09, 10),
      });
    });

    it("use case 7, alerting: success below 50 % in three runs one after the other", async () => {
      const reached = await rig.get<Row & { data: readonly Row[] }>(
        "/api/runs/streak?metric=overall_success_rate&below=0.5&runs=3&env=production&from=-31d",
      );
      expect(reached.body).toMatchObject({ reached: true, length: 3 });
      expect(reached.body.data.map((run) => run["id"])).toEqual([id(10), id(9), id(8)]);
      const notYet = await rig.get<Row>("/api/runs/streak?below=0.5&runs=4&env=production&from=-31d");
      expect(notYet.body).toMatchObject({ reached: false, length: 3 });
    });

    it("errors are found by the counts that the statistics add up", async () => {
      const by_category = { happened: 1.5, "with.dots": 2, never: 0, "also never": "0", odd: -1, text: "3" };
      await post(report(710, 500, { environment: "errors", error_summary: { by_category } }));
      const { body } = await rig.get<{ errors: readonly Row[] }>("/api/runs/stats?env=errors");
      expect(body.errors.map(({ category, errors }) => [category, errors])).toEqual([
        ["with.dots", 2],
        ["happened", 1.5],
      ]);
      const found = async (error: string): Promise<unknown> => (await rig.get<Page>(`/api/runs?env=errors&error=${error}`)).body.total;
      const totals = await Promise.all(Object.keys(by_category).map(found));
      expect(totals).toEqual([1, 1, 0, 0, 0, 0]);
      expect((await rig.get<Page>("/api/runs?env=errors&-error=odd")).body.total).toBe(1);
    });

    it("figures out of all reason are refused, and those of breakdowns spoil no statistics", async () => {
      for (const field of ["duration_seconds", "avg_arbiter_score", "min_arbiter_score"])
        expect([field, (await post(report(720, 600, { completed_at: undefined, [field]: 1.7e308 }))).status]).toEqual([field, 400]);
      const openai = { generated: 1e-300, api_calls: 1.7e308, evaluated: 1.7e308, approved: 1.7e308, failures: 2 };
      for (const n of [721, 722])
        await post(report(n, 600, { environment: "absurd", provider_metrics: { openai }, error_summary: { by_category: { x: 1.7e308 } } }));
      const { status, body } = await rig.get<{ providers: readonly Row[] }>("/api/runs/stats?env=absurd");
      expect([status, body.providers]).toMatchObject([
        200,
        [{ provider: "openai", runs: 2, approval_rate: null, failure_rate: null, failures: 4 }],
      ]);
    });

    it("shares are taken of the runs that tell of both sides, by provider and version as in all", async () => {
      const metrics = [
        { openai: { generated: 10, api_calls: 20, failures: 2, evaluated: 10, approved: 8 } },
        { openai: { generated: 10, approved: 9, rejected: 1, failures: 5 } },
        { openai: { api_calls: 1_000, approved: 1_000 } },
      ];
      const figures = [{ questions_evaluated: 10, questions_approved: 8 }, { questions_approved: 1_000 }, { questions_evaluated: 90 }];
      for (const [i, provider_metrics] of metrics.entries())
        await post(report(700 + i, 400, { environment: "partly told", prompt_version: "9", provider_metrics, ...figures[i] }));
      const { body } = await rig.get<{ providers: readonly Row[]; prompt_versions: readonly Row[] }>("/api/runs/stats?env=partly told");
      expect(body.providers).toEqual([
        {
          provider: "openai",
          runs: 3,
          generated: 20,
          api_calls: 1_020,
          failures: 7,
          evaluated: 20,
          approved: 1_017,
          rejected: 1,
          approval_rate: 17 / 20,
          failure_rate: 0.1,
          api_calls_per_generated: 2,
        },
      ]);
      expect([body, ...body.prompt_versions]).toMatchObject([{ approval_rate: 0.8 }, { prompt_version: "9", approval_rate: 0.8 }]);
    });

    it("the seed's statistics are the general ones under its names", async () => {
      const { body } = await rig.get<Row>(`${PATH}/stats?environment=production&started_after=-31d`);
      expect(body).toMatchObject({
        runs: 11,
        running: 1,
        succeeded: 8,
        failed: 2,
        questions_requested: 550,
        questions_inserted: 340,
        approval_rate: 0.8,
        overall_success_rate: expect.closeTo(0.68, 10),
        avg_arbiter_score: expect.closeTo(0.81, 10),
      });
      expect(body["trends"]).toMatchObject({ avg_arbiter_score: { direction: "declining" }, approval_rate: { direction: "improving" } });
    });

    it.each([
      ["environment=staging", [50]],
      ["-environment=production&from=-31d", [50]],
      ["status=running", [51]],
      ["status=failed&from=-31d", [10, 9]],
      ["min_success_rate=0.9&from=-31d", [50]],
      ["max_success_rate=0.5&from=-31d", [10, 9, 8]],
      ["started_after=-31d&started_before=-25d", [2, 1]],
      ["from=-31d&env=production&sort=-duration&limit=2", [10, 9]],
      ["from=-31d&env=production&sort=success_rate&limit=3&version=2.1", [10, 9, 8]],
      ["from=-31d&sort=-started_at&limit=1&-status=running", [50]],
      ["provider=anthropic&from=-31d&limit=1", [10]],
    ])("are listed by ?%s, without their breakdowns", async (query, expected) => {
      const { status, body } = await rig.get<Page>(`${PATH}?${query}`);
      expect([status, body.data.map((run) => run["id"]).toSorted()]).toEqual([200, expected.map(id).toSorted()]);
      for (const run of body.data) expect(Object.keys(run)).not.toEqual(expect.arrayContaining(["provider_metrics"]));
      for (const run of body.data) expect(run).toHaveProperty("questions_requested");
    });

    it.each(["constructor=1", "--environment=production", "colour=red"])("?%s is refused with the keys that there are", async (query) => {
      const { status, body } = await rig.get<Failure>(`${PATH}?${query}`);
      expect([status, body.error.faults]).toEqual([400, [`${JSON.stringify(query.split("=")[0])} is no key`]]);
    });

    it("come in pages that lose and repeat nothing", async () => {
      const seen: unknown[] = [];
      let after = "";
      do {
        const { body } = await rig.get<Page>(`/api/runs?from=-31d&sort=-success_rate&limit=5&after=${after}`);
        expect(body.total).toBe(12);
        seen.push(...body.data.map((run) => run["id"]));
        after = body.next ?? "";
      } while (after !== "");
      expect([seen.length, new Set(seen).size]).toEqual([12, 12]);
    });

    it("one run has everything, and the questions lost at each stage", async () => {
      const { body } = await rig.get<Row>(`${PATH}/${id(1)}`);
      expect(body).toMatchObject({
        questions_requested: 50,
        questions_generated: 48,
        provider_metrics: providers(24, 17),
        losses: { generation: 2, evaluation: -2, rejection: 15, duplication: null, insertion: null },
        inconsistencies: ["items_evaluated (50) is more than items_generated (48)", "items_inserted (40) is more than items_approved (35)"],
        usage: { generations: 0 },
      });
    });

    it("a run's use of models comes from the calls that name it", async () => {
      const call = {
        project_id: 1,
        trace_id: "a".repeat(32),
        start_time: new Date(now),
        dialect: "semconv",
        generation_status: "success",
        logged_at: new Date(now),
        updated_at: new Date(now),
        received_at: new Date(now),
        run_id: id(1),
        tokens_total: 100,
        cost_amount: "0.5",
        cost_currency: "USD",
      };
      await rig.owner`INSERT INTO generation_logs ${rig.owner([
        { ...call, span_id: "1".repeat(16) },
        { ...call, span_id: "2".repeat(16), cost_amount: null, cost_currency: null, generation_status: "failed" },
        { ...call, span_id: "3".repeat(16), cost_amount: null, cost_currency: null, generation_status: "pending", tokens_total: null },
      ] as never)}`;
      const { body } = await rig.get<Row>(`/api/runs/${id(1)}`);
      expect(body["usage"]).toEqual({
        generations: 3,
        failed: 1,
        tokens_total: 200,
        tokens_reasoning: null,
        cost_amount: 0.5,
        cost_currency: "USD",
        unpriced: 1,
      });
    });

    it("two to four are compared with the first, in the order asked for", async () => {
      interface Comparison {
        readonly runs: readonly Row[];
        readonly figures: readonly (Row & { name: string })[];
        readonly configuration: readonly (Row & { name: string })[];
      }
      const { body } = await rig.get<Comparison>(`/api/runs/compare?id=${id(10)}&id=${id(1)}&id=${id(2)}`);
      expect(body.runs.map((run) => run["id"])).toEqual([id(10), id(1), id(2)]);
      const figure = (name: string) => body.figures.find((each) => each.name === name);
      expect(figure("duration_seconds")).toEqual({
        name: "duration_seconds",
        values: [109, 100, 101],
        deltas: [0, -9, -8],
        verdicts: [null, "better", "better"],
      });
      expect(figure("approval_rate")).toMatchObject({ values: [0.9, 0.7, 0.7], verdicts: [null, "worse", "worse"] });
      expect(figure("items_requested")).toMatchObject({ verdicts: [null, "equal", "equal"] });
      expect(figure("semantic_duplicates")).toBeUndefined();
      expect(body.configuration.find(({ name }) => name === "prompt_version")).toEqual({
        name: "prompt_version",
        values: ["2.1", "2.0", "2.0"],
        differs: true,
      });
      for (const query of [`id=${id(1)}`, `id=${id(1)}&id=${id(1)}`, [1, 2, 3, 4, 5].map((n) => `id=${id(n)}`).join("&")]) {
        expect((await rig.get(`/api/runs/compare?${query}`)).status).toBe(400);
      }
      expect((await rig.get(`/api/runs/compare?id=${id(1)}&id=${id(999)}`)).status).toBe(404);
    });
  });

  describe("that never ended", () => {
    const running = (n: number, minutes: number, kind: string): Row => ({
      id: id(n),
      status: "running",
      kind,
      started_at: new Date(Date.now() - minutes * 60_000).toISOString(),
      questions_requested: 5,
    });
    beforeAll(async () => {
      // The usual run of kind "quick" takes ten minutes.
      for (const [i, seconds] of [500, 600, 700].entries()) {
        await post(report(600 + i, 300, { kind: "quick", completed_at: undefined, duration_seconds: seconds }));
      }
      await post(running(610, 29, "quick"));
      await post(running(611, 31, "quick"));
      await post(running(612, 59, "unknown kind"));
      await post(running(613, 61, "unknown kind"));
    });
    const stuck = async (query = ""): Promise<unknown[]> =>
      (await rig.get<{ data: readonly Row[] }>(`/api/runs/stuck${query}`)).body.data
        .map((run) => run["id"])
        .filter((each) => each !== id(51));

    it("are stuck beyond three times the median of their kind, or an hour where nothing is known of it", async () => {
      expect(await stuck()).toEqual([id(613), id(611)]);
      expect(await stuck("?at_least=1900")).toEqual([id(613)]);
      const { body } = await rig.get<{ data: readonly Row[] }>("/api/runs/stuck");
      expect(body.data.find((run) => run["id"] === id(611))).toMatchObject({ median_seconds: 600, allowed_seconds: 1800 });
    });

    it("can be marked failed, which is written down; their own report replaces the mark", async () => {
      const marked = await rig.send<Row>(`/api/runs/${id(611)}/mark-failed`, { reason: "the machine is gone" });
      expect([marked.status, marked.body]).toEqual([200, { id: id(611), status: "failed" }]);
      expect(await stored(611)).toMatchObject({ status: "failed", closed_by: "operator" });
      expect(await stuck()).toEqual([id(613)]);
      const [entry] = await rig.owner`SELECT actor, action, subject, details FROM audit_log WHERE action = 'run.mark-failed'`;
      expect(entry).toEqual({ actor: "local", action: "run.mark-failed", subject: id(611), details: { reason: "the machine is gone" } });
      expect((await rig.send(`/api/runs/${id(611)}/mark-failed`, {})).status).toBe(409);
      expect((await rig.send(`/api/runs/${id(998)}/mark-failed`, {})).status).toBe(404);
      await post({ id: id(611), status: "success", exit_code: 0, questions_inserted: 5 });
      expect(await stored(611)).toMatchObject({ status: "success", closed_by: "report", exit_code: 0 });
    });

    it("end when their own report says, not when they were given up", async () => {
      const started = new Date(Date.now() - 7_200_000);
      await post({ ...running(614, 0, "given up"), started_at: started.toISOString() });
      expect((await rig.send(`/api/runs/${id(614)}/mark-failed`, {})).status).toBe(200);
      await post({ id: id(614), status: "success", duration_seconds: 1_800 });
      expect(await stored(614)).toMatchObject({
        status: "success",
        completed_at: new Date(started.getTime() + 1_800_000),
        duration_seconds: 1_800,
      });
    });
  });

  it("counts all of them up to ten thousand, and says so beyond", async () => {
    const path = "/api/runs?kind=bulk&limit=1";
    const bulk = (from: number, to: number) => rig.owner`
      INSERT INTO generation_runs (project_id, id, run_id, kind, status, started_at, created_at, updated_at)
      SELECT 1, gen_random_uuid(), 'bulk-' || n, 'bulk', 'success', now(), now(), now() FROM generate_series(${from}::int, ${to}::int) AS n`;
    await bulk(1, 10_000);
    expect((await rig.get<Page>(path)).body.total).toBe(10_000);
    await bulk(10_001, 10_001);
    expect((await rig.get<Page>(path)).body.total).toBeNull();
  });

  it.each([
    "/api/runs?colour=red",
    "/api/runs/trend?metric=colour",
    "/api/runs/streak?runs=0",
    "/api/runs/stuck?at_least=soon",
    "/api/runs/stuck?from=-1d",
    `${PATH}?status=done`,
  ])("%s is answered with what is wrong", async (path) => {
    const { status, body } = await rig.get<Failure>(path);
    expect([status, body.error.code]).toEqual([400, "bad_request"]);
  });

  it.each([`/api/runs/${id(997)}`, "/api/runs/nothing", `${PATH}/${id(997)}`])("%s is not there", async (path) => {
    expect((await rig.get(path)).status).toBe(404);
  });
});
