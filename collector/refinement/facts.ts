/** Groups of columns that are filled together or not at all, by the name under which `filled_from` speaks of them. */
export const FILL_GROUPS = {
  prompt: ["prompt_full_text", "prompt_format"],
  response: ["response_full_text", "response_format"],
  reasoning: ["reasoning_content"],
  system_instructions: ["system_instructions"],
  tool_definitions: ["tool_definitions"],
  provider: ["provider_name"],
  response_model: ["response_model"],
  response_id: ["response_id"],
  finish_reason: ["response_finish_reason"],
  tokens: ["tokens_prompt", "tokens_completion", "tokens_total", "tokens_reasoning", "tokens_cache_read", "tokens_cache_write"],
  cost: ["cost_amount", "cost_currency", "cost_source"],
  time_to_first_token: ["time_to_first_token_ms"],
  temperature: ["model_temperature"],
  max_tokens: ["model_max_tokens"],
  template: ["prompt_template_name", "prompt_template_version"],
  conversation: ["conversation_id"],
  user: ["user_id"],
  run: ["run_id"],
  item: ["item_id"],
  entity: ["entity_type", "entity_id"],
} as const;

export type FillGroup = keyof typeof FILL_GROUPS;

export const GROUP_NAMES = Object.keys(FILL_GROUPS) as readonly FillGroup[];

/** The column whose presence says that a group is there. */
export const groupSign = (group: FillGroup): string => (group === "tokens" ? "tokens_total" : FILL_GROUPS[group][0]);

export type CallKind = "embeddings" | "image" | "text";

/** What a call is for: an embedding within a chat is a call of its own, not the same call told twice. */
export function callKind(operation: string | undefined): CallKind {
  if (operation === undefined) return "text";
  if (operation.startsWith("embed")) return "embeddings";
  return operation.startsWith("image") ? "image" : "text";
}

/** Where a server is, as far as a span says. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number | undefined;
}

/** What a call's span says of the server that answered it. */
export interface CallServer {
  readonly place: ServerPlace | undefined;
  readonly httpStatus: number | undefined;
}

/** Tokens as the conventions count them: cached ones and reasoning are within. */
export interface ToldTokens {
  readonly prompt: number;
  readonly completion: number;
}

/** Key of a row within its trace. Times are PostgreSQL's text, exact to the microsecond. */
export interface CallKey {
  readonly spanId: string;
  readonly startTime: string;
}

/** One generation row as its own span told it, whichever table it stands in now. */
export interface CallFacts extends CallKey {
  readonly parentSpanId: string | undefined;
  readonly startMillis: number;
  readonly endMillis: number | undefined;
  readonly endTime: string | undefined;
  readonly dialect: string;
  readonly operation: string | undefined;
  readonly model: string | undefined;
  readonly responseModel: string | undefined;
  readonly provider: string | undefined;
  readonly responseId: string | undefined;
  readonly status: string;
  readonly errorType: string | undefined;
  readonly errorMessage: string | undefined;
  /** Read only where the number of tries depends on it. */
  readonly server?: CallServer | undefined;
  /** How often the call was sent, as its own span says. */
  readonly toldTries: number | undefined;
  /** Columns that an image trace is made of; undefined for other calls. */
  readonly image: Readonly<Record<string, unknown>> | undefined;
  /** Tokens that the span itself told; undefined where it told of none. */
  readonly tokens: ToldTokens | undefined;
  /** What became of the content that the span itself told: see the column content_state. */
  readonly contentState: string;
  /** Groups that the span itself told. */
  readonly has: ReadonlySet<FillGroup>;
  /** The span wraps calls and tells their usage. */
  readonly wraps: boolean;
  /** Where the row stands: counted, or set aside as the twin or wrapper of another. */
  readonly counted: boolean;
  /** The span that is counted instead, as the row that is set aside says so far. */
  readonly survivor: string | undefined;
  /** What was filled in from elsewhere, by group. */
  readonly filledFrom: Readonly<Record<string, string>>;
  /** What the span itself said in columns that say something else now. */
  readonly own: Readonly<Record<string, unknown>>;
  /** The item as the row names it now, told or filled in. */
  readonly itemId: string | undefined;
}

export interface StrayRow extends CallKey {
  readonly table: "generation_logs" | "generation_twins";
}

/** A span that tells something about another: an attempt, an update, an image, or a request over HTTP. Its parent is "" where it has none. */
export interface ChildSpan {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startTime: string;
  readonly startMillis: number;
  readonly endTime: string | undefined;
  readonly durationMillis: number | undefined;
  readonly failed: boolean;
  readonly statusMessage: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly environment: string | undefined;
  readonly service: string | undefined;
}

/** A log record about a span. */
export interface LogEvent {
  readonly id: string;
  readonly spanId: string;
  readonly name: string;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Its content was taken out on the way. */
  readonly redacted: boolean;
}

/** Key of a score. Times are PostgreSQL's text. */
export interface ScoreKey {
  readonly traceId: string;
  readonly spanId: string;
  readonly time: string;
  readonly id: string;
}

export const scoreKeyText = ({ traceId, spanId, time, id }: ScoreKey): string => `${traceId} ${spanId} ${time} ${id}`;

/** An evaluation that telemetry told. */
export interface ScoreFacts extends ScoreKey {
  /** The response that it names. */
  readonly responseId: string | undefined;
  /** The span that it names, where it stands with the call that it belongs to. */
  readonly told: { readonly traceId: string; readonly spanId: string } | undefined;
}

/** How the spans of a trace lie within each other; empty where nothing depends on it. */
export interface TraceTree {
  /** Parents of all spans, by span, "" for a root. */
  readonly parents: ReadonlyMap<string, string>;
  /** Spans of tools, agents and other things that make calls of their own. */
  readonly apart: ReadonlySet<string>;
  /** Our own records of attempts: a call below one tells of that try. */
  readonly tries: ReadonlySet<string>;
}

/** Everything that is stored about the model calls of one trace. */
export interface TraceEvidence extends TraceTree {
  readonly projectId: number;
  readonly traceId: string;
  readonly calls: readonly CallFacts[];
  /** Rows that tell of a call again that another row of the same key tells of: a call set aside came once more. */
  readonly strays: readonly StrayRow[];
  readonly children: readonly ChildSpan[];
  /** The trace has more calls than are looked at one by one: `calls` is empty then. */
  readonly tooManyCalls: boolean;
  /** In the order of their times. */
  readonly events: readonly LogEvent[];
  readonly scores: readonly ScoreFacts[];
}

/** Whether a group was filled in where the span said nothing; an update replaces what it said. */
export const isFill = (origin: string | undefined): boolean => origin !== undefined && !origin.startsWith("update:");

export const keyText = ({ spanId, startTime }: CallKey): string => `${spanId} ${startTime}`;
