import { type CallFacts, FILL_GROUPS, type FillGroup, groupSign } from "../../../collector/refinement/facts.ts";

type Row = Record<string, unknown>;

const text = (value: unknown): string | undefined => (value === null || value === undefined ? undefined : String(value));
const micros = (value: unknown): number => Number(value as bigint);

/** A generation row as refinement knows it when it looks at a trace, had it been read from the table. */
export function callFactsOf(row: Row): CallFacts {
  const groups = Object.keys(FILL_GROUPS) as FillGroup[];
  return {
    spanId: String(row["span_id"]),
    startTime: String(row["start_time"]),
    parentSpanId: text(row["parent_span_id"]),
    startMillis: micros(row["start_time"]) / 1000,
    endMillis: row["end_time"] === null ? undefined : micros(row["end_time"]) / 1000,
    endTime: text(row["end_time"]),
    dialect: String(row["dialect"]),
    operation: text(row["operation_name"]),
    model: text(row["model_name"]),
    responseModel: text(row["response_model"]),
    provider: text(row["provider_name"]),
    responseId: text(row["response_id"]),
    status: String(row["generation_status"]),
    errorType: text(row["error_type"]),
    errorMessage: text(row["error_message"]),
    image: undefined,
    toldTries: row["attempts_count"] === null ? undefined : Number(row["attempts_count"]),
    tokens:
      row["tokens_total"] === null
        ? undefined
        : { prompt: Number(row["tokens_prompt"] ?? 0), completion: Number(row["tokens_completion"] ?? 0) },
    contentState: String(row["content_state"]),
    has: new Set(groups.filter((group) => row[groupSign(group)] !== null)),
    wraps: (row["additional_metadata"] as Row | null)?.["usage_of_wrapper"] === true,
    counted: true,
    itemId: undefined,
    filledFrom: {},
    survivor: undefined,
    own: {},
  };
}
