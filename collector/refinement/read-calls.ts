import { USAGE_OF_WRAPPER } from "../dialects/wrapper-usage.ts";
import {
  type CallFacts,
  type CallServer,
  type ChildSpan,
  type FillGroup,
  GROUP_NAMES,
  groupSign,
  isFill,
  keyText,
  type StrayRow,
  type ToldTokens,
  type TraceEvidence,
} from "./facts.ts";
import { httpStatusOf, isHttpRequest, placeOf, SERVER_ATTRIBUTES } from "./http-tries.ts";
import { byTrace, lookUp, number, optional, quoted, type Rows, type Tx, type Window } from "./look-up.ts";

/** More calls than this in one trace are left as they came: the work per trace stays bounded. */
export const MAX_ROWS = 5_000;

/** What speaks of a row in the sign of its trace. */
const SIGN_OF_CALL = `(extract(epoch FROM received_at) * 1000)::bigint + (generation_status <> 'pending')::int`;

/** Over rows of generation_logs: a number that is another one when a row was added, taken away or replaced. Exact up to 5,000 rows. */
export const SIGN_OF_CALLS = `sum(${SIGN_OF_CALL})::float8`;

/** A call for images by its operation or by what was asked of it, or one that answered with some: any model that talks may draw. */
const makesImages = (schema: string): string => `operation_name LIKE 'image%' OR model_parameters ->> 'output.type' = 'image'
  OR EXISTS (SELECT FROM ${quoted(schema)}.outputs o WHERE o.project_id = t.project_id AND o.trace_id = t.trace_id AND o.span_id = t.span_id
    AND o.start_time = t.start_time AND o.direction = 'output' AND o.modality = 'image')`;

export async function readCalls(tx: Tx, schema: string, window: Window): Promise<Rows> {
  const signs = GROUP_NAMES.map((group) => `${groupSign(group)} IS NOT NULL`).join(", ");
  const columns = `span_id, start_time::text AS start_text, parent_span_id, extract(epoch FROM start_time) * 1000 AS start_ms,
    extract(epoch FROM end_time) * 1000 AS end_ms, end_time::text AS end_text, dialect, operation_name, model_name, response_model, provider_name, response_id,
    generation_status, error_type, error_message, filled_from, own_values, item_id, attempts_count, content_state,
    tokens_prompt::float8, tokens_completion::float8,
    CASE WHEN ${makesImages(schema)} THEN jsonb_build_object('prompt', prompt_full_text, 'response', response_full_text, 'parameters', model_parameters,
      'run_id', run_id, 'entity_type', entity_type, 'entity_id', entity_id, 'environment', environment) END AS image, ARRAY[${signs}] AS has,
    coalesce(additional_metadata -> '${USAGE_OF_WRAPPER}' = 'true', false) AS wraps, ${SIGN_OF_CALL} AS sign`;
  const read = (table: "generation_logs" | "generation_twins", counted: boolean) =>
    lookUp(tx, {
      schema,
      window,
      table,
      columns: `${columns}, ${counted} AS counted, ${counted ? "NULL" : "survivor_span_id"} AS survivor`,
    });
  const [counted, aside] = await Promise.all([read("generation_logs", true), read("generation_twins", false)]);
  return [...counted, ...aside];
}

export const NO_CALLS = { calls: [], strays: [] };

export const toCalls = (rows: Rows, servers: ReadonlyMap<string, CallServer> | undefined): Pick<TraceEvidence, "calls" | "strays"> =>
  rows.length > MAX_ROWS ? NO_CALLS : onePerKey(rows.map((row) => toCall(row, servers)));

/** Of two rows with one key the one set aside, unless only the other knows the end. */
function onePerKey(rows: readonly CallFacts[]): Pick<TraceEvidence, "calls" | "strays"> {
  const calls: CallFacts[] = [];
  const strays: StrayRow[] = [];
  for (const [first, ...more] of Map.groupBy(rows, keyText).values()) {
    const all = [first!, ...more];
    const call = all.find((each) => !each.counted && hasEnded(each)) ?? all.find(hasEnded) ?? all.find((each) => each.counted) ?? first!;
    calls.push(call);
    for (const { spanId, startTime, counted } of all.filter((each) => each !== call)) {
      strays.push({ spanId, startTime, table: counted ? "generation_logs" : "generation_twins" });
    }
  }
  return { calls, strays };
}

