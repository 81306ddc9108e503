/** Tables whose rows belong to a span or a trace, and are told and erased with it. */
export const SPAN_TABLES = [
  "spans",
  "generation_logs",
  "generation_twins",
  "generation_attempts",
  "generation_scores",
  "outputs",
  "log_records",
  "image_traces",
  "generation_items",
  "generation_runs",
] as const;

/** Those of them whose rows point to a resource and a scope. */
export const POINTING_TABLES = ["spans", "log_records"] as const satisfies readonly (typeof SPAN_TABLES)[number][];

/** Tables whose rows are stored once per content, and the columns that point to them. */
export const ORIGIN_TABLES = [
  { table: "resources", pointer: "resource_id" },
  { table: "scopes", pointer: "scope_id" },
] as const;
