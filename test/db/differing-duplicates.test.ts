import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "../../collector/base/metrics.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { logsOf, type SpanSpec, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";

const messages = (text: string): string => JSON.stringify([{ role: "user", parts: [{ type: "text", content: text }] }]);
const attributes = {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "gpt-4o",
  "gen_ai.input.messages": messages("What is the capital of France?"),
  "gen_ai.usage.input_tokens": 7,
};
const call: SpanSpec = { id: "call", attributes };

describeEachServer("a finished span that is sent again with other values", (server) => {
  let database: TestDatabase;
  let rig: PipelineRig;
  const metrics = createMetrics();
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rig = createPipelineRig(database.url, { metrics });
  });
  afterEach(() => rig.empty("spans", "generation_logs", "log_records"));
  afterAll(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });

  const conflicts = async (): Promise<number> => (await metrics.conflicting.get()).values.reduce((sum, { value }) => sum + value, 0);
  const stored = async (): Promise<unknown> => [
    await rig.sql`SELECT name, end_time, attributes, events FROM spans`,
    await rig.sql`SELECT prompt_full_text, tokens_prompt, generation_status, error_message, end_time FROM generation_logs`,
  ];

  /** What a resend adds to the count; the rows must be as the first sending left them. */
  async function countedFor(again: SpanSpec): Promise<number> {
    expect(await rig.send(tracesOf(call))).toEqual({ kind: "accepted" });
    await rig.refiner.settled();
    const [rows, before] = [await stored(), await conflicts()];
    expect(await rig.send(tracesOf(again))).toEqual({ kind: "accepted" });
    expect(await stored()).toEqual(rows);
    return (await conflicts()) - before;
  }

  describe("stays as it was first stored, and is counted once where it differs", () => {
    it.each<[string, Partial<SpanSpec>]>([
      ["by its prompt alone", { attributes: { ...attributes, "gen_ai.input.messages": messages("What is the capital of Spain?") } }],
      ["by its tokens", { attributes: { ...attributes, "gen_ai.usage.input_tokens": 8 } }],
      ["by an attribute of its own", { attributes: { ...attributes, team: "search" } }],
      ["by its name", { name: "another" }],
      ["by its end", { tookMs: 900 }],
      ["by its status", { error: "too late" }],
      ["by an event", { events: [{ name: "retried" }] }],
    ])("%s", async (_, change) => expect(await countedFor({ ...call, ...change })).toBe(1));
  });

  it("is not counted where it says the same: a retry is no conflict", async () => {
    expect(await countedFor(call)).toBe(0);
  });

  describe("whose row was filled in from other records", () => {
    const judged: SpanSpec = {
      ...{ id: "judged", parent: "call", at: 5, tookMs: 0 },
      attributes: { "genspan.record": "update", "genspan.quality.status": "approved" },
    };
    const spoken = logsOf({ span: "call", at: 5, name: "gen_ai.choice", body: { message: { content: "Paris" } } });

    it.each<[string, Partial<SpanSpec>, number]>([
      ["is counted by its prompt", { attributes: { ...attributes, "gen_ai.input.messages": messages("And of Italy?") } }, 1],
      ["is counted by its tokens", { attributes: { ...attributes, "gen_ai.usage.input_tokens": 8 } }, 1],
      ["is not counted where it says the same", {}, 0],
    ])("%s", async (_, change, count) => {
      await rig.send(tracesOf(judged));
      await rig.send(spoken, "logs");
      expect(await countedFor({ ...call, ...change })).toBe(count);
      expect(await rig.sql`SELECT quality_status, response_full_text LIKE '%Paris%' AS answered FROM generation_logs`).toEqual([
        { quality_status: "approved", answered: true },
      ]);
    });
  });
});
