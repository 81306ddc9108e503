import type { Expected, ExpectedItem } from "./otlp-oracle.ts";
import { type AnyValue, integerOf, jsonOf, textOf, unsignedOf } from "./otlp-oracle-values.ts";

/**
 * Columns of generation_logs for spans that carry nothing but the current conventions, one attribute per concept. What other dialects say of a
 * span is not judged here: tests of theirs do that, body by body.
 */
const TEXT_COLUMNS: Readonly<Record<string, string>> = {
  "gen_ai.operation.name": "operation_name",
  "gen_ai.request.reasoning.level": "model_reasoning_level",
  "gen_ai.response.model": "response_model",
  "gen_ai.response.id": "response_id",
  "gen_ai.conversation.id": "conversation_id",
  "gen_ai.system_instructions": "system_instructions",
  "gen_ai.tool.definitions": "tool_definitions",
};
const NUMBER_COLUMNS: Readonly<Record<string, string>> = {
  "gen_ai.request.temperature": "model_temperature",
  "gen_ai.request.top_p": "model_top_p",
  "gen_ai.request.top_k": "model_top_k",
  "gen_ai.request.frequency_penalty": "model_frequency_penalty",
  "gen_ai.request.presence_penalty": "model_presence_penalty",
};
const MODEL = "gen_ai.request.model";
const PROVIDER = "gen_ai.provider.name";
const SYSTEM = "gen_ai.system";
const OPERATION = "gen_ai.operation.name";
const INPUT_TOKENS = "gen_ai.usage.input_tokens";
const OUTPUT_TOKENS = "gen_ai.usage.output_tokens";
const MAX_TOKENS = "gen_ai.request.max_tokens";
const SEED = "gen_ai.request.seed";
const ERROR_TYPE = "error.type";
const PROMPT = "gen_ai.input.messages";
const RESPONSE = "gen_ai.output.messages";
const FINISH_REASONS = "gen_ai.response.finish_reasons";
const PLAIN: ReadonlySet<string> = new Set([
  ...Object.keys(TEXT_COLUMNS),
  ...Object.keys(NUMBER_COLUMNS),
  MODEL,
  PROVIDER,
  INPUT_TOKENS,
  OUTPUT_TOKENS,
  MAX_TOKENS,
  SEED,
  ERROR_TYPE,
  PROMPT,
  RESPONSE,
  FINISH_REASONS,
  SYSTEM,
]);
/** Names that no dialect looks at. */
const NEUTRAL = /^(x|server|url|network|thread|code)\./;
const NEUTRAL_SCOPE = /^@opentelemetry\//;
/** Attributes of model calls whose columns are not judged here. */
const UNJUDGED: ReadonlySet<string> = new Set(["gen_ai.request.stop_sequences", "gen_ai.request.choice.count", "gen_ai.output.type"]);

