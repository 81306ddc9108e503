-- The tables that ingestion writes: spans, generation_logs, log_records, what they share, and what was refused.
--
-- Ids are lower-case hexadecimal text, as people paste them from logs; COLLATE "C" makes them compare as bytes.
-- No triggers, no foreign keys and no column defaults that call now() on these tables: rows must mean the same when the
-- tables are distributed, and every row states its own times. Unknown is NULL.
-- COMPRESSION lz4 marks large values: on a server built without lz4 they are stored uncompressed instead, never with pglz (large-values.ts).

CREATE TABLE projects (
  id          integer PRIMARY KEY,
  name        text NOT NULL UNIQUE,
  created_at  timestamptz NOT NULL
);
INSERT INTO projects (id, name, created_at) VALUES (1, 'default', now());

CREATE TABLE resources (
  project_id                integer NOT NULL,
  id                        uuid NOT NULL,
  attributes                jsonb COMPRESSION lz4 NOT NULL,
  schema_url                text,
  dropped_attributes_count  bigint,
  PRIMARY KEY (project_id, id)
);

CREATE TABLE scopes (
  project_id                integer NOT NULL,
  id                        uuid NOT NULL,
  name                      text,
  version                   text,
  attributes                jsonb COMPRESSION lz4 NOT NULL,
  schema_url                text,
  dropped_attributes_count  bigint,
  PRIMARY KEY (project_id, id)
);

CREATE TABLE spans (
  project_id                integer NOT NULL,
  trace_id                  text COLLATE "C" NOT NULL,
  span_id                   text COLLATE "C" NOT NULL,
  start_time                timestamptz NOT NULL,
  start_nano                smallint NOT NULL,
  end_time                  timestamptz,
  end_nano                  smallint,
  duration_ns               bigint,
  parent_span_id            text COLLATE "C",
  name                      text NOT NULL,
  kind                      smallint NOT NULL,
  service_name              text NOT NULL,
  status_code               smallint NOT NULL,
  status_message            text COMPRESSION lz4,
  attributes                jsonb COMPRESSION lz4 NOT NULL,
  resource_id               uuid NOT NULL,
  scope_id                  uuid,
  events                    jsonb COMPRESSION lz4,
  links                     jsonb COMPRESSION lz4,
  trace_state               text,
  flags                     bigint,
  dropped_attributes_count  bigint,
  dropped_events_count      bigint,
  dropped_links_count       bigint,
  content_moved             smallint,
  ingest_notes              jsonb,
  received_at               timestamptz NOT NULL,
  PRIMARY KEY (project_id, trace_id, span_id, start_time)
) PARTITION BY RANGE (start_time);

CREATE TABLE spans_default PARTITION OF spans DEFAULT;
CREATE INDEX spans_start_time ON spans USING brin (start_time) WITH (pages_per_range = 32);

