import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { examplesOf, runOn, shellWords } from "../../support/cli-rig.ts";
import { describeEachServer } from "../../support/database.ts";

describeEachServer("genspan alert and genspan erase", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    await rig.owner`INSERT INTO generation_runs (project_id, id, run_id, started_at, completed_at, status, overall_success_rate, created_at, updated_at)
      SELECT 1, gen_random_uuid(), g::text, now() - interval '1 hour', now() - interval '1 minute', 'success', 0.1, now(), now() FROM generate_series(1, 3) g`;
    await rig.owner`INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, user_id, logged_at, updated_at, received_at)
      VALUES (1, '4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', now(), 'x', 'success', 'u-123', now(), now(), now())`;
  });
  afterAll(() => rig[Symbol.asyncDispose]());
  const run = (...words: string[]) => runOn(rig, words);

  it("makes the rule of the examples; check ends with 10 while it fires", async () => {
    const words = [
      "alert",
      "create",
      "bad runs",
      "--metric",
      "run_success_rate",
      "--compare",
      "below",
      "--threshold",
      "0.5",
      "--consecutive",
      "3",
    ];
    expect((await run(...words, "--window", "1w", "-o", "json")).code).toBe(0);
    expect((await run("alert", "list")).out).toContain("run_success_rate < 0.5, 3 times in a row");
    const fires = await run("alert", "check", "bad runs", "-o", "json");
    expect([fires.code, JSON.parse(fires.out)]).toEqual([10, [{ name: "bad runs", state: "firing", value: 0.1 }]]);
    await rig.owner`UPDATE generation_runs SET overall_success_rate = 0.9`;
    expect((await run("alert", "check")).code).toBe(0);
  });

  it("says when a rule would have fired, in relative times", async () => {
    await rig.owner`UPDATE generation_runs SET overall_success_rate = 0.1`;
    const { code, out } = await run("alert", "preview", "bad runs", "--from", "-2h", "--to", "now", "--steps", "4", "-o", "json");
    expect(code).toBe(0);
    expect((JSON.parse(out) as { state: string }[]).map(({ state }) => state)).toEqual(["no_data", "no_data", "no_data", "firing"]);
    expect((await run("alert", "preview", "bad runs", "--from", "yesterday")).code).toBe(2);
    for (const example of (await examplesOf(rig, "alert", ["preview"])).filter((each) => each.includes(" preview ")))
      expect([example, (await run(...shellWords(example).slice(1))).code]).toEqual([example, 0]);
    await rig.owner`UPDATE generation_runs SET overall_success_rate = 0.9`;
  });

  it("takes windows of minutes", async () => {
    const words = [
      "alert",
      "create",
      "soon",
      "--metric",
      "failures",
      "--compare",
      "above",
      "--threshold",
      "10",
      "--window",
      "10m",
      "-o",
      "json",
    ];
    expect(JSON.parse((await run(...words)).out)).toMatchObject({ condition: { window_seconds: 600 } });
    expect((await run("alert", "delete", "soon")).code).toBe(0);
  });

  it("adds costs up in the currency of the rule, and names the others", async () => {
    const words = "alert create dear --metric cost --compare above --threshold 5 --currency EUR".split(" ");
    expect((await run(...words)).code).toBe(0);
    await rig.owner`UPDATE generation_logs SET cost_amount = 3, cost_currency = 'USD'`;
    const { code, out, notes } = await run("alert", "check", "dear", "-o", "json");
    expect([code, JSON.parse(out)]).toEqual([0, [{ name: "dear", state: "ok", value: 0 }]]);
    expect(notes).toContain("dear adds up EUR: costs in USD are left out.");
    expect((await run("alert", "delete", "dear")).code).toBe(0);
  });

  it("mutes, tests and removes a rule by its name", async () => {
    expect((await run("alert", "mute", "bad runs", "--for", "4h")).notes).toMatch(/is silent until \d{4}-/);
    expect((await run("alert", "mute", "bad runs", "--off")).notes).toContain("speaks again");
    expect(await run("alert", "test", "bad runs")).toMatchObject({
      code: 0,
      notes: expect.stringContaining("1 channels took the message"),
    });
    expect((await run("alert", "delete", "bad runs")).code).toBe(0);
    expect((await run("alert", "delete", "bad runs")).code).toBe(3);
    expect((await run("alert", "list", "-o", "json")).out.trim()).toBe("[]");
  });

  it("refuses a rule that makes no sense with the exit code of wrong usage", async () => {
    const words = ["alert", "create", "x", "--metric", "no_such", "--compare", "below", "--threshold", "1"];
    expect((await run(...words)).code).toBe(2);
  });

  it("explains, counts and erases, and erases nothing unless it is told twice", async () => {
    expect((await run("erase", "user", "u-123", "--explain")).out).toContain('"user_id": "u-123"');
    expect(JSON.parse((await run("erase", "user", "u-123", "--dry-run", "-o", "json")).out)).toMatchObject({ id: null, traces: 1 });
    expect((await run("erase", "user", "u-123")).code).toBe(2);
    expect(await rig.owner`SELECT FROM generation_logs`).toHaveLength(1);
    expect(JSON.parse((await run("erase", "user", "u-123", "--yes", "-o", "json")).out)).toMatchObject({ deleted: { generation_logs: 1 } });
    expect(await rig.owner`SELECT FROM generation_logs`).toHaveLength(0);
  });
});
