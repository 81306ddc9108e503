-- Image traces that somebody deleted: they are made from records, and must not come back when a record is sent or looked at again.
CREATE TABLE deleted_images (
  project_id  integer NOT NULL,
  id          uuid NOT NULL,
  deleted_at  timestamptz NOT NULL,
  PRIMARY KEY (project_id, id)
);
COMMENT ON TABLE deleted_images IS 'Ids of image traces that were deleted and stay so.';
COMMENT ON COLUMN deleted_images.project_id IS 'Project that the trace belonged to.';
COMMENT ON COLUMN deleted_images.id IS 'Id of the trace.';
COMMENT ON COLUMN deleted_images.deleted_at IS 'When it was deleted.';

ALTER TABLE deleted_images ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON deleted_images FOR SELECT USING (project_id = (SELECT genspan_project()));
