-- Rules that look through answers and reasoning for signs of trouble, and how far they have come.
CREATE TABLE quality_rules (
  project_id  integer NOT NULL,
  name        text NOT NULL,
  target      text NOT NULL CHECK (target IN ('output', 'reasoning')),
  pattern     text,
  marks       boolean NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  PRIMARY KEY (project_id, name)
);
COMMENT ON TABLE quality_rules IS 'Rules of a project about the quality of answers, beside the built-in ones.';
COMMENT ON COLUMN quality_rules.project_id IS 'Project that the rule belongs to.';
COMMENT ON COLUMN quality_rules.name IS 'Name of the rule, which is the issue that it notes.';
COMMENT ON COLUMN quality_rules.target IS 'Where it looks: output or reasoning.';
COMMENT ON COLUMN quality_rules.pattern IS 'What it looks for, in RE2''s syntax; NULL for a built-in rule.';
COMMENT ON COLUMN quality_rules.marks IS 'Whether a call without a judgement becomes pending_review when the rule sees something.';
COMMENT ON COLUMN quality_rules.created_at IS 'When the rule was made.';
COMMENT ON COLUMN quality_rules.updated_at IS 'When it was changed last.';

ALTER TABLE quality_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON quality_rules FOR SELECT USING (project_id = (SELECT genspan_project()));

CREATE TABLE quality_progress (
  project_id    integer NOT NULL PRIMARY KEY,
  judged_until  timestamptz NOT NULL
);
COMMENT ON TABLE quality_progress IS 'How far the rules that mark have come with what a project received.';
COMMENT ON COLUMN quality_progress.project_id IS 'Project.';
COMMENT ON COLUMN quality_progress.judged_until IS 'Calls received before this have been looked at.';

ALTER TABLE quality_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON quality_progress FOR SELECT USING (project_id = (SELECT genspan_project()));
