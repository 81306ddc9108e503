-- Traces are listed by the span that they begin with: one without a parent, or one that another service called.
CREATE INDEX spans_entries ON spans (project_id, start_time) WHERE parent_span_id IS NULL OR kind IN (2, 5);
