-- Where archived content went: an erasure, or the end of a project, must find it whoever carries it out.
CREATE TABLE archive_folders (
  project_id  integer NOT NULL,
  folder      text NOT NULL,
  first_used_at timestamptz NOT NULL,
  PRIMARY KEY (project_id, folder)
);
COMMENT ON TABLE archive_folders IS 'Folders of the collectors'' machines in which archived content of a project lies: for the collector alone.';
COMMENT ON COLUMN archive_folders.project_id IS 'Project of the content.';
COMMENT ON COLUMN archive_folders.folder IS 'Absolute path of the folder.';
COMMENT ON COLUMN archive_folders.first_used_at IS 'When content of the project first went there.';
ALTER TABLE archive_folders ENABLE ROW LEVEL SECURITY;