const hasEnded = ({ status, endTime }: CallFacts): boolean => status !== "pending" && !(status === "timeout" && endTime === undefined);

function toCall(row: Record<string, unknown>, servers: ReadonlyMap<string, CallServer> | undefined): CallFacts {
  const filledFrom = (row["filled_from"] ?? {}) as Record<string, string>;
  const own = (row["own_values"] ?? {}) as Record<string, unknown>;
  const present = row["has"] as boolean[];
  const told = GROUP_NAMES.filter((group, i) => {
    const sign = own[groupSign(group)];
    return isFill(filledFrom[group]) ? false : sign === undefined ? present[i] === true : sign !== null;
  });
  return {
    spanId: String(row["span_id"]),
    startTime: String(row["start_text"]),
    parentSpanId: optional(row["parent_span_id"]),
    startMillis: Number(row["start_ms"]),
    endMillis: number(row["end_ms"]),
    endTime: optional(row["end_text"]),
    image: (row["image"] ?? undefined) as Record<string, unknown> | undefined,
    dialect: String(row["dialect"]),
    operation: optional(row["operation_name"]),
    model: optional(row["model_name"]),
    server: servers?.get(String(row["span_id"])),
    responseModel: filledFrom["response_model"] === undefined ? optional(row["response_model"]) : undefined,
    provider: filledFrom["provider"] === undefined ? optional(row["provider_name"]) : undefined,
    responseId: filledFrom["response_id"] === undefined ? optional(row["response_id"]) : undefined,
    status: String(row["generation_status"]),
    errorType: optional(row["error_type"]),
    errorMessage: optional(row["error_message"]),
    toldTries: number("attempts_count" in own ? own["attempts_count"] : row["attempts_count"]),
    tokens: told.includes("tokens") ? toTokens(row) : undefined,
    contentState: String(own["content_state"] ?? row["content_state"]),
    has: new Set<FillGroup>(told),
    own,
    wraps: row["wraps"] === true,
    counted: row["counted"] === true,
    survivor: optional(row["survivor"]),
    filledFrom,
    itemId: optional(row["item_id"]),
  };
}

function toTokens(row: Record<string, unknown>): ToldTokens | undefined {
  const [prompt, completion] = [Number(row["tokens_prompt"] ?? 0), Number(row["tokens_completion"] ?? 0)];
  return prompt + completion > 0 ? { prompt, completion } : undefined;
}

interface ToldOfTries {
  readonly window: Window;
  readonly calls: ReadonlyMap<string, Rows>;
  readonly recordsOf: ReadonlyMap<string, readonly ChildSpan[]>;
}

/** Which servers the spans of calls name, by trace and span, of calls in traces with requests over HTTP, or with a number of tries. */
export async function readServers(
  tx: Tx,
  schema: string,
  { window, calls, recordsOf }: ToldOfTries,
): Promise<ReadonlyMap<string, ReadonlyMap<string, CallServer>>> {
  const asked = [...calls].flatMap(([name, rows]) =>
    recordsOf.get(name)?.some(isHttpRequest) === true ? rows : rows.filter((row) => Number(row["attempts_count"] ?? 0) > 1),
  );
  if (asked.length === 0) return new Map();
  const pairs = SERVER_ATTRIBUTES.map((name) => `'${name}', attributes -> '${name}'`).join(", ");
  const found = await lookUp(tx, {
    schema,
    window: {
      ...window,
      projects: asked.map((row) => Number(row["project_id"])),
      ids: asked.map((row) => String(row["trace_id"])),
    },
    table: "spans",
    columns: `span_id, jsonb_build_object(${pairs}) AS told`,
    spans: asked.map((row) => String(row["span_id"])),
  });
  return new Map([...byTrace(found)].map(([name, rows]) => [name, new Map(rows.map((row) => [String(row["span_id"]), toServer(row)]))]));
}

function toServer(row: Record<string, unknown>): CallServer {
  const told = row["told"] as Record<string, unknown>;
  return { place: placeOf(told), httpStatus: httpStatusOf(told) };
}
