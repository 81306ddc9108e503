import { describe, expect, it } from "vitest";
import type { LogEvent } from "../../../collector/refinement/facts.ts";
import { contentFromEvents } from "../../../collector/refinement/log-content.ts";

type Told = Partial<Pick<LogEvent, "body" | "attributes">>;

const event = (name: string, { body = null, attributes = {} }: Told): LogEvent => ({
  id: "",
  spanId: "",
  name: `gen_ai.${name}`,
  body,
  attributes,
  redacted: false,
});
const json = (value: unknown): string => JSON.stringify(value);
const opened = (text: string | undefined): unknown => (text === undefined ? undefined : (JSON.parse(text) as unknown));
const prompt = (...events: readonly LogEvent[]): unknown => opened(contentFromEvents(events).prompt?.["prompt_full_text"]);
const response = (...events: readonly LogEvent[]): unknown => opened(contentFromEvents(events).response?.["response_full_text"]);
const text = (content: string) => ({ type: "text", content });
const user = (content: string) => [{ role: "user", parts: [text(content)] }];

describe("the message of a log event", () => {
  it.each<[string, Told]>([
    ["a structured body", { body: { content: "Hi" } }],
    ["a body that is JSON text", { body: json({ role: "user", content: "Hi" }) }],
    ["a body that is JSON text within JSON text", { body: json(json({ content: "Hi" })) }],
    ["a body of pieces as JSON text", { body: json([{ type: "text", text: "Hi" }]) }],
    ["a plain body", { body: "Hi" }],
    ["an attribute with its text", { attributes: { content: "Hi", role: "user" } }],
    ["an attribute with its pieces as JSON text", { attributes: { content: json([{ text: "Hi" }]) } }],
    ["an attribute with its parts", { attributes: { parts: [text("Hi")] } }],
    ["one attribute with all of it as JSON text", { attributes: { "gen_ai.event.content": json({ content: "Hi" }) } }],
    ["one structured attribute with all of it", { attributes: { "gen_ai.event.content": { content: "Hi" } } }],
    ["one attribute with its plain text", { attributes: { "gen_ai.event.content": "Hi" } }],
    ["attributes beside an empty body", { body: {}, attributes: { content: "Hi" } }],
    ["attributes beside a body that repeats the event's name", { body: "gen_ai.user.message", attributes: { content: "Hi" } }],
    ["attributes beside a body with the role alone", { body: { role: "user" }, attributes: { content: "Hi" } }],
    ["a plain body beside attributes with the role alone", { body: "Hi", attributes: { role: "user" } }],
  ])("is read from %s", (_, told) => {
    expect(prompt(event("user.message", told))).toEqual(user("Hi"));
  });

  it.each(['{"answer": 4}', "[1, 2]", '"Hi"', '{"content": ', "null"])("that is the text %s stays that text", (said) => {
    expect(prompt(event("user.message", { body: said }))).toEqual(user(said));
    expect(prompt(event("user.message", { body: { content: said } }))).toEqual(user(said));
    expect(prompt(event("user.message", { attributes: { content: said } }))).toEqual(user(said));
  });

  it("may be several in one", () => {
    const messages = [{ role: "system", content: "Be kind" }, ...[{ role: "user", content: "Hi" }]];
    expect(prompt(event("user.message", { attributes: { "gen_ai.event.content": json(messages) } }))).toEqual([
      { role: "system", parts: [text("Be kind")] },
      ...user("Hi"),
    ]);
  });

  it("of a tool is its result, whichever way it is told", () => {
    const expected = [{ role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "21 °C" }] }];
    expect(prompt(event("tool.message", { attributes: { id: "c1", content: "21 °C" } }))).toEqual(expected);
    expect(prompt(event("tool.message", { body: json({ id: "c1", content: "21 °C" }) }))).toEqual(expected);
  });

  it("is none where nothing was captured", () => {
    expect(contentFromEvents([event("user.message", {}), event("assistant.message", { attributes: { role: "assistant" } })])).toEqual({});
  });
});

