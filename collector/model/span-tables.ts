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
