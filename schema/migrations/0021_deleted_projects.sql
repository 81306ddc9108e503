-- A project that was deleted keeps its row, so that its number is never given again and what still comes in under it is known to be nobody's.
ALTER TABLE projects ADD COLUMN deleted_at timestamptz;
COMMENT ON COLUMN projects.deleted_at IS 'When it was deleted with everything in it; NULL while it is there. A deleted one has lost its name, too.';