describe("the choice of a log event", () => {
  const calls = [{ id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Bonn"}' } }];
  const called = { type: "tool_call", id: "c1", name: "weather", arguments: { city: "Bonn" } };

  it.each<[string, Told]>([
    ["a structured body", { body: { finish_reason: "stop", message: { content: "Ho" } } }],
    ["a body that is JSON text", { body: json({ index: 0, finish_reason: "stop", message: { content: "Ho" } }) }],
    ["a body whose message is JSON text", { body: { finish_reason: "stop", message: json({ content: "Ho" }) } }],
    ["attributes with the message as JSON text", { attributes: { index: 0, finish_reason: "stop", message: json({ content: "Ho" }) } }],
    ["attributes with pieces as JSON text", { attributes: { finish_reason: "stop", message: json([{ text: "Ho" }]) } }],
    ["attributes with the text itself", { attributes: { finish_reason: "stop", content: "Ho" } }],
    ["one attribute as JSON text", { attributes: { "gen_ai.event.content": json({ finish_reason: "stop", message: { content: "Ho" } }) } }],
  ])("is read from %s", (_, told) => {
    const events = [event("choice", told)];
    expect(response(...events)).toEqual([{ role: "assistant", parts: [text("Ho")], finish_reason: "stop" }]);
    expect(contentFromEvents(events).finish_reason).toEqual({ response_finish_reason: "stop" });
  });

  it.each<[string, Told]>([
    ["within its message", { body: { finish_reason: "tool_calls", message: { tool_calls: calls } } }],
    ["beside its message", { body: { finish_reason: "tool_calls", message: { role: "assistant" }, tool_calls: calls } }],
    ["in an attribute as JSON text", { attributes: { finish_reason: "tool_calls", tool_calls: json(calls) } }],
  ])("has the calls of tools told %s", (_, told) => {
    expect(response(event("choice", told))).toEqual([{ role: "assistant", parts: [called], finish_reason: "tool_call" }]);
  });
});

describe("an event with everything", () => {
  const details = {
    "gen_ai.input.messages": user("Hi"),
    "gen_ai.output.messages": [{ role: "assistant", parts: [text("Ho")] }],
    "gen_ai.system_instructions": [text("Be kind")],
    "gen_ai.tool.definitions": [{ name: "weather" }],
    "gen_ai.response.finish_reasons": ["tool_calls"],
  };
  const asText = Object.fromEntries(Object.entries(details).map(([key, value]) => [key, json(value)]));
  const expected = {
    prompt: { prompt_full_text: json(details["gen_ai.input.messages"]), prompt_format: "messages" },
    response: { response_full_text: json(details["gen_ai.output.messages"]), response_format: "messages" },
    system_instructions: { system_instructions: json([text("Be kind")]) },
    tool_definitions: { tool_definitions: json([{ name: "weather" }]) },
    finish_reason: { response_finish_reason: "tool_call" },
  };

  it.each<[string, Told]>([
    ["structured attributes", { attributes: details }],
    ["attributes of JSON text", { attributes: asText }],
    ["a structured body", { body: details }],
    ["a body that is JSON text", { body: json(details) }],
  ])("is read from %s", (_, told) => {
    expect(contentFromEvents([event("client.inference.operation.details", told)])).toEqual(expected);
  });

  it.each<[string, Told, Told]>([
    [
      "attributes",
      { attributes: { "gen_ai.prompt": json([{ role: "user", content: "Hi" }]) } },
      { attributes: { "gen_ai.completion": "Ho" } },
    ],
    ["bodies", { body: "Hi" }, { body: json([{ role: "assistant", content: "Ho" }]) }],
  ])("of v1.26 is read from %s", (_, input, output) => {
    const events = [event("content.prompt", input), event("content.completion", output)];
    expect(prompt(...events)).toEqual(user("Hi"));
    expect(response(...events)).toEqual([{ role: "assistant", parts: [text("Ho")] }]);
  });
});
