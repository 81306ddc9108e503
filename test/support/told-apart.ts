import type { Signal } from "../../collector/base/signal.ts";
import { BASE_MS, type LogSpec, logsOf, type SpanSpec, tracesOf } from "./otlp-json.ts";

/** One span or one log record. */
export type Atom = { readonly signal: "traces"; readonly span: SpanSpec } | { readonly signal: "logs"; readonly log: LogSpec };

const span = (spec: SpanSpec): Atom => ({ signal: "traces", span: spec });
const log = (spec: LogSpec): Atom => ({ signal: "logs", log: spec });

/** A request with these atoms; they are of one signal. */
export function requestOf(atoms: readonly Atom[]): { readonly signal: Signal; readonly body: object } {
  const spans = atoms.flatMap((atom) => (atom.signal === "traces" ? [atom.span] : []));
  const logs = atoms.flatMap((atom) => (atom.signal === "logs" ? [atom.log] : []));
  if (spans.length > 0 && logs.length > 0) throw new Error("a request is of one signal");
  return spans.length > 0 ? { signal: "traces", body: tracesOf(...spans) } : { signal: "logs", body: logsOf(...logs) };
}

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai" };
const agent = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "tutor", "gen_ai.request.model": "gpt-4o" };
const usage = (input: number, output: number) => ({ "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output });
const said = (role: string, content: string): string => JSON.stringify([{ role, parts: [{ type: "text", content }] }]);
const prompt = { "gen_ai.input.messages": said("user", "Hi") };
const answer = { "gen_ai.output.messages": said("assistant", "Hello"), "gen_ai.response.finish_reasons": ["stop"] };
const post = (status: number) => ({ "http.request.method": "POST", "http.response.status_code": status });
const PICTURE = Buffer.from("a picture of a cat").toString("base64");

/** Everything that belongs to one matter, in a trace of its own, in the order in which it happens. */
export const MATTERS: Readonly<Record<string, (trace: string, at: number) => Atom[]>> = {
  "two instrumentations of one call, below each other": (trace, at) => [
    span({ trace, id: "inner", parent: "outer", at: at + 10, tookMs: 80, attributes: { ...chat, ...usage(631, 35), ...answer } }),
    span({ trace, id: "outer", at, attributes: { ...chat, ...usage(631, 35), ...prompt } }),
  ],
  "two instrumentations of one call, with two spans between them": (trace, at) => [
    span({ trace, id: "inner", parent: "step", at: at + 10, tookMs: 80, attributes: { ...chat, ...usage(631, 35), ...answer } }),
    span({ trace, id: "step", parent: "retry", at: at + 8, tookMs: 84, attributes: {} }),
    span({ trace, id: "retry", parent: "outer", at: at + 5, tookMs: 90, attributes: { "code.function.name": "retry" } }),
    span({ trace, id: "outer", at, attributes: { ...chat, ...usage(631, 35), ...prompt } }),
  ],
  "a call within a tool of another call, and two steps of a third call": (trace, at) => [
    span({ trace, id: "sub", parent: "tool", at: at + 10, tookMs: 80, attributes: { ...chat, ...usage(631, 35), ...answer } }),
    span({ trace, id: "tool", parent: "call", at: at + 5, tookMs: 90, attributes: { "gen_ai.operation.name": "execute_tool" } }),
    span({ trace, id: "call", at, attributes: { ...chat, ...usage(631, 35), ...prompt } }),
    span({ trace, id: "chat1", parent: "step1", at: at + 220, tookMs: 20, attributes: { ...chat, ...usage(300, 20) } }),
    span({ trace, id: "step1", parent: "around", at: at + 210, tookMs: 40, attributes: {} }),
    span({ trace, id: "chat2", parent: "step2", at: at + 260, tookMs: 20, attributes: { ...chat, ...usage(331, 15) } }),
    span({ trace, id: "step2", parent: "around", at: at + 255, tookMs: 40, attributes: {} }),
    span({ trace, id: "around", at: at + 200, attributes: { ...chat, ...usage(631, 35) } }),
  ],
  "two instrumentations of one call, beside each other, one with the content in log events": (trace, at) => [
    log({ trace, span: "one", name: "gen_ai.user.message", at, body: { content: "Hi" } }),
    span({ trace, id: "one", parent: "agent", at, attributes: { ...chat, ...usage(9, 3), "gen_ai.response.id": "resp" } }),
    span({
      trace,
      id: "two",
      parent: "agent",
      at: at + 1,
      scope: "openinference",
      attributes: { ...chat, ...usage(9, 3), ...answer, "gen_ai.response.id": "resp" },
    }),
  ],
  "a wrapper with the usage of two calls": (trace, at) => [
    span({ trace, id: "first", parent: "around", at: at + 5, tookMs: 20, attributes: { ...chat, ...usage(300, 20), ...prompt } }),
    span({ trace, id: "second", parent: "around", at: at + 40, tookMs: 20, attributes: { ...chat, ...usage(331, 15), ...answer } }),
    span({ trace, id: "around", at, attributes: { ...chat, ...usage(631, 35) } }),
  ],
  "agents with usage, one of them around a call with usage, the other around one without and around an agent of its own": (trace, at) => [
    span({ trace, id: "chat1", parent: "step", at: at + 20, tookMs: 20, attributes: { ...chat, ...usage(631, 35), ...prompt } }),
    span({ trace, id: "step", parent: "agent1", at: at + 10, tookMs: 40, attributes: {} }),
    span({ trace, id: "agent1", parent: "flow", at, attributes: { ...agent, ...usage(631, 35) } }),
    span({ trace, id: "chat2", parent: "agent3", at: at + 120, tookMs: 20, attributes: { ...chat, ...answer } }),
    span({ trace, id: "agent3", parent: "task", at: at + 110, tookMs: 40, attributes: { ...agent, ...usage(7, 5) } }),
    span({ trace, id: "task", parent: "agent2", at: at + 105, tookMs: 60, attributes: {} }),
    span({ trace, id: "agent2", parent: "flow", at: at + 100, tookMs: 90, attributes: { ...agent, ...usage(7, 5) } }),
    span({ trace, id: "flow", at, tookMs: 300, attributes: { "gen_ai.operation.name": "invoke_workflow", ...usage(638, 40) } }),
  ],
  "an agent with usage and nothing below it, changed later": (trace, at) => [
    span({ trace, id: "agent", parent: "gateway", at, attributes: { ...agent, ...usage(12, 8), ...prompt, ...answer } }),
    span({
      trace,
      id: "reviewed",
      parent: "agent",
      at: at + 2_000,
      tookMs: 0,
      attributes: { "genspan.record": "update", "genspan.quality.status": "approved" },
    }),
  ],
  "a call whose messages are log events": (trace, at) => [
    log({ trace, span: "call", name: "gen_ai.system.message", at, body: { content: "Be kind" } }),
    log({ trace, span: "call", name: "gen_ai.user.message", at: at + 1, body: { content: "Hi" } }),
    log({
      trace,
      span: "call",
      name: "gen_ai.choice",
      at: at + 90,
      body: { index: 0, finish_reason: "stop", message: { content: "Hello" } },
    }),
    span({ trace, id: "call", at, attributes: { ...chat, ...usage(8, 3) } }),
  ],
  "a call with one event that has everything, a picture with it": (trace, at) => [
    log({
      trace,
      span: "call",
      name: "gen_ai.client.inference.operation.details",
      at: at + 90,
      attributes: {
        "gen_ai.input.messages": [{ role: "user", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: PICTURE }] }],
        "gen_ai.output.messages": [{ role: "assistant", parts: [{ type: "text", content: "A cat" }], finish_reason: "stop" }],
      },
    }),
    span({ trace, id: "call", at, attributes: { ...chat, ...usage(80, 3) } }),
  ],
  "a call with requests over HTTP below it": (trace, at) => [
    span({ trace, id: "try1", parent: "call", at: at + 1, tookMs: 50, kind: 3, attributes: post(429) }),
    span({ trace, id: "try2", parent: "call", at: at + 100, tookMs: 50, kind: 3, attributes: post(200) }),
    span({ trace, id: "call", at, tookMs: 300, attributes: { ...chat, ...answer } }),
  ],
  "a call with records of its attempts, and a count of resends": (trace, at) => [
    ...[1, 2].map((number) =>
      span({
        trace,
        id: `attempt${number}`,
        parent: "call",
        at: at + number * 10,
        attributes: {
          "genspan.record": "attempt",
          "genspan.attempt.number": number,
          "genspan.attempt.outcome": number === 2 ? "success" : "timeout",
        },
      }),
    ),
    span({ trace, id: "call", at, tookMs: 300, attributes: { ...chat, ...answer, "http.request.resend_count": 4 } }),
  ],
  "a call with the third of its requests over HTTP, one for a token and one for embeddings": (trace, at) => {
    const below = (id: string, after: number, attributes: Readonly<Record<string, string | number>>): Atom =>
      span({ trace, id, parent: "call", at: at + after, tookMs: 20, kind: 3, attributes: { ...post(200), ...attributes } });
    return [
      below("token", 1, { "url.full": "https://login.example.com/oauth/token" }),
      below("embed", 30, { ...chat, "gen_ai.operation.name": "embeddings", "server.address": "api.openai.com" }),
      below("third", 60, { "url.full": "https://api.openai.com/v1/chat/completions", "http.request.resend_count": 2 }),
      span({ trace, id: "call", at, tookMs: 300, attributes: { ...chat, ...answer, "server.address": "api.openai.com" } }),
    ];
  },
  "a call told twice whose requests over HTTP stand below a client's own span, one of them told twice": (trace, at) => [
    span({ trace, id: "try1", parent: "client", at: at + 20, tookMs: 20, kind: 3, attributes: post(503) }),
    span({ trace, id: "try2", parent: "client", at: at + 50, tookMs: 30, kind: 3, attributes: post(200) }),
    span({ trace, id: "socket", parent: "try2", at: at + 51, tookMs: 28, kind: 3, attributes: post(200) }),
    span({ trace, id: "client", parent: "inner", at: at + 15, tookMs: 70, kind: 3, attributes: { "rpc.system": "aws-api" } }),
    span({ trace, id: "searched", parent: "tool", at: at + 40, tookMs: 5, kind: 3, attributes: post(200) }),
    span({ trace, id: "tool", parent: "outer", at: at + 38, tookMs: 9, attributes: { "gen_ai.operation.name": "execute_tool" } }),
    span({ trace, id: "inner", parent: "outer", at: at + 10, tookMs: 80, attributes: { ...chat, ...usage(5, 5) } }),
    span({ trace, id: "outer", at, attributes: { ...chat, ...usage(5, 5), ...prompt } }),
  ],
  "a call that says how often it was sent": (trace, at) => [
    span({ trace, id: "call", at, tookMs: 300, error: "busy", attributes: { ...chat, "http.request.resend_count": 3 } }),
  ],
  "calls that failed, and the one that stood in for them": (trace, at) => [
    span({ trace, id: "fail1", parent: "agent", at, tookMs: 50, error: "overloaded", attributes: { ...chat, "error.type": "overloaded" } }),
    span({ trace, id: "fail2", parent: "agent", at: at + 60, tookMs: 50, error: "gone", attributes: { ...chat, "error.type": "500" } }),
    span({
      trace,
      id: "stood_in",
      parent: "agent",
      at: at + 120,
      attributes: { ...chat, ...usage(5, 5), "gen_ai.request.model": "other" },
    }),
  ],
  "a call that was announced by our own record, and changed later": (trace, at) => [
    span({ trace, id: "pend", parent: "call", at, tookMs: 0, attributes: { ...chat, ...prompt, "genspan.record": "pending" } }),
    span({
      trace,
      id: "call",
      at,
      tookMs: 500,
      attributes: { ...chat, ...prompt, ...answer, ...usage(4, 2), "genspan.pending.sent": true },
    }),
    span({
      trace,
      id: "linked",
      parent: "call",
      at: at + 1_000,
      tookMs: 0,
      attributes: {
        "genspan.record": "update",
        "genspan.entity.type": "problem",
        "genspan.entity.id": "7",
        "genspan.quality.status": "pending_review",
      },
    }),
    span({
      trace,
      id: "reviewed",
      parent: "call",
      at: at + 2_000,
      tookMs: 0,
      attributes: { "genspan.record": "update", "genspan.quality.status": "approved", "genspan.quality.score": 0.9 },
    }),
  ],
  "an announced call that turns out to be the wrapper of another": (trace, at) => [
    span({ trace, id: "pend", parent: "outer", at, tookMs: 0, attributes: { ...chat, ...prompt, "genspan.record": "pending" } }),
    span({ trace, id: "inner", parent: "outer", at: at + 10, tookMs: 80, attributes: { ...chat, ...usage(7, 5), ...answer } }),
    span({ trace, id: "outer", at, attributes: { ...chat, ...prompt, ...usage(7, 5), "genspan.pending.sent": true } }),
  ],
  "a call that Logfire announced": (trace, at) => [
    span({
      trace,
      id: "pending",
      parent: "call",
      at,
      tookMs: 0,
      attributes: { ...chat, ...prompt, "logfire.span_type": "pending_span", "logfire.pending_parent_id": "0000000000000000" },
    }),
    span({
      trace,
      id: "call",
      at,
      tookMs: 200,
      attributes: { ...chat, ...prompt, ...answer, ...usage(6, 4), "logfire.span_type": "span" },
    }),
  ],
  "a call that Genkit sent when it began and when it ended, and the flow around it": (trace, at) => {
    const call = { "genkit:type": "action", "genkit:metadata:subtype": "model", "genkit:name": "googleai/gemini-2.5-flash" };
    const input = JSON.stringify({ messages: [{ role: "user", content: [{ text: "Hi" }] }] });
    const output = JSON.stringify({
      message: { role: "model", content: [{ text: "Hello" }] },
      finishReason: "stop",
      usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
    });
    const flow = { "genkit:type": "flow", "genkit:name": "lesson" };
    return [
      span({ trace, id: "flow", at, tookMs: null, attributes: flow }),
      span({ trace, id: "call", parent: "flow", at: at + 1, tookMs: null, attributes: { ...call, "genkit:input": input } }),
      span({
        trace,
        id: "call",
        parent: "flow",
        at: at + 1,
        tookMs: 90,
        attributes: { ...call, "genkit:input": input, "genkit:output": output, "genkit:state": "success" },
      }),
      span({ trace, id: "flow", at, tookMs: 100, attributes: { ...flow, "genkit:state": "success" } }),
    ];
  },
  "an announced call that never ended": (trace, at) => [
    span({ trace, id: "pend", parent: "call", at, tookMs: 0, attributes: { ...chat, ...prompt, "genspan.record": "pending" } }),
    log({ trace, span: "call", name: "gen_ai.system.message", at, body: { content: "Be kind" } }),
  ],
  "a picture with the models that were tried for it": (trace, at) => {
    const request = { "genspan.image.id": "123e4567-e89b-12d3-a456-426614174000", "genspan.image.request": '{"prompt":"A cat"}' };
    const attempt = (number: number, outcome: string) =>
      span({
        trace,
        id: `model${number}`,
        parent: "image",
        at: at + number,
        tookMs: 80,
        attributes: {
          "genspan.record": "attempt",
          "genspan.attempt.number": number,
          "genspan.attempt.outcome": outcome,
          "gen_ai.request.model": `model-${number}`,
        },
      });
    return [
      span({ trace, id: "pend", parent: "image", at, tookMs: 0, attributes: { ...request, "genspan.record": "pending" } }),
      attempt(1, "failed"),
      attempt(2, "success"),
      span({ trace, id: "image", at, tookMs: 200, attributes: { ...request, "genspan.record": "image" } }),
    ];
  },
  "a call that makes a picture, and judgements of it": (trace, at) => [
    span({
      trace,
      id: "draw",
      at,
      attributes: {
        "gen_ai.operation.name": "image_generation",
        "gen_ai.request.model": "gpt-image-1",
        ...prompt,
        "gen_ai.output.messages": JSON.stringify([
          { role: "assistant", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: PICTURE }] },
        ]),
      },
      events: [
        {
          name: "gen_ai.evaluation.result",
          at: at + 50,
          attributes: { "gen_ai.evaluation.name": "beauty", "gen_ai.evaluation.score.value": 0.5 },
        },
      ],
    }),
    log({
      trace,
      span: "draw",
      name: "gen_ai.evaluation.result",
      at: at + 90,
      attributes: { "gen_ai.evaluation.name": "truth", "gen_ai.evaluation.score.label": "fail" },
    }),
  ],
  "judgements that name a response, in a trace of their own, without a span, and of a telling that is not counted": (trace, at) => {
    const answered = { ...chat, ...usage(9, 3), "gen_ai.response.id": `response of ${trace}` };
    const judged = (name: string, more: Partial<LogSpec>): Atom =>
      log({
        name: "gen_ai.evaluation.result",
        at: at + 500,
        attributes: { "gen_ai.evaluation.name": name, "gen_ai.response.id": `response of ${trace}` },
        ...more,
      });
    return [
      span({ trace, id: "inner", parent: "outer", at: at + 5, tookMs: 80, attributes: { ...chat, ...usage(9, 3) } }),
      span({ trace, id: "outer", at, attributes: answered }),
      span({
        trace,
        id: "judge",
        parent: "outer",
        at: at + 200,
        events: [{ name: "gen_ai.evaluation.result", at: at + 200, attributes: { "gen_ai.evaluation.name": "below" } }],
      }),
      judged("elsewhere", { trace: [...trace].toReversed().join(""), span: "judge" }),
      judged("nowhere", {}),
      judged("outer", { trace, span: "outer", attributes: { "gen_ai.evaluation.name": "outer" } }),
      judged("never answered", { attributes: { "gen_ai.evaluation.name": "lost", "gen_ai.response.id": `none of ${trace}` } }),
    ];
  },
  "events that are calls by themselves": (_trace, at) => [
    log({
      name: "claude_code.api_request",
      at,
      attributes: { "prompt.id": "p1", model: "claude-sonnet-4-5", input_tokens: 5, output_tokens: 7, duration_ms: 900 },
    }),
    log({
      name: "claude_code.api_error",
      at: at + 10,
      attributes: { "prompt.id": "p1", model: "claude-sonnet-4-5", error: "overloaded", status_code: "529", duration_ms: 20 },
    }),
  ],
};

/** When the matters happen: lately, as everything that collectors look through again. */
export const lately = (): number => Math.floor((Date.now() - 600_000) / 1_000) * 1_000 - BASE_MS;
/** After the start of every collector of a test: calls that began before it are looked at in any case. */
export const soon = (): number => lately() + 1_800_000;
