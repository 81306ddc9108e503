-- Erasure of what speaks of a person or a record, the archive of old content, and an audit log that can only grow.

CREATE TABLE erasures (
  project_id    integer NOT NULL,
  id            uuid NOT NULL,
  subject_kind  text NOT NULL CHECK (subject_kind IN ('user', 'conversation', 'entity', 'trace', 'generation')),
  subject_hash  bytea NOT NULL CHECK (length(subject_hash) = 32),
  requested_by  text NOT NULL,
  requested_at  timestamptz NOT NULL,
  finished_at   timestamptz,
  counts        jsonb,
  PRIMARY KEY (project_id, id)
);
COMMENT ON TABLE erasures IS 'What was erased for good, without saying of whom.';
COMMENT ON COLUMN erasures.project_id IS 'Project of the row.';
COMMENT ON COLUMN erasures.id IS 'Id of the erasure.';
COMMENT ON COLUMN erasures.subject_kind IS 'What was given: user, conversation, entity, trace or generation.';
COMMENT ON COLUMN erasures.subject_hash IS 'SHA-256 of what was given, to recognise it when it is given again.';
COMMENT ON COLUMN erasures.requested_by IS 'Who asked for it: the beginning of a key, or local.';
COMMENT ON COLUMN erasures.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN erasures.finished_at IS 'When everything was gone; NULL while it is under way.';
COMMENT ON COLUMN erasures.counts IS 'Rows erased, by table.';

CREATE TABLE tombstones (
  project_id  integer NOT NULL,
  trace_id    text COLLATE "C" NOT NULL,
  span_id     text COLLATE "C" NOT NULL,
  erasure_id  uuid NOT NULL,
  erased_at   timestamptz NOT NULL,
  PRIMARY KEY (project_id, trace_id, span_id)
);
CREATE INDEX tombstones_erasure ON tombstones (project_id, erasure_id);
CREATE INDEX tombstones_erased_at ON tombstones (erased_at);
COMMENT ON TABLE tombstones IS 'Spans that were erased: a late retry of one is not stored again.';
COMMENT ON COLUMN tombstones.project_id IS 'Project of the row.';
COMMENT ON COLUMN tombstones.trace_id IS 'Trace of the erased span.';
COMMENT ON COLUMN tombstones.span_id IS 'The erased span; empty for the whole trace.';
COMMENT ON COLUMN tombstones.erasure_id IS 'Points to erasures.id of the same project.';
COMMENT ON COLUMN tombstones.erased_at IS 'When it was erased.';

ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON erasures FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE tombstones ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON tombstones FOR SELECT USING (project_id = (SELECT genspan_project()));

-- Entries are never deleted. They change only where an erasure takes a name out of them, which says so by this setting.
CREATE FUNCTION genspan_keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('genspan.erasing', true) = 'on' AND (NEW.project_id, NEW.id, NEW.time, NEW.actor, NEW.action)
    IS NOT DISTINCT FROM (OLD.project_id, OLD.id, OLD.time, OLD.actor, OLD.action) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'entries of the audit log are kept as they are' USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION genspan_keep_audit() IS 'Refuses to change or delete an entry of the audit log, except where an erasure takes a name out of it.';
CREATE TRIGGER audit_log_kept BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION genspan_keep_audit();

CREATE INDEX image_traces_trace ON image_traces (project_id, trace_id) WHERE trace_id IS NOT NULL;
