import { describe, expect, it } from "vitest";
import type { Signal } from "../../../collector/base/signal.ts";
import { factsIn, hasContentBody, isContentName, mayBeContent } from "../../../collector/dialects/content-names.ts";
import { DIALECTS } from "../../../collector/dialects/index.ts";
import { CONCEPTS, type Concept } from "../../../collector/model/concept.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { createContentRemover } from "../../../collector/processors/content-removal.ts";
import { createRedactor } from "../../../collector/processors/redaction.ts";
import { atOnce } from "../../../collector/processors/steps.ts";
import { encodeBody, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { any, keyValue, lengthField, span, tracesRequest, varint } from "../../support/wire-builder.ts";

const NAMES = { isContentName, hasContentBody, mayBeContent, factsIn };
const removerOf = (allow: readonly string[]) => (body: Buffer, signal: Signal) => atOnce(createContentRemover(NAMES, allow)(body, signal));
const remove = removerOf([]);
const SAID = "what a person said to the model";

const CONTENT: readonly Concept[] = [
  "inputMessages",
  "outputMessages",
  "systemInstructions",
  "toolDefinitions",
  "legacyPrompt",
  "legacyCompletion",
  "promptModules",
];

describe("names of content", () => {
  it("are those of the content concepts of every dialect, and of no other concept", () => {
    const namesOf = (concepts: readonly Concept[]): string[] =>
      concepts.flatMap((concept) => DIALECTS.flatMap((dialect) => dialect.sources[concept] ?? []));
    expect(namesOf(CONTENT).filter((name) => !isContentName(name))).toEqual([]);
    // Counts of tokens may have such a name: numbers are left alone.
    const others = namesOf(CONCEPTS.filter((concept) => !CONTENT.includes(concept))).filter(
      (name) => !/tokens?(?:_|\b)|token_count/.test(name),
    );
    expect(others.filter((name) => isContentName(name))).toEqual([]);
  });

  it.each([
    "model_request_parameters",
    "mlflow.chat.tools",
    "tool.parameters",
    "gen_ai.evaluation.explanation",
    "llm.function_call",
    "crew_tasks",
  ])("%s may hold definitions, instructions or what was said, and is one", (name) => expect(isContentName(name)).toBe(true));

  it.each([
    "exception.message",
    "http.route",
    "db.query.text",
    "gen_ai.usage.input_tokens",
    "gen_ai.output.type",
    "message",
    "service.name",
  ])("%s is none", (name) => expect(isContentName(name)).toBe(false));
});

describe("capture_content: false", () => {
  const chat = { "gen_ai.operation.name": any.string("chat"), "gen_ai.request.model": any.string("m") };
  const requestOf = (attributes: Readonly<Record<string, Buffer>>, more: readonly Buffer[] = []): Buffer =>
    tracesRequest([span({ attributes: Object.entries(attributes).map(([key, value]) => keyValue(key, value)), more })]);

  it.each([
    ["a text", any.string(SAID)],
    ["a text of 100 KB", any.string(`${SAID} ${"x".repeat(100_000)}`)],
    ["a text at the limit of a short length", any.string(SAID.padEnd(126, "."))],
    ["a text above it", any.string(SAID.padEnd(127, "."))],
    ["a structure", any.array(any.map({ role: any.string("user"), content: any.string(SAID) }))],
    ["bytes", lengthField(7, SAID)],
  ])("%s is emptied in place, and the rest of the span stays", (_, value) => {
    const body = requestOf({ ...chat, "gen_ai.input.messages": value, "gen_ai.usage.input_tokens": any.int(13), zone: any.string("eu") });
    const { length } = body;
    expect(remove(body, "traces")).toBe(1);
    expect([body.length, body.includes(SAID)]).toEqual([length, false]);
    const { spans, generations } = rowsFromTraces(body);
    expect(spans).toMatchObject([{ attributes: { zone: "eu", "gen_ai.input.messages": null } }]);
    expect(generations).toMatchObject([{ tokens_prompt: 13, model_name: "m", prompt_full_text: null, content_state: "redacted" }]);
  });

  it.each([
    "lk.user_transcript",
    "lk.response.text",
    "gcp.vertex.agent.tool_call_args",
    "flue.task.prompt",
    "mastra.model_generation.input",
  ])("one word in %s is content like any other", (name) => {
    const bytes = requestOf({ ...chat, [name]: any.string("hunter2") });
    expect(remove(bytes, "traces")).toBe(1);
    expect(bytes.includes("hunter2")).toBe(false);
  });

  it.each(["gen_ai.request.reasoning", "llm.invocation_parameters.thinking", "lk.interrupted"])("one word in %s is a setting", (name) => {
    const bytes = requestOf({ ...chat, [name]: any.string("high") });
    expect(remove(bytes, "traces")).toBe(0);
    expect(bytes.includes("high")).toBe(true);
  });

  it("a number under such a name stays: a count is no content", () => {
    const body = requestOf({ ...chat, "llm.token_count.completion": any.int(7) });
    expect(remove(body, "traces")).toBe(0);
    expect(rowsFromTraces(body).spans).toMatchObject([{ attributes: { "llm.token_count.completion": 7 } }]);
  });

  it("a call whose messages stood in events alone says that they were taken out", () => {
    const attributes = [keyValue("gen_ai.event.content", any.string('{"role":"user","content":"hunter2"}'))];
    const event = Buffer.concat([lengthField(2, "gen_ai.user.message"), ...attributes.map((each) => lengthField(3, each))]);
    const bytes = requestOf(chat, [lengthField(11, event)]);
    remove(bytes, "traces");
    const [call] = rowsFromTraces(bytes).generations;
    expect(call).toMatchObject({ content_state: "redacted" });
    expect(String(call?.["prompt_full_text"])).not.toContain("null");
  });

  it("events lose their messages, too", () => {
    const event = lengthField(11, lengthField(2, "gen_ai.choice"), lengthField(3, keyValue("message", any.string(SAID))));
    const other = lengthField(11, lengthField(2, "exception"), lengthField(3, keyValue("exception.message", any.string("out of memory"))));
    const body = requestOf(chat, [event, other]);
    expect(remove(body, "traces")).toBe(1);
    expect(body.includes(SAID)).toBe(false);
    expect(JSON.stringify(rowsFromTraces(body).spans[0]?.["events"])).toContain("out of memory");
  });

  it.each([
    ["by its field", { eventName: "gen_ai.user.message" }, []],
    ["by its attribute", {}, [{ key: "event.name", value: { stringValue: "gen_ai.user.message" } }]],
  ])("the body of a log record that is an event of the conventions is emptied, %s", (_, field, attributes) => {
    const record = (change: object) => ({ timeUnixNano: "1763676000000000000", ...change });
    const json = {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                record({ ...field, attributes, body: { kvlistValue: { values: [{ key: "content", value: { stringValue: SAID } }] } } }),
                record({ body: { stringValue: "an ordinary line" } }),
              ],
            },
          ],
        },
      ],
    };
    const body = transcodeJson(Buffer.from(JSON.stringify(json)), "logs");
    expect(remove(body, "logs")).toBe(1);
    expect(body.includes(SAID)).toBe(false);
    expect(rowsOf(encodeBody(body, "logs"), "log_records")).toMatchObject([{ body: null }, { body: "an ordinary line" }]);
  });

  it.each([
    ["api_request_body", "body"],
    ["claude_code.api_response_body", "body"],
    ["user_prompt", "prompt"],
    ["assistant_response", "response"],
    ["tool_result", "tool_input"],
  ])("what Claude Code tells in %s goes", (name, attribute) => {
    const logRecords = [
      {
        timeUnixNano: "1763676000000000000",
        body: { stringValue: "claude_code.event" },
        attributes: [
          { key: "event.name", value: { stringValue: name } },
          { key: attribute, value: { stringValue: SAID } },
        ],
      },
    ];
    const body = transcodeJson(Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })), "logs");
    expect(remove(body, "logs")).toBe(1);
    expect(body.includes(SAID)).toBe(false);
  });

  it("attributes under allow stay, and secrets in them are not looked for", () => {
    const secret = `AKIA${"IOSFODNN7EXAMPLE"}`;
    const allow = ["gen_ai.tool.definitions"];
    const body = requestOf({ "gen_ai.tool.definitions": any.array(any.string(`${SAID} ${secret}`)), other: any.string(secret) });
    expect(removerOf(allow)(body, "traces")).toBe(0);
    expect([...createRedactor({ secrets: true, pii: [], patterns: [{ name: "said", regex: "person" }], allow })(body, "traces")]).toEqual([
      ["aws", 1],
    ]);
    expect(rowsFromTraces(body).spans).toMatchObject([{ attributes: { "gen_ai.tool.definitions": [`${SAID} ${secret}`] } }]);
  });

  it("what breaks off is wiped, since it is kept as it came", () => {
    const cut = Buffer.concat([varint((9 << 3) | 2), varint(100_000), keyValue("gen_ai.input.messages", any.string(SAID))]);
    const body = tracesRequest([span({ more: [cut] }), span({ attributes: [keyValue("gen_ai.input.messages", any.string(SAID))] })]);
    remove(body, "traces");
    expect(body.includes(SAID)).toBe(false);
    expect(rowsFromTraces(body).request.refusedItems).toHaveLength(1);
  });
});

