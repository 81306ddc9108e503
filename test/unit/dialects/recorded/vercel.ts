import { type Message, message, picture, text } from "../../../support/openai-cases.ts";
import { type ClientCases, calls, type Row } from "./client-cases.ts";
import { ANSWERED, answered, type Call, call, embedding, UNANSWERED, user } from "./vercel-calls.ts";

const VERSIONS = "ai 7.0.173, @ai-sdk/otel 1.0.173";

/** The rows of every case by one rule. */
const rowsBy = (
  answeredCases: Readonly<Record<string, readonly Call[]>>,
  own: (name: string, row: Row, each?: Call) => Row,
): Record<string, readonly Row[]> => ({
  ...Object.fromEntries(Object.entries(answeredCases).map(([name, each]) => [name, each.map((one) => own(name, answered(one), one))])),
  ...Object.fromEntries(Object.entries(UNANSWERED).map(([name, row]) => [name, [own(name, row)]])),
});
const bodiesOf = (rows: Readonly<Record<string, readonly Row[]>>): ClientCases["bodies"] =>
  Object.fromEntries(Object.entries(rows).map(([name, each]) => [name, calls(...each)]));

const CONTEXT = { requestId: "req_1", promptVersion: "2.1" };
const WITHOUT_CHOICE = ["generateObject", "generateText-norecord", "embed", "embedMany"];

/** In its own attributes the system prompt stands among the messages; every call but that for an object names how tools may be chosen. */
const legacy = (name: string, row: Row, each?: Call): Row => ({
  ...row,
  dialect: "vercel-ai",
  ...(each === undefined ? {} : { tokens_reasoning: each.reasoning }),
  ...(each?.system === undefined ? {} : { prompt_full_text: [message("system", text(each.system)), ...each.prompt] }),
  ...(name === "generateText" ? { model_seed: 7 } : {}),
  ...(WITHOUT_CHOICE.includes(name) ? {} : { model_parameters: { tool_choice: { type: "auto" } } }),
  additional_metadata: { ...(name === "agent" || name === "generateObject" ? {} : CONTEXT), function_id: "define-term" },
});
const texts = (prompt: unknown): Row => ({ prompt_full_text: prompt, prompt_format: "text", content_state: "captured" });

export const VERCEL_LEGACY: ClientCases = {
  client: "vercel-legacy",
  instrumentation: `${VERSIONS} (LegacyOpenTelemetry)`,
  bodies: bodiesOf({
    ...rowsBy(ANSWERED, legacy),
    embed: [legacy("embed", embedding(2, texts("a")))],
    embedMany: [legacy("embedMany", embedding(3, texts(["a", "b"])))],
  }),
};

/** Its spans after the conventions. */
const current = (name: string, row: Row, each?: Call): Row => ({
  ...row,
  dialect: "semconv",
  ...(each?.system === undefined ? {} : { system_instructions: [text(each.system)] }),
  ...(name === "generateObject" ? { model_parameters: { "output.type": "json" } } : {}),
});
/** It loses the type of a picture. */
const untyped: readonly Message[] = [user(text("what"), { ...picture(70), mime_type: null })];
/** An embedding is told twice, the counts by the outer span; both become one call once they are in the database. */
const twice = (input: number): Row[] => [
  current("embed", embedding(input, { content_state: "absent" })),
  current("embed", {
    operation_name: "embeddings",
    provider_name: "openai",
    model_name: "text-embedding-3-small",
    generation_status: "success",
    content_state: "absent",
  }),
];
const CURRENT: Readonly<Record<string, readonly Row[]>> = {
  ...rowsBy({ ...ANSWERED, "generateText-image-input": [call({ prompt: untyped, input: 56 })] }, current),
  embed: twice(2),
  embedMany: twice(3),
};

export const VERCEL_OTEL: ClientCases = {
  client: "vercel-otel",
  instrumentation: `${VERSIONS} (OpenTelemetry)`,
  bodies: bodiesOf(CURRENT),
};

/** The same cases over other wires. */
const overWire = (client: string, wire: string, names: readonly string[]): ClientCases => ({
  client,
  instrumentation: `${VERSIONS} (OpenTelemetry), ${wire}`,
  bodies: bodiesOf(Object.fromEntries(names.map((name) => [name, CURRENT[name]!]))),
});
export const VERCEL_GZIP = overWire("wire-vercel-gzip-proto", "gzip", [
  "streamText",
  "streamText-abort",
  "streamText-responses",
  "streamText-tools",
]);
export const VERCEL_GRPC = overWire("wire-vercel-grpc", "gRPC", ["generateText-tools-multistep"]);

const cut = (whole: Row | undefined, said: string): Row => ({
  ...whole,
  tool_definitions: '[{"type":"function","name":"get_weather","inputSchema":{"$sc',
  prompt_full_text: '[{"role":"user","parts":[{"type":"text","content":"Weather i',
  prompt_format: "text",
  response_full_text: said,
  response_format: "text",
  content_state: "truncated",
});
const [first, second] = CURRENT["generateText-tools-multistep"]!;

/** Content that its sender cut keeps its text and says so. */
export const VERCEL_CUT: ClientCases = {
  client: "wire-vercel-attrlimit60",
  instrumentation: `${VERSIONS} (OpenTelemetry), attributes cut at 60 characters`,
  bodies: {
    "generateText-tools-multistep": calls(
      cut(first, '[{"role":"assistant","parts":[{"type":"tool_call","id":"call'),
      cut(second, '[{"role":"assistant","parts":[{"type":"text","content":"The '),
    ),
  },
};
