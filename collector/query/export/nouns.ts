/** What can be exported, by the names of the API and the command line. */
export const EXPORT_NOUNS = ["generations", "attempts", "scores", "items", "images", "runs", "traces"] as const;
export type ExportNoun = (typeof EXPORT_NOUNS)[number];

/** A table as an export walks it. */
export interface ExportTable {
  readonly name: string;
  /** Unique within a project, and served by an index: pages follow each other along it. */
  readonly key: readonly string[];
  /** The column that a range of time is about. */
  readonly timeColumn: string;
}

const SPAN_KEY = ["trace_id", "span_id", "start_time"] as const;

/** Spans, attempts and scores go along their primary key, their only index; that keeps a trace together, too. */
export const EXPORT_TABLES: Readonly<Record<ExportNoun, ExportTable>> = {
  generations: { name: "generation_logs", key: ["start_time", "trace_id", "span_id"], timeColumn: "start_time" },
  attempts: { name: "generation_attempts", key: [...SPAN_KEY, "attempt_number"], timeColumn: "start_time" },
  scores: { name: "generation_scores", key: ["trace_id", "span_id", "time", "id"], timeColumn: "time" },
  items: { name: "generation_items", key: ["created_at", "id"], timeColumn: "created_at" },
  images: { name: "image_traces", key: ["created_at", "id"], timeColumn: "created_at" },
  runs: { name: "generation_runs", key: ["started_at", "id"], timeColumn: "started_at" },
  traces: { name: "spans", key: SPAN_KEY, timeColumn: "start_time" },
};
