-- What the operation of genspan needs: prices, alerts, keys, logins, the audit log and the leases of jobs.

CREATE TABLE model_prices (
  project_id                integer NOT NULL,
  provider_name             text NOT NULL,
  model_name                text NOT NULL,
  valid_from                timestamptz NOT NULL,
  currency                  text NOT NULL,
  input_per_million         numeric,
  output_per_million        numeric,
  cache_read_per_million    numeric,
  cache_write_per_million   numeric,
  image_each                numeric,
  updated_at                timestamptz NOT NULL,
  PRIMARY KEY (project_id, provider_name, model_name, valid_from)
);

CREATE TABLE alert_rules (
  project_id        integer NOT NULL,
  id                uuid NOT NULL,
  name              text NOT NULL,
  enabled           boolean NOT NULL,
  condition         jsonb NOT NULL,
  notify            jsonb,
  interval_seconds  integer NOT NULL CHECK (interval_seconds > 0),
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL,
  PRIMARY KEY (project_id, id),
  UNIQUE (project_id, name)
);

CREATE TABLE alert_events (
  project_id   integer NOT NULL,
  id           uuid NOT NULL,
  rule_id      uuid NOT NULL,
  started_at   timestamptz NOT NULL,
  resolved_at  timestamptz,
  notified_at  timestamptz,
  value        double precision,
  details      jsonb,
  PRIMARY KEY (project_id, id)
);

CREATE UNIQUE INDEX alert_events_open ON alert_events (project_id, rule_id) WHERE resolved_at IS NULL;
CREATE INDEX alert_events_started_at ON alert_events (project_id, started_at);

CREATE TABLE api_keys (
  project_id    integer NOT NULL,
  id            uuid NOT NULL,
  name          text NOT NULL,
  prefix        text NOT NULL,
  hash          bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  scopes        text[] NOT NULL CHECK (scopes <@ ARRAY['ingest', 'read', 'admin']),
  created_at    timestamptz NOT NULL,
  last_used_at  timestamptz,
  expires_at    timestamptz,
  revoked_at    timestamptz,
  PRIMARY KEY (project_id, id)
);

CREATE TABLE audit_log (
  project_id  integer NOT NULL,
  id          uuid NOT NULL,
  time        timestamptz NOT NULL,
  actor       text NOT NULL,
  action      text NOT NULL,
  subject     text,
  details     jsonb,
  PRIMARY KEY (project_id, id)
);

CREATE INDEX audit_log_time ON audit_log (project_id, time);

CREATE TABLE sql_logins (
  login       text PRIMARY KEY,
  project_id  integer NOT NULL,
  created_at  timestamptz NOT NULL
);

CREATE TABLE job_leases (
  job         text PRIMARY KEY,
  holder      text NOT NULL,
  expires_at  timestamptz NOT NULL
);