describe("a request or an answer as JSON without its content", () => {
  const settings = { model: "gpt-4o-mini", temperature: 0.2, max_tokens: 7, stream: false, reasoning: { effort: "low", summary: SAID } };
  const said = {
    messages: [{ role: "user", content: SAID }],
    input: SAID,
    prompt: SAID,
    system: SAID,
    stop: [SAID],
    tools: [{ name: "f", description: SAID }],
    metadata: { note: SAID },
    service_tier: SAID,
    customer_balance: 1234,
  };
  const openinference = (name: string, value: Buffer): Buffer =>
    tracesRequest([
      span({
        attributes: [keyValue("openinference.span.kind", any.string("LLM")), keyValue(name, value), keyValue("zone", any.string("eu"))],
      }),
    ]);
  const cleaned = (body: Buffer) => {
    const { length } = body;
    expect(remove(body, "traces")).toBe(1);
    expect([body.length, body.includes(SAID), body.includes("customer_balance")]).toEqual([length, false, false]);
    const { spans, generations } = rowsFromTraces(body);
    expect(spans).toMatchObject([{ attributes: { zone: "eu" } }]);
    return { attributes: spans[0]?.["attributes"] as Record<string, unknown>, call: generations[0] };
  };

  it.each([
    ["as text", (json: string) => json],
    ["as text within text", (json: string) => JSON.stringify(json)],
    ["behind blanks", (json: string) => ` \n${json}`],
  ])("keeps the model and its settings, and nothing else, %s", (_, write) => {
    const json = JSON.stringify({ ...said, ...settings });
    const { attributes, call } = cleaned(openinference("llm.invocation_parameters", any.string(write(json))));
    expect(JSON.parse(String(attributes["llm.invocation_parameters"]))).toEqual({
      redacted: true,
      ...settings,
      reasoning: { effort: "low" },
    });
    expect(call).toMatchObject({
      model_name: "gpt-4o-mini",
      model_temperature: 0.2,
      model_max_tokens: 7,
      model_reasoning_level: "low",
      content_state: "redacted",
    });
    expect(call?.["model_parameters"]).toEqual({ stream: false, reasoning: { effort: "low" } });
  });

  it.each([
    ["cut off", any.string(`{"model":"m","messages":[{"content":"${SAID}`)],
    ["a list", any.string(JSON.stringify([said]))],
    ["plain text", any.string(SAID)],
    ["a structure", any.map({ model: any.string("m"), system: any.string(SAID) })],
    ["a number that grows when it is written again", any.string(`{"seed":1e20,"x":"${"y".repeat(9)}"}`)],
  ])("is emptied where it is %s", (_, value) => {
    const { attributes } = cleaned(openinference("llm.invocation_parameters", value));
    expect(attributes["llm.invocation_parameters"]).toBeNull();
  });

  it("fits whatever is left over, and stays readable", () => {
    for (let more = 0; more < 300; more++) {
      const json = JSON.stringify({ seed: 1, system: SAID.padEnd(SAID.length + more, ".") });
      const { attributes } = cleaned(openinference("llm.invocation_parameters", any.string(json)));
      expect(JSON.parse(String(attributes["llm.invocation_parameters"]))).toEqual({ redacted: true, seed: 1 });
    }
    for (let length = 0; length < 40; length++) {
      const body = openinference("llm.invocation_parameters", any.string(`{"n":1,"x":"${"y".repeat(length)}"}`));
      remove(body, "traces");
      const kept = rowsFromTraces(body).spans[0]?.["attributes"] as Record<string, unknown>;
      expect([null, '{"redacted":true,"n":1}', '{"redacted":true,"n":1} ']).toContain(kept["llm.invocation_parameters"]);
    }
  });

  it.each([
    ["gen_ai.request.service_tier", "flex", true],
    ["gen_ai.request.model", "a model with a long name", true],
    ["gen_ai.request.structured_output_schema", JSON.stringify({ description: SAID }), false],
    ["llm.invocation_parameters.system", SAID, false],
    ["gen_ai.request.extra_query", SAID, false],
    ["llm.openai.system", SAID, false],
    ["llm.system", "openai", true],
    ["crewai.task.description", SAID, false],
    ["crewai.agent.role", "Senior writer of guides", true],
    ["gen_ai.guardrail.reason", SAID, false],
    ["haystack.component.name", "my first component", true],
    ["lk.agent_state", "speaking", true],
    ["llm.token_count.completion", "14", true],
    ["llm.token_count.completion", SAID, false],
  ])("%s with %s stays: %s", (name, text, stays) => {
    const body = openinference(name, any.string(text));
    expect(remove(body, "traces")).toBe(stays ? 0 : 1);
    expect(body.includes(text)).toBe(stays);
  });

  it("counts of an answer stay: a call without content costs what it costs", () => {
    const usage = { inputTokens: 11, outputTokens: 3, totalTokens: 14 };
    const genkit = (output: object) =>
      tracesRequest([
        span({
          attributes: [
            keyValue("genkit:type", any.string("action")),
            keyValue("genkit:metadata:subtype", any.string("model")),
            keyValue("genkit:name", any.string("googleai/gemini-2.5-flash")),
            keyValue("genkit:output", any.string(JSON.stringify(output))),
          ],
        }),
      ]);
    const body = genkit({ message: { role: "model", content: [{ text: SAID }] }, finishReason: "stop", usage });
    remove(body, "traces");
    expect(body.includes(SAID)).toBe(false);
    expect(rowsFromTraces(body).generations).toMatchObject([
      { tokens_prompt: 11, tokens_completion: 3, response_finish_reason: "stop", response_full_text: null, content_state: "redacted" },
    ]);
  });

  it("what a tool gave stands in an event of its own, under any name", () => {
    const event = lengthField(11, lengthField(2, "tool.output"), lengthField(3, keyValue("diff", any.string(SAID))));
    const body = tracesRequest([span({ more: [event] })]);
    expect(remove(body, "traces")).toBe(1);
    expect(body.includes(SAID)).toBe(false);
  });
});
