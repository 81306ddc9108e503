import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

describeEachServer("a log record without any time", (server) => {
  const rig = usePipelineRig(server, "log_records");

  const request = (...texts: readonly string[]): object => ({
    resourceLogs: [{ scopeLogs: [{ logRecords: texts.map((stringValue) => ({ body: { stringValue } })) }] }],
  });
  const rows = () => rig.sql`SELECT body, time = received_at AS "atArrival", ingest_notes->'time' AS note FROM log_records ORDER BY body`;

  it("TIM-02 is stored at its arrival with a note, and once however often and late it is sent again", async () => {
    for (let i = 0; i < 3; i++) {
      expect((await rig.send(request("a", "b"), "logs")).kind).toBe("accepted");
      await sleep(5);
    }
    expect(await rows()).toEqual(["a", "b"].map((body) => ({ body, atArrival: true, note: { event: "0" } })));
  });

  it("TIM-02 two equal ones of one request are both stored", async () => {
    for (let i = 0; i < 2; i++) await rig.send(request("same", "same"), "logs");
    expect(await rows()).toHaveLength(2);
  });

  it("is looked up in an index of such records alone", async () => {
    await rig.sql.begin(async (sql) => {
      await sql`SET LOCAL enable_seqscan = off`;
      const plan = await sql`EXPLAIN SELECT FROM log_records t
        WHERE t.project_id = 1 AND t.id = gen_random_uuid() AND t.observed_time IS NULL AND t.time = t.received_at`;
      expect(JSON.stringify(plan)).toMatch(/log_records_default_project_id_id_idx/);
    });
  });
});
