import { describe, expect, it } from "vitest";
import { createLog } from "../../collector/base/log.ts";
import { createReaper, NEVER_ENDED } from "../../collector/jobs/reaper.ts";
import { describeEachServer } from "../support/database.ts";
import { type SpanSpec, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const HOUR_MS = 3_600_000;
const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" };
const pending: SpanSpec = { id: "pend", parent: "call", tookMs: 0, attributes: { ...chat, "genspan.record": "pending" } };
const final: SpanSpec = { id: "call", tookMs: 900, attributes: { ...chat, "gen_ai.usage.input_tokens": 7 } };

const GENKIT = { "genkit:type": "action", "genkit:metadata:subtype": "model", "genkit:name": "googleai/gemini-2.5-flash" };

describeEachServer("calls that were announced and never ended", (server) => {
  const rig = usePipelineRig(server, "spans", "generation_logs");
  const reaper = (pendingTimeoutMillis: number, holder = "a") =>
    createReaper({ sql: rig.sql, schema: "public", holder, log: createLog("silent"), pendingTimeoutMillis });
  const row = async () => (await rig.sql`SELECT generation_status, error_type, tokens_prompt FROM generation_logs`)[0];

  describe("after the time allowed", () => {
    it("become timeouts that say why", async () => {
      await rig.send(tracesOf(pending));
      expect(await reaper(0).runOnce()).toBe(1);
      expect(await row()).toEqual({ generation_status: "timeout", error_type: NEVER_ENDED, tokens_prompt: null });
    });

    it("are completed by a final span that comes after all", async () => {
      await rig.send(tracesOf(pending));
      await reaper(0).runOnce();
      await rig.send(tracesOf(final));
      expect(await row()).toEqual({ generation_status: "success", error_type: null, tokens_prompt: "7" });
      expect(await reaper(0).runOnce()).toBe(0);
    });

    it("do not come back to life by their announcement sent again", async () => {
      await rig.send(tracesOf(pending));
      await reaper(0).runOnce();
      await rig.send(tracesOf(pending));
      expect(await row()).toMatchObject({ generation_status: "timeout" });
    });
  });

  it.each<[string, SpanSpec, SpanSpec]>([
    [
      "announced by Logfire",
      { ...pending, attributes: { ...chat, "logfire.span_type": "pending_span", "logfire.pending_parent_id": "0000000000000000" } },
      { ...final, attributes: { ...final.attributes, "logfire.span_type": "span" } },
    ],
    [
      "sent by Genkit when they began",
      { ...final, tookMs: null, attributes: GENKIT },
      {
        ...final,
        attributes: {
          ...GENKIT,
          "genkit:output": JSON.stringify({ message: { role: "model", content: [{ text: "Hello" }] }, usage: { inputTokens: 7 } }),
        },
      },
    ],
  ])("that were %s: pending, then timeouts, then what their late end says", async (_, begun, ended) => {
    await rig.send(tracesOf(begun));
    expect(await row()).toEqual({ generation_status: "pending", error_type: null, tokens_prompt: null });
    expect(await reaper(0).runOnce()).toBe(1);
    await rig.send(tracesOf(begun));
    expect(await row()).toMatchObject({ generation_status: "timeout", error_type: NEVER_ENDED });
    await rig.send(tracesOf(ended));
    await rig.send(tracesOf(begun));
    expect(await row()).toEqual({ generation_status: "success", error_type: null, tokens_prompt: "7" });
    const [span] = await rig.sql`SELECT end_time IS NOT NULL AS ended FROM spans WHERE parent_span_id IS NULL`;
    expect(span).toEqual({ ended: true });
  });

  it("are left alone before", async () => {
    await rig.send(tracesOf(pending));
    expect(await reaper(HOUR_MS).runOnce()).toBe(0);
    expect(await row()).toMatchObject({ generation_status: "pending" });
  });

  it("are looked for by one collector at a time, whatever their number", async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ ...pending, id: `p${i}`, parent: `call${i}` }));
    await rig.send(tracesOf(...many));
    const reaped = await Promise.all(["a", "b", "c"].map((holder) => reaper(0, holder).runOnce()));
    expect(reaped.reduce((sum: number, count) => sum + (count ?? 0), 0)).toBe(40);
  });
});
