-- Runs and items are made from telemetry: what the own record of an item said is kept apart from what its generations and its reviewers say, so that each can
-- change without the others.
ALTER TABLE generation_runs ADD COLUMN closed_by text CHECK (closed_by IN ('report', 'operator'));
COMMENT ON COLUMN generation_runs.closed_by IS 'Who said that the run has ended: its own report, or an operator who marked it failed (a later report replaces that); NULL while it runs.';

ALTER TABLE generation_items
  ADD COLUMN status text CHECK (status IN ('completed', 'failed')),
  ADD COLUMN completed_at timestamptz,
  ADD COLUMN error_message text COMPRESSION lz4,
  ADD COLUMN told jsonb COMPRESSION lz4,
  ADD COLUMN review jsonb COMPRESSION lz4;
COMMENT ON COLUMN generation_items.status IS 'Whether making the item succeeded, as its own record says; NULL while it is made, and for items that only their generations name.';
COMMENT ON COLUMN generation_items.completed_at IS 'End of the item''s own record.';
COMMENT ON COLUMN generation_items.error_message IS 'Why the item failed.';
COMMENT ON COLUMN generation_items.told IS 'What the item''s own record and updates of it said; the other columns are made from it, from the generations and from review.';
COMMENT ON COLUMN generation_items.review IS 'A reviewer''s judgement: status, issues, score, note, by, at. It wins over everything else about quality.';

CREATE INDEX generation_logs_item ON generation_logs (project_id, item_id) WHERE item_id IS NOT NULL;
