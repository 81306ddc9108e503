/** How COPY and the careful path treat one table. Column order is the order of the fields in an encoded row. */
export interface TableSpec {
  readonly name: string;
  readonly columns: readonly string[];
  /** The primary key: always the first columns, always of fixed size, so that rows compare and sort by their bytes. */
  readonly keyColumns: readonly string[];
  /** Bytes of the key fields in an encoded row, from the row's start + 2 (after the field count), with their length words. */
  readonly keyBytes: number;
  /** How a row that tells the beginning of something gives way to the one that tells its end; without it the first row of a key stays. */
  readonly completion?: Completion;
  /** SQL that holds for every stored row (`t`) without a time of its own, where an index of such rows alone serves to find them. */
  readonly untimed?: string;
}

/** Tells rows of unfinished things from rows of finished ones. SQL speaks of the stored row as `t` and of the arriving one as `excluded`. */
export interface Completion {
  /** Holds for a stored row that any finished one replaces. */
  readonly unfinished: string;
  /** Holds where the arriving row replaces the stored one. */
  readonly completes: string;
  /** Column that is NULL until the end is known. */
  readonly endColumn: string;
  /** Column that says `pending` of what is only announced. */
  readonly statusColumn?: string;
  /** Columns that were worked out from the replaced row, and are so no more. */
  readonly workedOut: readonly string[];
  /** Columns that are only ever worked out where the record itself says nothing: what it says there stands in no other row. */
  readonly told: readonly string[];
}

/** Bytes of a COPY field of `size` bytes: its length word and its value. */
export const FIELD_HEAD = 4;

const SPAN_KEY = ["project_id", "trace_id", "span_id", "start_time"] as const;
const SPAN_KEY_BYTES = FIELD_HEAD + 4 + (FIELD_HEAD + 32) + (FIELD_HEAD + 16) + (FIELD_HEAD + 8);

export const SPANS: TableSpec = {
  name: "spans",
  keyColumns: SPAN_KEY,
  keyBytes: SPAN_KEY_BYTES,
  // Some emitters send a span when it begins and again, under the same id, when it has ended.
  completion: {
    unfinished: "t.end_time IS NULL",
    completes: "t.end_time IS NULL AND excluded.end_time IS NOT NULL",
    endColumn: "end_time",
    workedOut: [],
    told: [],
  },
  columns: [
    ...SPAN_KEY,
    "start_nano",
    "end_time",
    "end_nano",
    "duration_ns",
    "parent_span_id",
    "name",
    "kind",
    "service_name",
    "status_code",
    "status_message",
    "attributes",
    "resource_id",
    "scope_id",
    "events",
    "links",
    "trace_state",
    "flags",
    "dropped_attributes_count",
    "dropped_events_count",
    "dropped_links_count",
    "content_moved",
    "ingest_notes",
    "received_at",
  ],
};

/** A call that was given up (a timeout without an end) counts as pending. */
const UNFINISHED_CALL = "t.generation_status = 'pending' OR (t.generation_status = 'timeout' AND t.end_time IS NULL)";

