import { expect, it, vi } from "vitest";
import { describeEachServer } from "../../support/database.ts";
import { generation, hexId, span, spanRow } from "../../support/encoded-request.ts";
import { countsOf, createExporterRig, type ExporterRig, failuresByCause } from "../../support/exporter-rig.ts";
import { useExporterRig } from "../../support/exporter-suite.ts";

const NEVER_MS = 600_000;
const PATIENCE_MS = 30_000;

describeEachServer("other transactions in the way", (server) => {
  const rig = useExporterRig(server, { statementTimeoutMillis: 100, writeDeadlineMillis: 1_500, emptied: ["spans", "generation_logs"] });

  /** Holds the span table against everybody until the returned function is called. */
  async function lockSpans(): Promise<() => Promise<void>> {
    const held = await rig.sql.reserve();
    await held`BEGIN`;
    await held`LOCK TABLE spans IN ACCESS EXCLUSIVE MODE`;
    return async () => {
      await held`ROLLBACK`;
      held.release();
    };
  }

  it("DBF-10 a short lock is waited out by trying again after the statement timeout", async () => {
    const waiting = createExporterRig({ url: rig.url, statementTimeoutMillis: 100, writeDeadlineMillis: NEVER_MS });
    const unlock = await lockSpans();
    const answer = waiting.write([span("a"), span("b")]);
    const tries = async (): Promise<number> => (await failuresByCause(waiting.metrics))["57"] ?? 0;
    await vi.waitFor(async () => expect(await tries()).toBeGreaterThan(1), { timeout: PATIENCE_MS, interval: 10 });
    await unlock();
    expect(countsOf(await answer)).toEqual({ stored: 2, duplicates: 0, conflicting: 0, refused: 0 });
    await waiting.stop();
  });

  it("DBF-10 a long lock costs each request a retryable answer within the deadline; afterwards nothing is doubled", async () => {
    const unlock = await lockSpans();
    const write = (to: ExporterRig) => Promise.all(Array.from({ length: 50 }, (_, i) => to.write([span(`s${i}`)])));
    // The lock stays until all have their answer: only the deadline can give it.
    const answers = await write(rig);
    expect(new Set(answers.map((answer) => answer.kind === "failed" && answer.reason))).toEqual(new Set(["database"]));
    await unlock();
    const patient = createExporterRig({ url: rig.url, writeDeadlineMillis: NEVER_MS });
    const again = await write(patient);
    expect(again.every((answer) => answer.kind === "committed")).toBe(true);
    expect(await rig.count("spans")).toBe(50);
    await patient.stop();
  });

  it.each(["40001", "40P01", "55P03"])(
    "DBF-11 a transaction that fails with %s is tried again and the sender hears nothing of it",
    async (code) => {
      await rig.sql.unsafe(`CREATE SEQUENCE tries;
      CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '${code}'; END IF; RETURN NULL; END $$;
      CREATE TRIGGER fail_twice BEFORE INSERT ON spans FOR EACH STATEMENT EXECUTE FUNCTION fail_twice()`);
      expect(countsOf(await rig.write([generation("a"), span("b")]))).toMatchObject({ stored: 2, duplicates: 0 });
      expect((await failuresByCause(rig.metrics))[code.slice(0, 2)]).toBe(2);
      await rig.sql.unsafe("DROP TRIGGER fail_twice ON spans; DROP FUNCTION fail_twice; DROP SEQUENCE tries");
    },
  );

  it("DBF-11 a deadlock with an outside transaction ends with all rows stored", async () => {
    const patient = createExporterRig({ url: rig.url });
    const row = (seed: string) => {
      const { trace_id, span_id } = spanRow(seed);
      return { project_id: 1, trace_id, span_id };
    };
    const byTime = [span("early"), span("late", { start_time: Date.UTC(2026, 5, 1, 13) })];
    const held = await rig.sql.reserve();
    const insert = (seed: string, hour: number) => held`
      INSERT INTO spans (project_id, trace_id, span_id, start_time, start_nano, name, kind, service_name, status_code, attributes, resource_id, received_at)
      VALUES (1, ${String(row(seed).trace_id)}, ${String(row(seed).span_id)}, ${new Date(Date.UTC(2026, 5, 1, hour))}, 0, 'outside', 1, '', 0, '{}',
        ${"aa".repeat(16)}, now()) ON CONFLICT DO NOTHING`;
    await held`BEGIN`;
    await held`SET LOCAL deadlock_timeout = '10s'`;
    await insert("late", 13);
    const answer = patient.write(byTime);
    const waiting = () => rig.sql`SELECT FROM pg_stat_activity WHERE application_name = 'genspan-writer' AND wait_event_type = 'Lock'
      AND datname = current_database()`;
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), { timeout: 10_000, interval: 10 });
    await insert("early", 12).catch(() => undefined);
    await held`ROLLBACK`;
    held.release();
    expect(await answer).toMatchObject({ kind: "committed", stored: 2 });
    expect((await failuresByCause(patient.metrics))["40"]).toBe(1);
    await patient.stop();
  });

  it("DBF-11 serializable as the default isolation changes nothing", async () => {
    const name = new URL(rig.url).pathname.slice(1);
    await rig.sql.unsafe(`ALTER DATABASE "${name}" SET default_transaction_isolation = 'serializable'`);
    const rigs = [createExporterRig({ url: rig.url }), createExporterRig({ url: rig.url })];
    const items = Array.from({ length: 200 }, (_, i) => span(hexId(`${i}`, 8)));
    const results = await Promise.all(rigs.flatMap((each) => [each.write(items), each.write(items.toReversed())]));
    expect(results.map(countsOf).reduce((sum, counts) => sum + counts.stored, 0)).toBe(200);
    for (const each of rigs) await each.stop();
    await rig.sql.unsafe(`ALTER DATABASE "${name}" RESET default_transaction_isolation`);
  });
});