CREATE TABLE generation_logs (
  project_id               integer NOT NULL,
  trace_id                 text COLLATE "C" NOT NULL,
  span_id                  text COLLATE "C" NOT NULL,
  start_time               timestamptz NOT NULL,
  id                       text COLLATE "C" GENERATED ALWAYS AS (trace_id || '-' || span_id) STORED,
  parent_span_id           text COLLATE "C",
  end_time                 timestamptz,
  service_name             text,
  environment              text,
  dialect                  text NOT NULL,
  operation_name           text,
  provider_name            text,

  prompt_full_text         text COMPRESSION lz4,
  prompt_format            text CHECK (prompt_format IN ('text', 'messages')),
  system_instructions      text COMPRESSION lz4,
  prompt_template_name     text,
  prompt_template_version  text,
  prompt_modules_used      jsonb COMPRESSION lz4,
  prompt_variables         jsonb COMPRESSION lz4,
  tool_definitions         text COMPRESSION lz4,

  model_name               text,
  model_temperature        double precision,
  model_max_tokens         bigint,
  model_top_p              double precision,
  model_top_k              double precision,
  model_frequency_penalty  double precision,
  model_presence_penalty   double precision,
  model_seed               bigint,
  model_stop_sequences     jsonb,
  model_reasoning_level    text,
  model_parameters         jsonb COMPRESSION lz4,

  response_model           text,
  response_full_text       text COMPRESSION lz4,
  response_format          text CHECK (response_format IN ('text', 'messages')),
  reasoning_content        text COMPRESSION lz4,
  tokens_prompt            bigint,
  tokens_completion        bigint,
  tokens_total             bigint,
  tokens_reasoning         bigint,
  tokens_cache_read        bigint,
  tokens_cache_write       bigint,
  duration_ms              double precision,
  time_to_first_token_ms   double precision,
  response_finish_reason   text,
  response_id              text,
  response_created_at      bigint,
  cached                   boolean,
  generation_status        text NOT NULL CHECK (generation_status IN ('pending', 'success', 'failed', 'timeout')),
  error_message            text COMPRESSION lz4,
  error_type               text,
  error_traceback          text COMPRESSION lz4,
  attempts_count           integer,
  cost_amount              numeric,
  cost_currency            text,
  cost_source              text,

  run_id                   text,
  item_id                  text,
  conversation_id          text,
  user_id                  text,
  entity_type              text,
  entity_id                text,
  quality_status           text,
  quality_issues           jsonb,
  quality_score            double precision,
  additional_metadata      jsonb COMPRESSION lz4,
  content_state            text CHECK (content_state IN ('captured', 'absent', 'redacted', 'truncated')),
  logged_at                timestamptz NOT NULL,
  updated_at               timestamptz NOT NULL,
  received_at              timestamptz NOT NULL,
  PRIMARY KEY (project_id, trace_id, span_id, start_time)
) PARTITION BY RANGE (start_time);

CREATE TABLE generation_logs_default PARTITION OF generation_logs DEFAULT;
-- The indexed texts are whole columns, not left(…, n): readers are under row-level security, where an index serves a condition only if its
-- function is leakproof, and left() is not. rows/ keeps these identifiers far below the 2,700 bytes that an index entry may have.
CREATE INDEX generation_logs_start_time ON generation_logs (project_id, start_time);
CREATE INDEX generation_logs_model ON generation_logs (project_id, model_name, start_time);
CREATE INDEX generation_logs_run ON generation_logs (project_id, run_id) WHERE run_id IS NOT NULL;
CREATE INDEX generation_logs_entity ON generation_logs (project_id, entity_type, entity_id) WHERE entity_id IS NOT NULL;
CREATE INDEX generation_logs_unfinished ON generation_logs (project_id, start_time) WHERE generation_status <> 'success';

CREATE TABLE log_records (
  project_id                integer NOT NULL,
  time                      timestamptz NOT NULL,
  id                        uuid NOT NULL,
  time_nano                 smallint NOT NULL,
  observed_time             timestamptz,
  observed_nano             smallint,
  trace_id                  text COLLATE "C",
  span_id                   text COLLATE "C",
  severity_number           integer,
  severity_text             text,
  event_name                text,
  service_name              text NOT NULL,
  body                      jsonb COMPRESSION lz4,
  attributes                jsonb COMPRESSION lz4 NOT NULL,
  resource_id               uuid NOT NULL,
  scope_id                  uuid,
  flags                     bigint,
  dropped_attributes_count  bigint,
  ingest_notes              jsonb,
  received_at               timestamptz NOT NULL,
  PRIMARY KEY (project_id, time, id)
) PARTITION BY RANGE (time);

CREATE TABLE log_records_default PARTITION OF log_records DEFAULT;
CREATE INDEX log_records_span ON log_records (project_id, trace_id, span_id) WHERE trace_id IS NOT NULL;

CREATE TABLE ingest_rejected (
  project_id   integer NOT NULL,
  id           uuid NOT NULL,
  signal       text NOT NULL,
  reason       text NOT NULL,
  sqlstate     text,
  detail       text,
  raw          bytea COMPRESSION lz4 NOT NULL,
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (project_id, id)
);
