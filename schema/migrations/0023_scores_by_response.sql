-- An evaluation may name the response that it judges in the place of its span: it is moved to that call, and can be sent again.
ALTER TABLE generation_scores ADD COLUMN response_id text, ADD COLUMN told_trace_id text COLLATE "C", ADD COLUMN told_span_id text COLLATE "C";
COMMENT ON COLUMN generation_scores.response_id IS 'Response that the evaluation names, as the provider''s id.';
COMMENT ON COLUMN generation_scores.told_trace_id IS 'Trace that the evaluation itself named, once the call that it judges was found; else NULL.';
COMMENT ON COLUMN generation_scores.told_span_id IS 'Span that the evaluation itself named, once the call that it judges was found; else NULL.';
CREATE INDEX generation_scores_unfound ON generation_scores (received_at) WHERE response_id IS NOT NULL AND told_span_id IS NULL;
