import type { Attributes } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { emptyResource } from "@opentelemetry/resources";
import { afterEach, describe, expect, it } from "vitest";
import { createContent } from "../../../../sdk/core/content.ts";
import { resolveContent } from "../../../../sdk/core/content-policy.ts";
import { install } from "../../../../sdk/core/current.ts";
import type { Delivery } from "../../../../sdk/core/delivery.ts";
import { createPendingLane } from "../../../../sdk/core/pending-lane.ts";
import { createProblems } from "../../../../sdk/core/problems.ts";
import { withAttributes } from "../../../../sdk/core/record.ts";
import { createRecorder } from "../../../../sdk/core/recorder.ts";
import { SCOPE } from "../../../../sdk/core/scope.ts";
import { resolveOptions } from "../../../../sdk/core/settings.ts";
import { read, startGeneration } from "../../../../sdk/index.ts";
import { rowsFromTraces } from "../../../support/encoding.ts";
import { OPENAI_CHAT } from "../../../support/sdk/provider-answers.ts";

type Span = Parameters<Delivery["push"]>[0];

afterEach(() => {
  install(undefined);
});

/** The one span that `work` records. */
function spanOf(work: () => void, maxBytes = 1_000_000): Span {
  const spans: Span[] = [];
  const delivery = { push: (span: Span) => void spans.push(span) } as unknown as Delivery;
  const problems = createProblems(() => {});
  const lane = createPendingLane({ deliveries: [], delayMillis: 1, waitMillis: 1 });
  const recorder = createRecorder({
    origin: { resource: emptyResource(), instrumentationScope: SCOPE },
    deliveries: [delivery],
    lane,
    problems,
  });
  const content = createContent({ policy: resolveContent({ maxBytes }, maxBytes), redact: undefined, problems });
  install({ recorder, settings: resolveOptions({ pending: "off" }, {}), content });
  work();
  expect(spans).toHaveLength(1);
  return spans[0]!;
}

const rowOf = (span: Span): Record<string, unknown> =>
  rowsFromTraces(Buffer.from(ProtobufTraceSerializer.serializeRequest([span]) ?? [])).generations[0]!;

const CALL = {
  model: "gpt-5-nano",
  provider: "openai",
  prompt: { name: "weather", version: "2", variables: { city: "Ulm" } },
  messages: [{ role: "user", content: "Weather in Ulm?" }],
  system: "Be brief.",
  tools: [{ type: "function", name: "weather" }],
  params: {
    temperature: 0.5,
    maxTokens: 100,
    topP: 0.9,
    topK: 3,
    frequencyPenalty: 0.1,
    presencePenalty: 0.2,
    seed: 7,
    stop: ["END"],
    reasoningEffort: "low",
  },
  conversationId: "c-1",
  userId: "u-1",
};

describe("what the SDK records", () => {
  it("is read without loss by whoever knows the semantic conventions alone: without our own names the row says the same", () => {
    const span = spanOf(() => startGeneration(CALL).succeed(read.openaiChat.response(OPENAI_CHAT.whole)));
    const standard = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => !name.startsWith("genspan."))) as Attributes;
    const row = rowOf(withAttributes(span, standard, 0));
    const full = rowOf(span);
    const differing = Object.keys(full).filter((column) => String(full[column]) !== String(row[column]));
    expect(differing).toEqual(["response_created_at"]);
    expect(row).toMatchObject({
      dialect: "semconv",
      operation_name: "chat",
      provider_name: "openai",
      model_name: "gpt-5-nano",
      prompt_template_name: "weather",
      prompt_template_version: "2",
      prompt_full_text: '[{"role":"user","parts":[{"type":"text","content":"Weather in Ulm?"}]}]',
      system_instructions: '[{"type":"text","content":"Be brief."}]',
      tool_definitions: '[{"type":"function","name":"weather"}]',
      model_temperature: 0.5,
      model_reasoning_level: "low",
      response_model: "gpt-5-nano-2025-08-07",
      response_id: "chatcmpl-1",
      response_finish_reason: "tool_call",
      conversation_id: "c-1",
      user_id: "u-1",
      generation_status: "success",
      content_state: "captured",
    });
    expect([row["tokens_prompt"], row["tokens_completion"], row["tokens_reasoning"], row["tokens_cache_read"]].map(Number)).toEqual([
      20, 12, 4, 8,
    ]);
  });

  it("says that a text was cut", () => {
    const cut = spanOf(
      () => startGeneration({ ...CALL, messages: [{ role: "user", content: "x".repeat(500) }] }).succeed({ text: "ok" }),
      100,
    );
    expect(rowOf(cut)).toMatchObject({ content_state: "truncated", prompt_full_text: expect.stringContaining("…[truncated 400 bytes]") });
    const whole = spanOf(() => startGeneration(CALL).succeed({ text: "the mark …[truncated itself" }));
    expect(rowOf(whole)["content_state"]).toBe("captured");
  });
});
