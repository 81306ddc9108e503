-- Who may read what. The collector writes as the owner of the tables, to whom row-level security does not apply (it is not FORCEd:
-- PostgreSQL refuses COPY under it). Everyone else sees the rows of one project, and partitions only through their parents:
-- those have row-level security without any policy, so that even a login with rights on everything finds them empty.

-- A login of sql_logins is bound to its project whatever it sets; any other login (the collector's reader) says which project it
-- reads by SET LOCAL genspan.project, and reads nothing without it. session_user comes first: SET ROLE does not change it.
CREATE FUNCTION genspan_project() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
  (SELECT l.project_id FROM sql_logins l WHERE l.login = session_user),
  (SELECT l.project_id FROM sql_logins l WHERE l.login = current_user),
  CAST(nullif(current_setting('genspan.project', true), '') AS integer)
);

ALTER TABLE sql_logins ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_login ON sql_logins FOR SELECT USING (login IN (session_user, current_user));
GRANT SELECT ON sql_logins TO PUBLIC;

ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON projects FOR SELECT USING (id = (SELECT genspan_project()));

ALTER TABLE resources ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON resources FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE scopes ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON scopes FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE spans ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON spans FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE spans_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE generation_logs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_logs FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE generation_logs_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE log_records ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON log_records FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE log_records_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE ingest_rejected ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON ingest_rejected FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE generation_attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_attempts FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE generation_attempts_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE generation_scores ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_scores FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE generation_scores_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE blobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON blobs FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE outputs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON outputs FOR SELECT USING (project_id = (SELECT genspan_project()));
ALTER TABLE outputs_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE image_traces ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON image_traces FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE generation_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_items FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE generation_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_runs FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE model_prices ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON model_prices FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE alert_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON alert_rules FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE alert_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON alert_events FOR SELECT USING (project_id = (SELECT genspan_project()));

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON audit_log FOR SELECT USING (project_id = (SELECT genspan_project()));

-- Hashes of keys are for the collector alone: no policy, and no grant to readers.
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
