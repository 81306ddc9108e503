-- Resources and scopes go when nothing points to them any more. Collectors remember which of them are stored, so each must hear that one is gone.
CREATE TABLE released_origins (
  project_id   integer NOT NULL,
  origin_kind  text NOT NULL CHECK (origin_kind IN ('resources', 'scopes')),
  id           uuid NOT NULL,
  noted_at     timestamptz,
  looked_from  timestamptz,
  released_at  timestamptz,
  PRIMARY KEY (project_id, origin_kind, id)
);
COMMENT ON TABLE released_origins IS 'Resources and scopes that were deleted because nothing points to them, and those of erased rows that are still to be looked at.';
COMMENT ON COLUMN released_origins.project_id IS 'Project of the row.';
COMMENT ON COLUMN released_origins.origin_kind IS 'Table of the row: resources or scopes.';
COMMENT ON COLUMN released_origins.id IS 'Its id there.';
COMMENT ON COLUMN released_origins.noted_at IS 'When rows that pointed to it were erased; NULL once it was looked at.';
COMMENT ON COLUMN released_origins.looked_from IS 'When the look began that found nothing pointing to it.';
COMMENT ON COLUMN released_origins.released_at IS 'When it was deleted; NULL for one that is only noted.';
ALTER TABLE released_origins ENABLE ROW LEVEL SECURITY;
