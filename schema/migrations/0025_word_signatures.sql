-- What words the texts of model calls may hold, by blocks of calls of a closed hour: a search for a rare word leaves out the blocks that say "no". Whoever
-- changes calls notes their hour (usage_dirty_hours); the job that takes those notes passes them on to word_dirty_hours, and hours noted in either are searched
-- row by row (docs/decisions, word signatures).
CREATE TABLE word_dirty_hours (
  project_id  integer NOT NULL,
  hour        timestamptz NOT NULL,
  noted_at    timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE word_dirty_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON word_dirty_hours FOR SELECT USING (project_id = (SELECT genspan_project()));
COMMENT ON TABLE word_dirty_hours IS 'Hours whose texts are to be signed in word_signatures; an hour may stand here many times.';
COMMENT ON COLUMN word_dirty_hours.project_id IS 'Project that the row belongs to.';
COMMENT ON COLUMN word_dirty_hours.hour IS 'Beginning of the hour, UTC.';
COMMENT ON COLUMN word_dirty_hours.noted_at IS 'When its sums of usage were made anew.';

CREATE TABLE word_signatures (
  project_id  integer NOT NULL,
  hour        timestamptz NOT NULL,
  part        integer NOT NULL,
  first_time  timestamptz NOT NULL,
  last_time   timestamptz NOT NULL,
  bits        bytea NOT NULL,
  PRIMARY KEY (project_id, hour, part)
);
-- Every search looks into most of them: in the row, and as they are.
ALTER TABLE word_signatures ALTER COLUMN bits SET STORAGE PLAIN;
ALTER TABLE word_signatures ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON word_signatures FOR SELECT USING (project_id = (SELECT genspan_project()));
COMMENT ON TABLE word_signatures IS 'Which pieces of words the texts of consecutive model calls may hold; no text can be read out of it. Searches use it only for hours that are up to date.';
COMMENT ON COLUMN word_signatures.project_id IS 'Project that the row belongs to.';
COMMENT ON COLUMN word_signatures.hour IS 'Beginning of the hour, UTC.';
COMMENT ON COLUMN word_signatures.part IS 'Number of the block within its hour, from 0.';
COMMENT ON COLUMN word_signatures.first_time IS 'start_time of the first call of the block.';
COMMENT ON COLUMN word_signatures.last_time IS 'start_time of the last call of the block; calls of the same moment are all in it.';
COMMENT ON COLUMN word_signatures.bits IS 'Bit h % n of n is set for each piece of four letters or digits with the hash h (collector/query/words/grams.ts).';

-- Everything that is stored already.
INSERT INTO word_dirty_hours SELECT DISTINCT project_id, hour, now() FROM usage_hours;
