import { describe, expect, it } from "vitest";
import { rowsFromTraces } from "../../support/encoding.ts";
import { ANSWER, type Message, message, type Part, picture, THOUGHT, text, toolCall } from "../../support/openai-cases.ts";
import { recording, recordingsOf } from "../../support/recordings.ts";
import { toldBy } from "../../support/told.ts";

type Row = Record<string, unknown>;

/** One call that a case of the AI SDK made, and what the provider answered to it. */
interface Call {
  readonly model: string;
  readonly answeredBy: string;
  readonly system?: string;
  readonly prompt: readonly Message[];
  readonly answer: readonly Part[];
  readonly finish: string;
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
  readonly tools: boolean;
  readonly settings: Row;
}

const user = (...parts: Part[]): Message => message("user", ...parts);
const call = (more: Partial<Call>): Call => ({
  model: "gpt-4o-mini",
  answeredBy: "gpt-4o-mini-2024-07-18",
  prompt: [user(text("Define fox"))],
  answer: [ANSWER],
  finish: "stop",
  input: 10,
  output: 18,
  reasoning: 0,
  tools: false,
  settings: {},
  ...more,
});

const thinking = call({
  model: "gpt-5-nano",
  answeredBy: "gpt-5-nano-2025-08-07",
  answer: [THOUGHT, ANSWER],
  input: 18,
  output: 287,
  reasoning: 192,
});
const object = call({
  prompt: [user(text("Give a thing"))],
  answer: [text('{"name":"Fox","count":3,"tags":["a","b"]}')],
  input: 11,
  output: 14,
});
const RESULT = { city: "Utrecht", temp: 12 };

/** A question that needs the weather: the first answer asks for it, the second has it. */
function twoSteps(question: string, [first, second]: readonly [number, number], more: { result?: unknown; system?: string } = {}): Call[] {
  const { result = RESULT, ...rest } = more;
  const asked = user(text(question));
  const told = message("tool", { type: "tool_call_response", id: expect.stringMatching(/^call-fake/), response: result });
  return [
    call({ ...rest, tools: true, prompt: [asked], answer: [toolCall()], finish: "tool_call", input: first, output: 34 }),
    call({ ...rest, tools: true, prompt: [asked, message("assistant", toolCall()), told], input: second }),
  ];
}

/** The cases whose calls were answered, by name. */
const ANSWERED: Readonly<Record<string, readonly Call[]>> = {
  generateText: [
    call({
      system: "You are terse",
      input: 21,
      settings: {
        model_temperature: 0.7,
        model_max_tokens: 200,
        model_top_p: 0.9,
        model_frequency_penalty: 0.1,
        model_presence_penalty: 0.2,
        model_stop_sequences: ["END"],
      },
    }),
  ],
  "generateText-responses": [thinking],
  "streamText-responses": [thinking],
  "generateText-tools-multistep": twoSteps("Weather in Utrecht?", [13, 83]),
  "generateText-tool-error": twoSteps("Weather in Utrecht?", [13, 84], { result: "Error: tool exploded" }),
  "streamText-tools": twoSteps("Weather?", [10, 80]),
  agent: twoSteps("Weather?", [20, 91], { system: "Be an agent" }),
  streamText: [call({})],
  generateObject: [object],
  "generateText-output": [object],
  "generateText-429-retry-ok": [call({ model: "fake-429-then-ok", answeredBy: "fake-429-then-ok", prompt: [user(text("x"))], input: 8 })],
  "generateText-image-input": [call({ prompt: [user(text("what"), picture(70))], input: 56 })],
  "generateText-norecord": [call({ prompt: [], answer: [], input: 9 })],
};

const SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { city: { type: "string" }, unit: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const TOOLS = [{ type: "function", name: "get_weather", description: "weather", inputSchema: SCHEMA }];

/** What both kinds of its spans tell of a call. */
function answered(each: Call): Row {
  const recorded = each.answer.length > 0;
  const thought = each.answer.find(({ type }) => type === "reasoning");
  return {
    operation_name: "chat",
    provider_name: "openai",
    model_name: each.model,
    ...each.settings,
    ...(each.tools ? { tool_definitions: TOOLS } : {}),
    response_model: each.answeredBy,
    ...(recorded
      ? {
          prompt_full_text: each.prompt,
          prompt_format: "messages",
          response_full_text: [{ ...message("assistant", ...each.answer), finish_reason: each.finish }],
          response_format: "messages",
        }
      : {}),
    ...(thought === undefined ? {} : { reasoning_content: thought["content"] }),
    tokens_prompt: each.input,
    tokens_completion: each.output,
    tokens_total: each.input + each.output,
    tokens_cache_read: 0,
    response_finish_reason: each.finish,
    response_id: expect.stringMatching(each.model === "gpt-5-nano" ? /^resp-fake/ : /^chatcmpl-fake/),
    generation_status: "success",
    content_state: recorded ? "captured" : "absent",
  };
}

/** A call without an answer. */
const unanswered = (model: string, question: string, more: Row): Row => ({
  operation_name: "chat",
  provider_name: "openai",
  model_name: model,
  prompt_full_text: [user(text(question))],
  prompt_format: "messages",
  generation_status: "failed",
  content_state: "captured",
  ...more,
});
const error = (type: string, said: string): Row => ({
  error_type: type,
  error_message: said,
  error_traceback: expect.stringContaining(`${type}: ${said}`),
});
const RETRIED = "Failed after 2 attempts. Last error: AI_APICallError: The server had an error while processing your request";
const UNANSWERED: Readonly<Record<string, Row>> = {
  "generateText-400": unanswered("fake-400", "x", error("AI_APICallError", "Invalid value for 'temperature'")),
  "generateText-500": unanswered("fake-500", "x", { ...error("AI_RetryError", RETRIED), attempts_count: 2 }),
  "generateText-timeout": unanswered("fake-timeout", "x", {
    ...error("TimeoutError", "The operation was aborted due to timeout"),
    generation_status: "timeout",
  }),
  "streamText-abort": unanswered("gpt-4o-mini", "Define fox", { error_type: "aborted" }),
};

const embedding = (input: number, more: Row): Row => ({
  operation_name: "embeddings",
  provider_name: "openai",
  model_name: "text-embedding-3-small",
  tokens_prompt: input,
  tokens_total: input,
  generation_status: "success",
  ...more,
});

const namesOf = (client: string): string[] => recordingsOf(client).map(({ name }) => name);
const expectCases = (client: string, cases: object): void => expect(namesOf(client).toSorted()).toEqual(Object.keys(cases).toSorted());

describe("every body of the AI SDK's own attributes", () => {
  const context = { requestId: "req_1", promptVersion: "2.1" };
  /** The system prompt stands among the messages; every call but that for an object names how tools may be chosen. */
  const own = (name: string, row: Row, each?: Call): Row => ({
    ...row,
    dialect: "vercel-ai",
    ...(each === undefined ? {} : { tokens_reasoning: each.reasoning }),
    ...(each?.system === undefined ? {} : { prompt_full_text: [message("system", text(each.system)), ...each.prompt] }),
    ...(name === "generateText" ? { model_seed: 7 } : {}),
    ...(["generateObject", "generateText-norecord", "embed", "embedMany"].includes(name)
      ? {}
      : { model_parameters: { tool_choice: { type: "auto" } } }),
    additional_metadata: { ...(name === "agent" || name === "generateObject" ? {} : context), function_id: "define-term" },
  });
  const cases: Readonly<Record<string, readonly Row[]>> = {
    ...Object.fromEntries(Object.entries(ANSWERED).map(([name, calls]) => [name, calls.map((each) => own(name, answered(each), each))])),
    ...Object.fromEntries(Object.entries(UNANSWERED).map(([name, row]) => [name, [own(name, row)]])),
    embed: [own("embed", embedding(2, { prompt_full_text: "a", prompt_format: "text", content_state: "captured" }))],
    embedMany: [own("embedMany", embedding(3, { prompt_full_text: ["a", "b"], prompt_format: "text", content_state: "captured" }))],
  };

  it("has its case", () => expectCases("vercel-legacy", cases));

  it.each(Object.entries(cases))("%s says what was asked and answered, and nothing else", (name, rows) => {
    expect(toldBy("vercel-legacy", name)).toEqual(rows);
  });

  it("the time to the first token, which it tells in milliseconds, and the time of the answer are there", () => {
    const [row] = rowsFromTraces(recording("vercel-legacy", "streamText").body).generations;
    expect(row?.["time_to_first_token_ms"]).toBeCloseTo(10.085853, 5);
    expect(row?.["response_created_at"]).toBe(1_795_213_527);
  });
});

describe("every body of its spans after the conventions", () => {
  const own = (name: string, row: Row, each?: Call): Row => ({
    ...row,
    dialect: "semconv",
    ...(each?.system === undefined ? {} : { system_instructions: [text(each.system)] }),
    ...(name === "generateObject" ? { model_parameters: { "output.type": "json" } } : {}),
  });
  /** It loses the type of a picture. */
  const untyped = [user(text("what"), { ...picture(70), mime_type: null })];
  /** An embedding is told twice, the counts by the outer span; both become one call once they are in the database. */
  const twice = (input: number): Row[] => [
    own("embed", embedding(input, { content_state: "absent" })),
    own("embed", {
      operation_name: "embeddings",
      provider_name: "openai",
      model_name: "text-embedding-3-small",
      generation_status: "success",
      content_state: "absent",
    }),
  ];
  const cases: Readonly<Record<string, readonly Row[]>> = {
    ...Object.fromEntries(
      Object.entries({ ...ANSWERED, "generateText-image-input": [call({ prompt: untyped, input: 56 })] }).map(([name, calls]) => [
        name,
        calls.map((each) => own(name, answered(each), each)),
      ]),
    ),
    ...Object.fromEntries(Object.entries(UNANSWERED).map(([name, row]) => [name, [own(name, row)]])),
    embed: twice(2),
    embedMany: twice(3),
  };

  it("has its case", () => expectCases("vercel-otel", cases));

  it.each(Object.entries(cases))("%s says what was asked and answered, and nothing else", (name, rows) => {
    expect(toldBy("vercel-otel", name)).toEqual(rows);
  });

  it.each([
    ["wire-vercel-gzip-proto", ["streamText", "streamText-abort", "streamText-responses", "streamText-tools"]],
    ["wire-vercel-grpc", ["generateText-tools-multistep"]],
  ])("%s says the same over another wire", (client, names) => {
    expect(namesOf(client).toSorted()).toEqual(names);
    for (const name of names) expect(toldBy(client, name)).toEqual(cases[name]);
  });

  it("content that its sender cut keeps its text and says so", () => {
    expect(namesOf("wire-vercel-attrlimit60")).toEqual(["generateText-tools-multistep"]);
    const cut = (whole: Row, said: string): Row => ({
      ...whole,
      tool_definitions: '[{"type":"function","name":"get_weather","inputSchema":{"$sc',
      prompt_full_text: '[{"role":"user","parts":[{"type":"text","content":"Weather i',
      prompt_format: "text",
      response_full_text: said,
      response_format: "text",
      content_state: "truncated",
    });
    const [first, second] = cases["generateText-tools-multistep"] as [Row, Row];
    expect(toldBy("wire-vercel-attrlimit60", "generateText-tools-multistep")).toEqual([
      cut(first, '[{"role":"assistant","parts":[{"type":"tool_call","id":"call'),
      cut(second, '[{"role":"assistant","parts":[{"type":"text","content":"The '),
    ]);
  });
});
