import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { encodeBody, rowsOf } from "../../support/encoding.ts";

type Row = Record<string, unknown>;

const event = (name: string, attributes: Record<string, string | number>, ids: object = {}) => ({
  timeUnixNano: "1795219205000000000",
  ...ids,
  eventName: name,
  attributes: Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { doubleValue: value } : { stringValue: value },
  })),
});

const callsOf = (...records: object[]): Row[] => {
  const body = { resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] };
  return rowsOf(encodeBody(transcodeJson(Buffer.from(JSON.stringify(body)), "logs"), "logs"), "generation_logs");
};

const request = (more: Record<string, string | number> = {}) =>
  event("claude_code.api_request", {
    model: "claude-sonnet-4-5",
    "session.id": "s-1",
    "prompt.id": "p-1",
    cost_usd: 0.36,
    duration_ms: 2_500,
    input_tokens: 5,
    output_tokens: "40",
    cache_read_tokens: 128_955,
    cache_creation_tokens: 1_253,
    ...more,
  });

describe("events of Claude Code, which come without a span", () => {
  it("are calls of their own, with tokens, cost and duration", () => {
    expect(callsOf(request())).toMatchObject([
      {
        dialect: "claude-code",
        operation_name: "chat",
        provider_name: "anthropic",
        model_name: "claude-sonnet-4-5",
        tokens_prompt: 130_213,
        tokens_completion: 40,
        cost_amount: "0.36",
        duration_ms: 2_500,
        conversation_id: "s-1",
        generation_status: "success",
      },
    ]);
  });

  it("are known by their bodies, where their names stand in full", () => {
    const sent = (name: string, body: string) => {
      const { eventName: _, ...record } = request({ "event.name": name });
      return callsOf({ ...record, body: { stringValue: body } });
    };
    expect(sent("api_request", "claude_code.api_request")).toMatchObject([{ dialect: "claude-code", tokens_prompt: 130_213 }]);
    expect(sent("api_error", "claude_code.api_error")).toMatchObject([{ generation_status: "failed" }]);
    expect(sent("claude_code.api_request", "claude_code.api_request")).toHaveLength(1);
    for (const body of ["api_request", "someone_else.api_request", "claude_code.api_reques?"])
      expect(sent("api_request", body)).toEqual([]);
    expect(sent("user_prompt", "claude_code.user_prompt")).toEqual([]);
  });

  it.each([
    ["empty", { traceId: "", spanId: "" }],
    ["of zeros", { traceId: "0".repeat(32), spanId: "0".repeat(16) }],
    ["of a trace alone", { traceId: "a".repeat(32) }],
  ])("are calls of their own where the ids are %s", (_, ids) => {
    const found = callsOf(event("claude_code.api_request", { model: "m", "session.id": "s-1", input_tokens: 5 }, ids));
    expect(found).toMatchObject([{ model_name: "m", tokens_prompt: 5 }]);
    expect(String(found[0]?.["trace_id"])).toMatch(/^[0-9a-f]{32}$/);
    expect(String(found[0]?.["trace_id"])).not.toMatch(/^0+$/);
  });

  it("of one prompt share a trace, each with a span of its own that a resend has again", () => {
    const [first, second] = callsOf(request(), request({ input_tokens: 6 }));
    expect(second?.["trace_id"]).toBe(first?.["trace_id"]);
    expect(second?.["span_id"]).not.toBe(first?.["span_id"]);
    expect(callsOf(request())[0]?.["span_id"]).toBe(first?.["span_id"]);
  });

  it("that tell of an error are failed calls", () => {
    const failed = event("claude_code.api_error", {
      model: "claude-sonnet-4-5",
      error: "overloaded",
      status_code: "529",
      attempt: 3,
      duration_ms: 10,
    });
    expect(callsOf(failed)).toMatchObject([
      { generation_status: "failed", error_type: "529", error_message: "overloaded", attempts_count: 3 },
    ]);
  });

  it("that name a span are no second call of it", () => {
    const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
    expect(callsOf({ ...request(), ...ids })).toEqual([]);
  });

  it.each(["claude_code.tool_result", "claude_code.user_prompt", "gen_ai.user.message"])("%s is no call", (name) => {
    expect(callsOf(event(name, { model: "claude-sonnet-4-5" }))).toEqual([]);
  });
});
