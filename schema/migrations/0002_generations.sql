-- What belongs to generations: attempts, scores, binary outputs, images, the items they make together and the runs they happen in.
-- Partitioned tables grow with the traffic; the others with what people or batch jobs make.

CREATE TABLE generation_attempts (
  project_id         integer NOT NULL,
  trace_id           text COLLATE "C" NOT NULL,
  span_id            text COLLATE "C" NOT NULL,
  start_time         timestamptz NOT NULL,
  attempt_number     integer NOT NULL,
  provider_name      text,
  model_name         text,
  started_at         timestamptz,
  duration_ms        double precision,
  success            boolean,
  http_status        integer,
  error_type         text,
  error_message      text COMPRESSION lz4,
  request            jsonb COMPRESSION lz4,
  response           jsonb COMPRESSION lz4,
  received_at        timestamptz NOT NULL,
  PRIMARY KEY (project_id, trace_id, span_id, start_time, attempt_number)
) PARTITION BY RANGE (start_time);

CREATE TABLE generation_attempts_default PARTITION OF generation_attempts DEFAULT;

CREATE TABLE generation_scores (
  project_id   integer NOT NULL,
  trace_id     text COLLATE "C" NOT NULL,
  span_id      text COLLATE "C" NOT NULL,
  time         timestamptz NOT NULL,
  id           uuid NOT NULL,
  name         text NOT NULL,
  value        double precision,
  label        text,
  explanation  text COMPRESSION lz4,
  source       text NOT NULL CHECK (source IN ('evaluation', 'review')),
  scored_by    text,
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (project_id, trace_id, span_id, time, id)
) PARTITION BY RANGE (time);

CREATE TABLE generation_scores_default PARTITION OF generation_scores DEFAULT;
CREATE INDEX generation_scores_name ON generation_scores (project_id, name, time);

CREATE TABLE blobs (
  project_id   integer NOT NULL,
  hash         bytea NOT NULL CHECK (length(hash) = 32),
  media_type   text,
  size_bytes   bigint NOT NULL,
  content      bytea COMPRESSION lz4 NOT NULL,
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (project_id, hash)
);

CREATE TABLE outputs (
  project_id     integer NOT NULL,
  trace_id       text COLLATE "C" NOT NULL,
  span_id        text COLLATE "C" NOT NULL,
  start_time     timestamptz NOT NULL,
  output_number  integer NOT NULL,
  direction      text NOT NULL CHECK (direction IN ('input', 'output')),
  modality       text,
  media_type     text,
  blob_hash      bytea,
  uri            text COMPRESSION lz4,
  received_at    timestamptz NOT NULL,
  PRIMARY KEY (project_id, trace_id, span_id, start_time, output_number)
) PARTITION BY RANGE (start_time);

CREATE TABLE outputs_default PARTITION OF outputs DEFAULT;
CREATE INDEX outputs_blob ON outputs (project_id, blob_hash) WHERE blob_hash IS NOT NULL;

CREATE TABLE image_traces (
  project_id                 integer NOT NULL,
  id                         uuid NOT NULL,
  lesson_id                  text GENERATED ALWAYS AS (entity_id) STORED,
  request_data               jsonb COMPRESSION lz4,
  response_data              jsonb COMPRESSION lz4,
  models_tried               text[],
  model_used                 text,
  total_duration_ms          double precision,
  image_generation_attempts  jsonb COMPRESSION lz4,
  error_message              text COMPRESSION lz4,
  status                     text NOT NULL CHECK (status IN ('started', 'completed', 'failed')),
  created_at                 timestamptz NOT NULL,
  completed_at               timestamptz,
  trace_id                   text COLLATE "C",
  span_id                    text COLLATE "C",
  run_id                     text,
  entity_type                text,
  entity_id                  text,
  environment                text,
  received_at                timestamptz NOT NULL,
  PRIMARY KEY (project_id, id)
);

CREATE INDEX image_traces_created_at ON image_traces (project_id, created_at);
CREATE INDEX image_traces_entity ON image_traces (project_id, entity_type, entity_id) WHERE entity_id IS NOT NULL;

CREATE TABLE generation_items (
  project_id              integer NOT NULL,
  id                      uuid NOT NULL,
  item_id                 text NOT NULL,
  kind                    text,
  title                   text,
  created_at              timestamptz NOT NULL,
  updated_at              timestamptz NOT NULL,
  prompt_version          text,
  model                   text,
  total_input_tokens      bigint,
  total_output_tokens     bigint,
  total_reasoning_tokens  bigint,
  total_tokens            bigint,
  generations_count       integer,
  quality_status          text,
  quality_issues          jsonb,
  generation_trace        jsonb COMPRESSION lz4,
  entity_type             text,
  entity_id               text,
  environment             text,
  run_id                  text,
  trace_id                text COLLATE "C",
  span_id                 text COLLATE "C",
  PRIMARY KEY (project_id, id)
);

CREATE UNIQUE INDEX generation_items_item_id ON generation_items (project_id, item_id);
CREATE INDEX generation_items_created_at ON generation_items (project_id, created_at);
CREATE INDEX generation_items_quality ON generation_items (project_id, quality_status, created_at) WHERE quality_status IS NOT NULL;
CREATE INDEX generation_items_entity ON generation_items (project_id, entity_type, entity_id) WHERE entity_id IS NOT NULL;

CREATE TABLE generation_runs (
  project_id                   integer NOT NULL,
  id                           uuid NOT NULL,
  run_id                       text NOT NULL,
  kind                         text,
  started_at                   timestamptz NOT NULL,
  completed_at                 timestamptz,
  duration_seconds             double precision,
  status                       text NOT NULL CHECK (status IN ('running', 'success', 'partial_failure', 'failed')),
  exit_code                    integer,
  items_requested              bigint,
  items_generated              bigint,
  generation_failures          bigint,
  generation_success_rate      double precision,
  items_evaluated              bigint,
  items_approved               bigint,
  items_rejected               bigint,
  approval_rate                double precision,
  avg_arbiter_score            double precision,
  min_arbiter_score            double precision,
  max_arbiter_score            double precision,
  duplicates_found             bigint,
  exact_duplicates             bigint,
  semantic_duplicates          bigint,
  duplicate_rate               double precision,
  items_inserted               bigint,
  insertion_failures           bigint,
  overall_success_rate         double precision,
  total_errors                 bigint,
  total_api_calls              bigint,
  provider_metrics             jsonb,
  type_metrics                 jsonb,
  difficulty_metrics           jsonb,
  error_summary                jsonb,
  prompt_version               text,
  arbiter_config_version       text,
  min_arbiter_score_threshold  double precision,
  environment                  text,
  triggered_by                 text,
  service_name                 text,
  trace_id                     text COLLATE "C",
  span_id                      text COLLATE "C",
  created_at                   timestamptz NOT NULL,
  updated_at                   timestamptz NOT NULL,
  PRIMARY KEY (project_id, id)
);

CREATE UNIQUE INDEX generation_runs_run_id ON generation_runs (project_id, run_id);
CREATE INDEX generation_runs_started_at ON generation_runs (project_id, started_at);
CREATE INDEX generation_runs_status ON generation_runs (project_id, status, started_at);
CREATE INDEX generation_runs_environment ON generation_runs (project_id, environment, started_at);
CREATE INDEX generation_runs_overall_success ON generation_runs (project_id, overall_success_rate);