const WRAPPERS: ReadonlySet<string> = new Set(["invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "retrieval"]);
const LEAVES: ReadonlySet<string> = new Set(["chat", "text_completion", "generate_content", "embeddings"]);
const PROVIDERS: ReadonlySet<string> = new Set(["openai", "anthropic", "aws.bedrock", "azure.ai.openai", "gcp.gemini", "mistral_ai"]);

/** `undefined`: not judged · `null`: no row · else the columns that are known. */
export function expectedGeneration(item: ExpectedItem): Expected | null | undefined {
  const { attributes, span, row, environment } = item;
  if (span === undefined || row === undefined || (span.events?.length ?? 0) > 0) return undefined;
  const scope = item.scope?.name ?? undefined;
  if (scope !== undefined && !NEUTRAL_SCOPE.test(scope)) return undefined;
  const values = new Map(attributes.list.map(({ key, value }) => [key.text, value]));
  const names = [...values.keys()];
  if (!names.every((name) => PLAIN.has(name) || UNJUDGED.has(name) || NEUTRAL.test(name))) return undefined;
  const operation = stringOf(values.get(OPERATION));
  if (names.every((name) => NEUTRAL.test(name)) || (operation !== undefined && WRAPPERS.has(operation))) return null;
  const model = stringOf(values.get(MODEL));
  if (operation === undefined || !LEAVES.has(operation) || model === undefined || model === "") return undefined;
  return { ...identity(row, environment), ...columns(values), ...usage(values), ...ending(item, values), ...contents(values) };
}

type Values = ReadonlyMap<string, AnyValue>;

const stringOf = (value: AnyValue | undefined): string | undefined =>
  value?.kind === "stringValue" ? textOf(value.stringValue).text : undefined;

/** Text as it is, another value as its JSON; "" is unknown. */
function textColumn(value: AnyValue | undefined): string | null {
  if (value?.kind === undefined || value.kind === "bytesValue") return null;
  return value.kind === "stringValue" ? stringOf(value) || null : jsonOf(value).text;
}

const DECIMAL = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

/** Emitters are liberal: a number may be an int, a double or decimal text (J10). */
function numberColumn(value: AnyValue | undefined): number | null {
  const text = stringOf(value);
  const number =
    value?.kind === "intValue"
      ? Number(integerOf(value.intValue!))
      : value?.kind === "doubleValue"
        ? value.doubleValue!
        : text !== undefined && DECIMAL.test(text)
          ? Number(text)
          : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

const identity = (row: Expected, environment: string | undefined): Expected => ({
  project_id: row["project_id"],
  trace_id: row["trace_id"],
  span_id: row["span_id"],
  start_time: row["start_time"],
  parent_span_id: row["parent_span_id"],
  end_time: row["end_time"],
  service_name: row["service_name"],
  environment: environment ?? null,
  dialect: "semconv",
  logged_at: row["start_time"],
  updated_at: row["end_time"] ?? row["received_at"],
  received_at: row["received_at"],
});

/** Names of models stand in an index, which takes 1,000 bytes. */
function identifier(text: string): string {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, 1_000);
  if (end < bytes.length) while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

function columns(values: Values): Expected {
  const found: Expected = { model_name: identifier(stringOf(values.get(MODEL)) ?? "") };
  for (const [name, column] of Object.entries(TEXT_COLUMNS)) found[column] = textColumn(values.get(name));
  for (const [name, column] of Object.entries(NUMBER_COLUMNS)) found[column] = numberColumn(values.get(name));
  for (const [name, column] of [
    [MAX_TOKENS, "model_max_tokens"],
    [SEED, "model_seed"],
  ] as const) {
    const value = values.get(name);
    if (value?.kind === "intValue") {
      const exact = integerOf(value.intValue!);
      found[column] = name === MAX_TOKENS && exact < 0n ? null : exact;
    } else if (value === undefined) found[column] = null;
  }
  const provider = stringOf(values.get(PROVIDER) ?? values.get(SYSTEM));
  if (provider === undefined || provider === "") found["provider_name"] = null;
  else if (PROVIDERS.has(provider)) found["provider_name"] = provider;
  return found;
}

/** A count that makes sense: whole, from 0 to 2^53 - 1. */
function countOf(value: AnyValue | undefined): number | null {
  const number = numberColumn(value);
  return number === null || number < 0 || number > Number.MAX_SAFE_INTEGER ? null : Math.round(number);
}

function usage(values: Values): Expected {
  const prompt = countOf(values.get(INPUT_TOKENS));
  const completion = countOf(values.get(OUTPUT_TOKENS));
  const total = prompt !== null && completion !== null ? prompt + completion : (prompt ?? completion);
  return {
    tokens_prompt: prompt,
    tokens_completion: completion,
    ...(total !== null && total > 2 ** 53 - 1 ? {} : { tokens_total: total }),
  };
}

/** What a call that still runs cannot tell. */
const SIGN_OF_END = /^(gen_ai\.(response\.(id|finish_reasons)|output\.messages|usage\.(output|completion)_tokens)|error\.type)$/;

function ending({ span, row }: ExpectedItem, values: Values): Expected {
  const start = unsignedOf(span?.startTimeUnixNano);
  const end = unsignedOf(span?.endTimeUnixNano);
  const nanos = row?.["duration_ns"] as bigint | null;
  const code = span?.status?.code ?? 0;
  const type = stringOf(values.get(ERROR_TYPE)) || undefined;
  const failed = code === 2 || type !== undefined;
  const runs = start !== 0n && end === 0n && code === 0 && ![...values.keys()].some((name) => SIGN_OF_END.test(name));
  const timedOut = type !== undefined && /time[\s_-]?d?[\s_-]?out|deadline[\s_-]?exceeded/i.test(type);
  return {
    ...(start !== 0n && end !== 0n && nanos !== null ? { duration_ms: Number(nanos) / 1e6 } : {}),
    generation_status: timedOut ? "timeout" : failed ? "failed" : runs ? "pending" : "success",
    error_type: failed ? (type ?? null) : null,
    error_message: failed ? textOf(span?.status?.message).text || null : null,
  };
}

/** Messages in the current shape, and plain text, go over as they are; other shapes are brought to it and not judged here. */
function contents(values: Values): Expected {
  const found: Expected = {};
  for (const [name, column, format] of [
    [PROMPT, "prompt_full_text", "prompt_format"],
    [RESPONSE, "response_full_text", "response_format"],
  ] as const) {
    const value = values.get(name);
    const text = stringOf(value);
    if (value === undefined || text === "") {
      found[column] = null;
      found[format] = null;
    } else if (text !== undefined && !/^[\s\0\uFFFD]*[[{]/.test(text)) {
      found[column] = text;
      found[format] = "text";
    } else if (text !== undefined && /^\[.*"parts".*\]$/s.test(text) && !MEDIA.test(text)) {
      found[column] = text;
      found[format] = "messages";
    }
  }
  return found;
}

/** Binary content leaves the messages (its own tests: media.test.ts). */
const MEDIA = /"blob"|base64|"data"|data:/;