export const GENERATION_LOGS: TableSpec = {
  name: "generation_logs",
  keyColumns: SPAN_KEY,
  keyBytes: SPAN_KEY_BYTES,
  completion: {
    unfinished: UNFINISHED_CALL,
    completes: `((${UNFINISHED_CALL}) AND excluded.generation_status <> 'pending') OR (t.end_time IS NULL AND excluded.end_time IS NOT NULL)`,
    endColumn: "end_time",
    statusColumn: "generation_status",
    workedOut: ["filled_from", "own_values"],
    told: ["prompt_full_text", "response_full_text", "system_instructions", "tool_definitions"],
  },
  columns: [
    ...SPAN_KEY,
    "parent_span_id",
    "end_time",
    "service_name",
    "environment",
    "dialect",
    "operation_name",
    "provider_name",
    "prompt_full_text",
    "prompt_format",
    "system_instructions",
    "prompt_template_name",
    "prompt_template_version",
    "prompt_modules_used",
    "prompt_variables",
    "tool_definitions",
    "model_name",
    "model_temperature",
    "model_max_tokens",
    "model_top_p",
    "model_top_k",
    "model_frequency_penalty",
    "model_presence_penalty",
    "model_seed",
    "model_stop_sequences",
    "model_reasoning_level",
    "model_parameters",
    "response_model",
    "response_full_text",
    "response_format",
    "reasoning_content",
    "tokens_prompt",
    "tokens_completion",
    "tokens_total",
    "tokens_reasoning",
    "tokens_cache_read",
    "tokens_cache_write",
    "duration_ms",
    "time_to_first_token_ms",
    "response_finish_reason",
    "response_id",
    "response_created_at",
    "generation_status",
    "error_message",
    "error_type",
    "error_traceback",
    "attempts_count",
    "cost_amount",
    "cost_currency",
    "cost_source",
    "run_id",
    "item_id",
    "conversation_id",
    "user_id",
    "entity_type",
    "entity_id",
    "quality_status",
    "quality_issues",
    "quality_score",
    "additional_metadata",
    "content_state",
    "logged_at",
    "updated_at",
    "received_at",
  ],
};

/** Rows that are not counted. Of wrappers with usage they are written here at once, and counted if that proves right. */
export const GENERATION_TWINS: TableSpec = { ...GENERATION_LOGS, name: "generation_twins" };

/** Log records have no id of their own: `id` is a hash of the record and its origin, so that a resend finds its row. */
export const LOG_RECORDS: TableSpec = {
  name: "log_records",
  keyColumns: ["project_id", "time", "id"],
  keyBytes: FIELD_HEAD + 4 + (FIELD_HEAD + 8) + (FIELD_HEAD + 16),
  untimed: "t.observed_time IS NULL AND t.time = t.received_at",
  columns: [
    "project_id",
    "time",
    "id",
    "time_nano",
    "observed_time",
    "observed_nano",
    "trace_id",
    "span_id",
    "severity_number",
    "severity_text",
    "event_name",
    "service_name",
    "body",
    "attributes",
    "resource_id",
    "scope_id",
    "flags",
    "dropped_attributes_count",
    "ingest_notes",
    "received_at",
  ],
};

/** Evaluations of a span. `id` is a hash of the event and the span it speaks of. */
export const GENERATION_SCORES: TableSpec = {
  name: "generation_scores",
  keyColumns: ["project_id", "trace_id", "span_id", "time", "id"],
  keyBytes: SPAN_KEY_BYTES + FIELD_HEAD + 16,
  columns: [
    "project_id",
    "trace_id",
    "span_id",
    "time",
    "id",
    "name",
    "value",
    "label",
    "explanation",
    "source",
    "scored_by",
    "received_at",
    "response_id",
  ],
};

/** Binary content, once per hash. */
export const BLOBS: TableSpec = {
  name: "blobs",
  keyColumns: ["project_id", "hash"],
  keyBytes: FIELD_HEAD + 4 + (FIELD_HEAD + 32),
  columns: ["project_id", "hash", "media_type", "size_bytes", "content", "received_at"],
};

/** Images, sounds and files of a call's messages. */
export const OUTPUTS: TableSpec = {
  name: "outputs",
  keyColumns: [...SPAN_KEY, "output_number"],
  keyBytes: SPAN_KEY_BYTES + FIELD_HEAD + 4,
  columns: [...SPAN_KEY, "output_number", "direction", "modality", "media_type", "blob_hash", "uri", "received_at"],
};

/** What was refused for good, with its bytes, so that a person can look and repair. `id` is a hash of the bytes. */
export const INGEST_REJECTED: TableSpec = {
  name: "ingest_rejected",
  keyColumns: ["project_id", "id"],
  keyBytes: FIELD_HEAD + 4 + (FIELD_HEAD + 16),
  columns: ["project_id", "id", "signal", "reason", "sqlstate", "detail", "raw", "received_at"],
};
