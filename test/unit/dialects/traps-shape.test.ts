import { describe, expect, it } from "vitest";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { contentFromEvents } from "../../../collector/refinement/log-content.ts";
import { encodeBody, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { message, text } from "../../support/openai-cases.ts";
import { logsOf, type SpanSpec, tracesOf } from "../../support/otlp-json.ts";
import { recording } from "../../support/recordings.ts";
import { generationsOf, toldOf } from "../../support/told.ts";

type Row = Record<string, unknown>;
type Attributes = NonNullable<SpanSpec["attributes"]>;

const json = (value: unknown): string => JSON.stringify(value);
const CHAT: Attributes = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m" };
const HI = message("user", text("Hi"));
const HO = message("assistant", text("Ho"));

function only(attributes: Attributes, more: Omit<SpanSpec, "id" | "attributes"> = {}): Row {
  const rows = toldOf({ ...more, attributes });
  expect(rows).toHaveLength(1);
  return rows[0]!;
}
const call = (attributes: Attributes, more: Omit<SpanSpec, "id" | "attributes"> = {}): Row => only({ ...CHAT, ...attributes }, more);

describe("trap 10: flattened lists of three levels", () => {
  const LLM = { "openinference.span.kind": "LLM", "llm.model_name": "m" };
  const at = (index: number, path: string): string => `llm.output_messages.${index}.message.${path}`;

  it("are put together in the order of their numbers, with gaps and in any order", () => {
    const attributes = {
      ...LLM,
      [at(7, "content")]: "last",
      [at(0, "tool_calls.1.tool_call.function.name")]: "second",
      [at(0, "tool_calls.1.tool_call.function.arguments")]: "{}",
      [at(0, "tool_calls.0.tool_call.function.name")]: "first",
      [at(0, "role")]: "assistant",
    };
    expect(only(attributes)["response_full_text"]).toMatchObject([
      {
        parts: [
          { type: "tool_call", name: "first" },
          { type: "tool_call", name: "second", arguments: {} },
        ],
      },
      { parts: [text("last")] },
    ]);
  });

  it("cost no more than what was sent, whatever their numbers, and names of prototypes do no harm", () => {
    const attributes = {
      ...LLM,
      [at(0, "content")]: "near",
      [at(999_999_999, "content")]: "far",
      [at(0, "__proto__.polluted")]: "yes",
      "llm.output_messages.constructor.prototype.polluted": "yes",
      "llm.output_messages.__proto__.message.content": "no",
    };
    expect(generationsOf({ attributes })).toHaveLength(1);
    expect(({} as Row)["polluted"]).toBeUndefined();
  });
});

it("trap 11: gen_ai.prompt is a name and the beginning of names; the name wins, the others stand alone too", () => {
  const indexed = { "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "indexed" };
  expect(call(indexed)["prompt_full_text"]).toEqual([message("user", text("indexed"))]);
  expect(call({ "gen_ai.prompt": json([{ role: "user", content: "whole" }]), ...indexed })["prompt_full_text"]).toEqual([
    message("user", text("whole")),
  ]);
});

describe("trap 12: JSON within strings, also twice", () => {
  it.each([
    ["quotes within a value", { "mlflow.spanType": '"LLM"', "mlflow.llm.model": '"m"' }, { model_name: "m" }],
    [
      "a list of JSON texts",
      { "ai.operationId": "ai.x.doGenerate", "ai.prompt.tools": [json({ name: "t" })] },
      { tool_definitions: [{ name: "t" }] },
    ],
    [
      "encoded twice",
      { "langfuse.observation.type": "generation", "langfuse.observation.input": json(json([{ role: "user", content: "Hi" }])) },
      { prompt_full_text: [HI] },
    ],
  ])("%s", (_, attributes, says) => {
    expect(only(attributes)).toMatchObject(says);
  });

  it.each([{ city: "Utrecht" }, '{"city":"Utrecht"}'])("arguments of a tool as %o", (given) => {
    const messages = json([{ role: "assistant", tool_calls: [{ id: "c", function: { name: "t", arguments: given } }] }]);
    expect(call({ "gen_ai.completion": messages })["response_full_text"]).toMatchObject([{ parts: [{ arguments: { city: "Utrecht" } }] }]);
  });

  it("what was cut stays text and says so", () => {
    expect(call({ "gen_ai.input.messages": '[{"role":"user","parts":[{"ty' })).toMatchObject({
      prompt_full_text: '[{"role":"user","parts":[{"ty',
      content_state: "truncated",
    });
  });
});

it("trap 13: messages as structured values are those of their JSON", () => {
  const structured = { "gen_ai.input.messages": [{ role: "user", parts: [{ type: "text", content: "Hi" }] }] };
  expect(call(structured)).toEqual(call({ "gen_ai.input.messages": json([HI]) }));
});

describe("trap 14: content that is not on the span", () => {
  const details = "gen_ai.client.inference.operation.details";

  it("in span events", () => {
    const events = [{ name: details, attributes: { "gen_ai.input.messages": json([HI]), "gen_ai.output.messages": json([HO]) } }];
    expect(call({}, { events })).toMatchObject({ prompt_full_text: [HI], response_full_text: [HO], content_state: "captured" });
  });

  it.each([
    ["bodies", logsOf({ span: "s0", name: "gen_ai.user.message", body: { content: "Hi" } })],
    [
      "attributes",
      logsOf({
        span: "s0",
        name: details,
        attributes: { "gen_ai.input.messages": [{ role: "user", parts: [{ type: "text", content: "Hi" }] }] },
      }),
    ],
  ])("in %s of log records", (_, logs) => {
    const records = rowsOf(encodeBody(transcodeJson(Buffer.from(json(logs)), "logs"), "logs"), "log_records");
    const groups = contentFromEvents(
      records.map((row) => ({
        id: "",
        spanId: String(row["span_id"]),
        name: String(row["event_name"]),
        body: row["body"],
        attributes: row["attributes"] as Row,
        redacted: false,
      })),
    );
    expect(JSON.parse(groups.prompt?.["prompt_full_text"] ?? "")).toEqual([HI]);
  });

  it("in a store of its own: the reference stays on the span, the content is absent", () => {
    const reference = { "gen_ai.input.messages_ref": "s3://bucket/in.json" };
    const { spans, generations } = rowsFromTraces(
      transcodeJson(Buffer.from(json(tracesOf({ id: "s0", attributes: { ...CHAT, ...reference } }))), "traces"),
    );
    expect(generations).toMatchObject([{ content_state: "absent", prompt_full_text: null }]);
    expect(spans[0]?.["attributes"]).toMatchObject(reference);
  });

  it("nowhere, as is the default of the official instrumentations", () => {
    expect(call({})["content_state"]).toBe("absent");
  });
});

it("trap 15: log events without ids are calls of their own", () => {
  const attributes = [
    { key: "model", value: { stringValue: "claude" } },
    { key: "input_tokens", value: { intValue: "5" } },
  ];
  const logRecords = [{ timeUnixNano: "1795219205000000000", eventName: "claude_code.api_request", attributes }];
  const body = transcodeJson(Buffer.from(json({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })), "logs");
  expect(rowsOf(encodeBody(body, "logs"), "generation_logs")).toMatchObject([{ dialect: "claude-code", tokens_prompt: 5 }]);
});

describe("trap 16: numbers in every clothing", () => {
  const sent = (value: object): Row => {
    const attributes = [
      { key: "gen_ai.request.model", value: { stringValue: "m" } },
      { key: "gen_ai.usage.input_tokens", value },
    ];
    const span = {
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7",
      name: "x",
      startTimeUnixNano: "1795219200000000000",
      attributes,
    };
    const body = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
    return rowsFromTraces(transcodeJson(Buffer.from(json(body)), "traces")).generations[0]!;
  };

  it.each([{ intValue: "14" }, { intValue: 14 }, { doubleValue: 14.0 }, { stringValue: "14" }])("14 as %o", (value) => {
    expect(sent(value)["tokens_prompt"]).toBe(14);
  });

  it.each([{ doubleValue: "NaN" }, { doubleValue: "Infinity" }, { stringValue: "" }, { intValue: -1 }, { stringValue: "many" }])(
    "%o is no count",
    (value) => {
      expect(sent(value)["tokens_prompt"]).toBeNull();
    },
  );

  it("a temperature of 1 is a number; -1 and an empty text are unset", () => {
    expect(call({ "gen_ai.request.temperature": 1 })["model_temperature"]).toBe(1);
    const unset = call({
      "gen_ai.sdk.version": "1",
      "gen_ai.request.max_tokens": -1,
      "gen_ai.request.seed": "",
      "gen_ai.request.top_k": -1,
    });
    expect(Object.keys(unset).filter((name) => name.startsWith("model_"))).toEqual(["model_name"]);
  });
});

it.each([
  ["seconds of the conventions", { "gen_ai.response.time_to_first_chunk": 0.25 }],
  ["seconds of the AI SDK 7", { "gen_ai.client.operation.time_to_first_chunk": 0.25 }],
  ["seconds of OpenLIT", { "gen_ai.sdk.version": "1", "gen_ai.server.time_to_first_token": 0.25 }],
  ["milliseconds of Strands", { "event_loop.cycle_id": "c", "gen_ai.server.time_to_first_token": 250 }],
  ["milliseconds of the AI SDK", { "ai.operationId": "ai.x.doStream", "ai.response.msToFirstChunk": 250 }],
  [
    "a time of Langfuse",
    { "langfuse.observation.type": "generation", "langfuse.observation.completion_start_time": '"2026-11-21T00:00:00.250Z"' },
  ],
])("trap 17: the time to the first token in %s is 250 ms", (_, attributes) => {
  expect(generationsOf({ attributes: { ...CHAT, ...attributes } })).toMatchObject([{ time_to_first_token_ms: 250 }]);
});

it("trap 17: the time of an event is the time to the first token", () => {
  const events = [{ name: "ai.stream.firstChunk", at: 250 }];
  expect(generationsOf({ attributes: { ...CHAT, "ai.operationId": "ai.x.doStream" }, events })).toMatchObject([
    { time_to_first_token_ms: 250 },
  ]);
});

it.each([
  ["az.ai.openai", "azure.ai.openai"],
  ["azure", "azure.ai.openai"],
  ["mistralai", "mistral_ai"],
  ["xai", "x_ai"],
  ["OpenAI", "openai"],
  ["gcp.vertex.agent", "gcp.gen_ai"],
  ["Langchain", undefined],
  ["strands-agents", undefined],
  ["microsoft.agent_framework", undefined],
])("trap 18: provider %s is %s", (sent, provider) => {
  expect(call({ "gen_ai.provider.name": sent })["provider_name"]).toBe(provider);
});

it.each([
  ["openai.responses", "openai"],
  ["google.vertex.chat", "gcp.vertex_ai"],
  ["amazon-bedrock", "aws.bedrock"],
  ["anthropic.messages", "anthropic"],
])("trap 18: the AI SDK's provider %s is %s", (sent, provider) => {
  expect(only({ "ai.operationId": "ai.x.doGenerate", "ai.model.provider": sent })["provider_name"]).toBe(provider);
});

describe("trap 19: placeholders are no content", () => {
  it.each([
    { "span.type": "llm_request", model: "m", user_prompt: "<REDACTED>" },
    {
      "openinference.span.kind": "LLM",
      "llm.model_name": "m",
      "input.value": "__REDACTED__",
      "llm.input_messages.0.message.content": "__REDACTED__",
    },
    { ...CHAT, "logfire.span_type": "span", "gen_ai.input.messages": "[Scrubbed due to 'password']" },
  ])("%o", (attributes) => {
    const row = only(attributes);
    expect(row["content_state"]).toBe("redacted");
    expect(row).not.toHaveProperty("prompt_full_text");
  });

  it("base64 that was cut is kept as far as it goes, and the row stands", () => {
    const url = `data:image/png;base64,${"A".repeat(31_978)}`;
    const attributes = {
      "openinference.span.kind": "LLM",
      "llm.model_name": "m",
      "llm.input_messages.0.message.contents.0.message_content.image.image.url": url,
    };
    expect(only(attributes)["prompt_full_text"]).toMatchObject([{ parts: [{ modality: "image" }] }]);
  });

  it("a model called unknown is none", () => {
    expect(call({ "gen_ai.request.model": "unknown", "gen_ai.response.model": "m-1" })["model_name"]).toBe("m-1");
    expect(call({ "gen_ai.request.model": "unknown" }, { name: "chat unknown" })).not.toHaveProperty("model_name");
  });
});

it.each([
  [{ type: "function", function: { name: "t", parameters: {} } }],
  [{ name: "t", parameters: {} }],
  [{ name: "t", inputSchema: {} }],
  [{ name: "t", input_schema: {} }],
])("trap 20: the definition %o is kept as it was given", (tool) => {
  expect(call({ "gen_ai.tool.definitions": json([tool]) })["tool_definitions"]).toEqual([tool]);
});

it.each([
  ["session.id", {}],
  ["gen_ai.conversation.id", {}],
  ["langfuse.session.id", { "langfuse.observation.type": "generation" }],
  ["ai.telemetry.metadata.sessionId", {}],
  ["traceloop.association.properties.session_id", {}],
  ["langsmith.metadata.thread_id", {}],
  ["lk.room_name", {}],
])("trap 21: %s is a conversation", (name, signs) => {
  expect(call({ ...signs, [name]: "c-1" })["conversation_id"]).toBe("c-1");
});

it("trap 21: langsmith.trace.session_id names a project and is no conversation", () => {
  expect(only({ "langsmith.span.kind": "llm", "gen_ai.request.model": "m", "langsmith.trace.session_id": "p" })).not.toHaveProperty(
    "conversation_id",
  );
});

describe("trap 22: bare names belong to applications", () => {
  const bare = { model: "Tesla Model 3", input: "x", output: "y", prompt: "p", events: "[]", input_tokens: 5, "usage.prompt_tokens": 9 };

  it("an ordinary span with them is no call", () => {
    expect(toldOf({ name: "order car", attributes: bare })).toEqual([]);
  });

  it("they complete no call that another dialect tells", () => {
    const row = only({ ...bare, "openinference.span.kind": "LLM", "llm.model_name": "m" });
    expect(row["model_name"]).toBe("m");
    expect(row).not.toHaveProperty("prompt_full_text");
    expect(row).not.toHaveProperty("tokens_prompt");
  });

  it("an application's own type of entity takes no call away", () => {
    expect(call({ "entity.type": "workflow", "entity.id": "7" })["model_name"]).toBe("m");
  });

  it("Claude Code's bare names count on its own spans alone", () => {
    expect(only({ ...CHAT, input_tokens: 5 })).not.toHaveProperty("tokens_prompt");
  });
});

it("every recorded call of a client without sessions has no conversation", () => {
  expect(rowsFromTraces(recording("otel-openai", "chat").body).generations).toMatchObject([{ conversation_id: null }]);
});
