-- Rows that say the same as another: one model call seen by two instrumentations, or a wrapper around calls. They are not counted, so they
-- leave generation_logs; their content stays here, because their spans no longer carry it.
ALTER TABLE generation_logs ADD COLUMN filled_from jsonb;
COMMENT ON COLUMN generation_logs.filled_from IS 'What the call''s own span did not say and where it came from, by group of columns: span:<id>, logs:<hash>, update:<id>.';

CREATE TABLE generation_twins (
  LIKE generation_logs INCLUDING COMMENTS INCLUDING COMPRESSION INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE,
  survivor_span_id text COLLATE "C",
  PRIMARY KEY (project_id, trace_id, span_id, start_time)
) PARTITION BY RANGE (start_time);
COMMENT ON TABLE generation_twins IS 'Generation rows that are not counted: twins of another row, or wrappers of several calls. Columns are those of generation_logs.';
COMMENT ON COLUMN generation_twins.survivor_span_id IS 'Span of the row in generation_logs that is counted instead; NULL for a wrapper of several calls.';

CREATE TABLE generation_twins_default PARTITION OF generation_twins DEFAULT;

ALTER TABLE generation_twins ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_twins FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE generation_twins_default ENABLE ROW LEVEL SECURITY;

-- What has come in lately, for looking at traces again: the order of arrival is the order in the table, so a BRIN index serves and costs nearly nothing.
CREATE INDEX generation_logs_received_at ON generation_logs USING brin (received_at) WITH (pages_per_range = 16);
