-- Who looks at which model call for review. A claim is soft: it keeps others from getting the same call offered, and ends by itself.
CREATE TABLE review_claims (
  project_id   integer NOT NULL,
  trace_id     text COLLATE "C" NOT NULL,
  span_id      text COLLATE "C" NOT NULL,
  claimed_by   text NOT NULL,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (project_id, trace_id, span_id)
);
COMMENT ON TABLE review_claims IS 'Model calls that somebody looks at for review right now, so that two people do not get the same one.';
COMMENT ON COLUMN review_claims.project_id IS 'Project that the row belongs to.';
COMMENT ON COLUMN review_claims.trace_id IS 'Trace of the claimed call.';
COMMENT ON COLUMN review_claims.span_id IS 'Span of the claimed call.';
COMMENT ON COLUMN review_claims.claimed_by IS 'Who claimed it: a name, or the beginning of a key.';
COMMENT ON COLUMN review_claims.expires_at IS 'From then on the claim means nothing.';

ALTER TABLE review_claims ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON review_claims FOR SELECT USING (project_id = (SELECT genspan_project()));

-- What happened to one thing, newest first.
CREATE INDEX audit_log_subject ON audit_log (project_id, subject, "time") WHERE subject IS NOT NULL;
-- The queue of reviews: few rows of many.
CREATE INDEX generation_logs_review ON generation_logs (project_id, quality_status, start_time) WHERE quality_status IS NOT NULL;
