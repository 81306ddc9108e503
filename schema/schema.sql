-- The schema as the migrations leave it, written from the catalog of a freshly migrated database: `npm run schema:dump`.
-- It is here to be read and compared; databases are made by the migrations. Comments on tables and columns stand in README.md.
-- COMPRESSION lz4 is STORAGE EXTERNAL on a server without lz4. Daily partitions are made while genspan runs, by jobs/partitions.ts.

CREATE FUNCTION genspan_provider_counts(metrics jsonb)
 RETURNS numeric[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (SELECT array_agg(metrics.counts ORDER BY metrics.place) AS array_agg FROM (SELECT m.place, array_agg(CASE WHEN (jsonb_typeof((p.told -> m.metric)) = 'number'::text) THEN ((p.told -> m.metric))::numeric ELSE NULL::numeric END ORDER BY (p.provider COLLATE "C")) AS counts FROM jsonb_each(CASE WHEN (jsonb_typeof(genspan_provider_counts.metrics) = 'object'::text) THEN genspan_provider_counts.metrics ELSE NULL::jsonb END) p(provider, told), unnest(ARRAY['generated'::text, 'api_calls'::text, 'failures'::text, 'evaluated'::text, 'approved'::text, 'rejected'::text]) WITH ORDINALITY m(metric, place) GROUP BY m.place) metrics);

CREATE FUNCTION genspan_provider_names(metrics jsonb)
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (SELECT array_agg(provider.provider ORDER BY (provider.provider COLLATE "C")) AS array_agg FROM jsonb_object_keys(CASE WHEN (jsonb_typeof(genspan_provider_names.metrics) = 'object'::text) THEN genspan_provider_names.metrics ELSE NULL::jsonb END) provider(provider));

CREATE TABLE alert_channels (
  project_id integer NOT NULL,
  rule_id uuid NOT NULL,
  channels jsonb NOT NULL,
  CONSTRAINT alert_channels_pkey PRIMARY KEY (project_id, rule_id)
);

CREATE TABLE alert_events (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  rule_id uuid NOT NULL,
  started_at timestamp with time zone NOT NULL,
  resolved_at timestamp with time zone,
  notified_at timestamp with time zone,
  value double precision,
  details jsonb,
  resolution_notified_at timestamp with time zone,
  attempts integer,
  last_failure text,
  CONSTRAINT alert_events_pkey PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX alert_events_open ON alert_events USING btree (project_id, rule_id) WHERE (resolved_at IS NULL);
CREATE INDEX alert_events_started_at ON alert_events USING btree (project_id, started_at);

CREATE TABLE alert_rules (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  enabled boolean NOT NULL,
  condition jsonb NOT NULL,
  notify jsonb,
  interval_seconds integer NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  muted_until timestamp with time zone,
  evaluated_at timestamp with time zone,
  last_state text,
  CONSTRAINT alert_rules_project_id_name_key UNIQUE (project_id, name),
  CONSTRAINT alert_rules_pkey PRIMARY KEY (project_id, id),
  CONSTRAINT alert_rules_interval_seconds_check CHECK ((interval_seconds > 0)),
  CONSTRAINT alert_rules_last_state_check CHECK ((last_state = ANY (ARRAY['ok'::text, 'firing'::text, 'no_data'::text, 'failed'::text])))
);

CREATE TABLE api_keys (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  prefix text NOT NULL,
  hash bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  max_requests_per_second integer,
  CONSTRAINT api_keys_hash_key UNIQUE (hash),
  CONSTRAINT api_keys_pkey PRIMARY KEY (project_id, id),
  CONSTRAINT api_keys_hash_check CHECK ((length(hash) = 32)),
  CONSTRAINT api_keys_max_requests_per_second_check CHECK ((max_requests_per_second > 0)),
  CONSTRAINT api_keys_scopes_check CHECK ((scopes <@ ARRAY['ingest'::text, 'read'::text, 'admin'::text]))
);

CREATE TABLE archive_folders (
  project_id integer NOT NULL,
  folder text NOT NULL,
  first_used_at timestamp with time zone NOT NULL,
  CONSTRAINT archive_folders_pkey PRIMARY KEY (project_id, folder)
);

CREATE TABLE audit_log (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  "time" timestamp with time zone NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  subject text,
  details jsonb,
  CONSTRAINT audit_log_pkey PRIMARY KEY (project_id, id)
);
CREATE INDEX audit_log_subject ON audit_log USING btree (project_id, subject, "time") WHERE (subject IS NOT NULL);
CREATE INDEX audit_log_time ON audit_log USING btree (project_id, "time");

CREATE TABLE blobs (
  project_id integer NOT NULL,
  hash bytea NOT NULL,
  media_type text,
  size_bytes bigint NOT NULL,
  content bytea COMPRESSION lz4 NOT NULL,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT blobs_pkey PRIMARY KEY (project_id, hash),
  CONSTRAINT blobs_hash_check CHECK ((length(hash) = 32))
);

CREATE TABLE deleted_images (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  deleted_at timestamp with time zone NOT NULL,
  CONSTRAINT deleted_images_pkey PRIMARY KEY (project_id, id)
);

CREATE TABLE erasures (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  subject_kind text NOT NULL,
  subject_hash bytea NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  counts jsonb,
  CONSTRAINT erasures_pkey PRIMARY KEY (project_id, id),
  CONSTRAINT erasures_subject_hash_check CHECK ((length(subject_hash) = 32)),
  CONSTRAINT erasures_subject_kind_check CHECK ((subject_kind = ANY (ARRAY['user'::text, 'conversation'::text, 'entity'::text, 'trace'::text, 'generation'::text])))
);

CREATE TABLE generation_attempts (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  start_time timestamp with time zone NOT NULL,
  attempt_number integer NOT NULL,
  provider_name text,
  model_name text,
  started_at timestamp with time zone,
  duration_ms double precision,
  success boolean,
  http_status integer,
  error_type text,
  error_message text COMPRESSION lz4,
  request jsonb COMPRESSION lz4,
  response jsonb COMPRESSION lz4,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT generation_attempts_pkey PRIMARY KEY (project_id, trace_id, span_id, start_time, attempt_number)
) PARTITION BY RANGE (start_time);
CREATE TABLE generation_attempts_default PARTITION OF generation_attempts DEFAULT;

CREATE TABLE generation_items (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  item_id text NOT NULL,
  kind text,
  title text,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  prompt_version text,
  model text,
  total_input_tokens bigint,
  total_output_tokens bigint,
  total_reasoning_tokens bigint,
  total_tokens bigint,
  generations_count integer,
  quality_status text,
  quality_issues jsonb,
  generation_trace jsonb COMPRESSION lz4,
  entity_type text,
  entity_id text,
  environment text,
  run_id text,
  trace_id text COLLATE "C",
  span_id text COLLATE "C",
  status text,
  completed_at timestamp with time zone,
  error_message text COMPRESSION lz4,
  told jsonb COMPRESSION lz4,
  review jsonb COMPRESSION lz4,
  CONSTRAINT generation_items_pkey PRIMARY KEY (project_id, id),
  CONSTRAINT generation_items_status_check CHECK ((status = ANY (ARRAY['completed'::text, 'failed'::text])))
);
CREATE INDEX generation_items_created_at ON generation_items USING btree (project_id, created_at);
CREATE INDEX generation_items_entity ON generation_items USING btree (project_id, entity_type, entity_id) WHERE (entity_id IS NOT NULL);
CREATE UNIQUE INDEX generation_items_item_id ON generation_items USING btree (project_id, item_id);
CREATE INDEX generation_items_quality ON generation_items USING btree (project_id, quality_status, created_at) WHERE (quality_status IS NOT NULL);

CREATE TABLE generation_logs (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  start_time timestamp with time zone NOT NULL,
  id text COLLATE "C" GENERATED ALWAYS AS (((trace_id || '-'::text) || span_id)) STORED,
  parent_span_id text COLLATE "C",
  end_time timestamp with time zone,
  service_name text,
  environment text,
  dialect text NOT NULL,
  operation_name text,
  provider_name text,
  prompt_full_text text COMPRESSION lz4,
  prompt_format text,
  system_instructions text COMPRESSION lz4,
  prompt_template_name text,
  prompt_template_version text,
  prompt_modules_used jsonb COMPRESSION lz4,
  prompt_variables jsonb COMPRESSION lz4,
  tool_definitions text COMPRESSION lz4,
  model_name text,
  model_temperature double precision,
  model_max_tokens bigint,
  model_top_p double precision,
  model_top_k double precision,
  model_frequency_penalty double precision,
  model_presence_penalty double precision,
  model_seed bigint,
  model_stop_sequences jsonb,
  model_reasoning_level text,
  model_parameters jsonb COMPRESSION lz4,
  response_model text,
  response_full_text text COMPRESSION lz4,
  response_format text,
  reasoning_content text COMPRESSION lz4,
  tokens_prompt bigint,
  tokens_completion bigint,
  tokens_total bigint,
  tokens_reasoning bigint,
  tokens_cache_read bigint,
  tokens_cache_write bigint,
  duration_ms double precision,
  time_to_first_token_ms double precision,
  response_finish_reason text,
  response_id text,
  response_created_at bigint,
  cached boolean,
  generation_status text NOT NULL,
  error_message text COMPRESSION lz4,
  error_type text,
  error_traceback text COMPRESSION lz4,
  attempts_count integer,
  cost_amount numeric,
  cost_currency text,
  cost_source text,
  run_id text,
  item_id text,
  conversation_id text,
  user_id text,
  entity_type text,
  entity_id text,
  quality_status text,
  quality_issues jsonb,
  quality_score double precision,
  additional_metadata jsonb COMPRESSION lz4,
  content_state text,
  logged_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  received_at timestamp with time zone NOT NULL,
  filled_from jsonb,
  own_values jsonb,
  CONSTRAINT generation_logs_pkey PRIMARY KEY (project_id, trace_id, span_id, start_time),
  CONSTRAINT generation_logs_content_state_check CHECK ((content_state = ANY (ARRAY['captured'::text, 'absent'::text, 'redacted'::text, 'truncated'::text]))),
  CONSTRAINT generation_logs_generation_status_check CHECK ((generation_status = ANY (ARRAY['pending'::text, 'success'::text, 'failed'::text, 'timeout'::text]))),
  CONSTRAINT generation_logs_prompt_format_check CHECK ((prompt_format = ANY (ARRAY['text'::text, 'messages'::text]))),
  CONSTRAINT generation_logs_response_format_check CHECK ((response_format = ANY (ARRAY['text'::text, 'messages'::text])))
) PARTITION BY RANGE (start_time);
CREATE TABLE generation_logs_default PARTITION OF generation_logs DEFAULT;
CREATE INDEX generation_logs_entity ON generation_logs USING btree (project_id, entity_type, entity_id) WHERE (entity_id IS NOT NULL);
CREATE INDEX generation_logs_item ON generation_logs USING btree (project_id, item_id) WHERE (item_id IS NOT NULL);
CREATE INDEX generation_logs_model ON generation_logs USING btree (project_id, model_name, start_time);
CREATE INDEX generation_logs_prompt ON generation_logs USING btree (project_id, prompt_template_name, prompt_template_version, start_time) WHERE (prompt_template_name IS NOT NULL);
CREATE INDEX generation_logs_received_at ON generation_logs USING brin (received_at) WITH (pages_per_range='16');
CREATE INDEX generation_logs_review ON generation_logs USING btree (project_id, quality_status, start_time) WHERE (quality_status IS NOT NULL);
CREATE INDEX generation_logs_run ON generation_logs USING btree (project_id, run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX generation_logs_start_time ON generation_logs USING btree (project_id, start_time);
CREATE INDEX generation_logs_summary ON generation_logs USING brin (start_time, user_id text_bloom_ops (n_distinct_per_range='256'), conversation_id text_bloom_ops (n_distinct_per_range='256'), response_finish_reason text_bloom_ops (n_distinct_per_range='16'), duration_ms, tokens_total, cost_amount) WITH (pages_per_range='32');
CREATE INDEX generation_logs_unfinished ON generation_logs USING btree (project_id, start_time) WHERE (generation_status <> 'success'::text);

CREATE TABLE generation_runs (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  run_id text NOT NULL,
  kind text,
  started_at timestamp with time zone NOT NULL,
  completed_at timestamp with time zone,
  duration_seconds double precision,
  status text NOT NULL,
  exit_code integer,
  items_requested bigint,
  items_generated bigint,
  generation_failures bigint,
  generation_success_rate double precision,
  items_evaluated bigint,
  items_approved bigint,
  items_rejected bigint,
  approval_rate double precision,
  avg_arbiter_score double precision,
  min_arbiter_score double precision,
  max_arbiter_score double precision,
  duplicates_found bigint,
  exact_duplicates bigint,
  semantic_duplicates bigint,
  duplicate_rate double precision,
  items_inserted bigint,
  insertion_failures bigint,
  overall_success_rate double precision,
  total_errors bigint,
  total_api_calls bigint,
  provider_metrics jsonb,
  type_metrics jsonb,
  difficulty_metrics jsonb,
  error_summary jsonb,
  prompt_version text,
  arbiter_config_version text,
  min_arbiter_score_threshold double precision,
  environment text,
  triggered_by text,
  service_name text,
  trace_id text COLLATE "C",
  span_id text COLLATE "C",
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  closed_by text,
  provider_names text[] GENERATED ALWAYS AS (genspan_provider_names(provider_metrics)) STORED,
  provider_counts numeric[] GENERATED ALWAYS AS (genspan_provider_counts(provider_metrics)) STORED,
  CONSTRAINT generation_runs_pkey PRIMARY KEY (project_id, id),
  CONSTRAINT generation_runs_closed_by_check CHECK ((closed_by = ANY (ARRAY['report'::text, 'operator'::text]))),
  CONSTRAINT generation_runs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'success'::text, 'partial_failure'::text, 'failed'::text])))
);
CREATE INDEX generation_runs_environment ON generation_runs USING btree (project_id, environment, started_at);
CREATE INDEX generation_runs_overall_success ON generation_runs USING btree (project_id, overall_success_rate);
CREATE UNIQUE INDEX generation_runs_run_id ON generation_runs USING btree (project_id, run_id);
CREATE INDEX generation_runs_started_at ON generation_runs USING btree (project_id, started_at);
CREATE INDEX generation_runs_status ON generation_runs USING btree (project_id, status, started_at);

CREATE TABLE generation_scores (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  "time" timestamp with time zone NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  value double precision,
  label text,
  explanation text COMPRESSION lz4,
  source text NOT NULL,
  scored_by text,
  received_at timestamp with time zone NOT NULL,
  response_id text,
  told_trace_id text COLLATE "C",
  told_span_id text COLLATE "C",
  CONSTRAINT generation_scores_pkey PRIMARY KEY (project_id, trace_id, span_id, "time", id),
  CONSTRAINT generation_scores_source_check CHECK ((source = ANY (ARRAY['evaluation'::text, 'review'::text])))
) PARTITION BY RANGE ("time");
CREATE TABLE generation_scores_default PARTITION OF generation_scores DEFAULT;
CREATE INDEX generation_scores_name ON generation_scores USING btree (project_id, name, "time");
CREATE INDEX generation_scores_unfound ON generation_scores USING btree (received_at) WHERE ((response_id IS NOT NULL) AND (told_span_id IS NULL));

CREATE TABLE generation_twins (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  start_time timestamp with time zone NOT NULL,
  id text COLLATE "C" GENERATED ALWAYS AS (((trace_id || '-'::text) || span_id)) STORED,
  parent_span_id text COLLATE "C",
  end_time timestamp with time zone,
  service_name text,
  environment text,
  dialect text NOT NULL,
  operation_name text,
  provider_name text,
  prompt_full_text text COMPRESSION lz4,
  prompt_format text,
  system_instructions text COMPRESSION lz4,
  prompt_template_name text,
  prompt_template_version text,
  prompt_modules_used jsonb COMPRESSION lz4,
  prompt_variables jsonb COMPRESSION lz4,
  tool_definitions text COMPRESSION lz4,
  model_name text,
  model_temperature double precision,
  model_max_tokens bigint,
  model_top_p double precision,
  model_top_k double precision,
  model_frequency_penalty double precision,
  model_presence_penalty double precision,
  model_seed bigint,
  model_stop_sequences jsonb,
  model_reasoning_level text,
  model_parameters jsonb COMPRESSION lz4,
  response_model text,
  response_full_text text COMPRESSION lz4,
  response_format text,
  reasoning_content text COMPRESSION lz4,
  tokens_prompt bigint,
  tokens_completion bigint,
  tokens_total bigint,
  tokens_reasoning bigint,
  tokens_cache_read bigint,
  tokens_cache_write bigint,
  duration_ms double precision,
  time_to_first_token_ms double precision,
  response_finish_reason text,
  response_id text,
  response_created_at bigint,
  cached boolean,
  generation_status text NOT NULL,
  error_message text COMPRESSION lz4,
  error_type text,
  error_traceback text COMPRESSION lz4,
  attempts_count integer,
  cost_amount numeric,
  cost_currency text,
  cost_source text,
  run_id text,
  item_id text,
  conversation_id text,
  user_id text,
  entity_type text,
  entity_id text,
  quality_status text,
  quality_issues jsonb,
  quality_score double precision,
  additional_metadata jsonb COMPRESSION lz4,
  content_state text,
  logged_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  received_at timestamp with time zone NOT NULL,
  filled_from jsonb,
  survivor_span_id text COLLATE "C",
  own_values jsonb,
  CONSTRAINT generation_twins_pkey PRIMARY KEY (project_id, trace_id, span_id, start_time),
  CONSTRAINT generation_logs_content_state_check CHECK ((content_state = ANY (ARRAY['captured'::text, 'absent'::text, 'redacted'::text, 'truncated'::text]))),
  CONSTRAINT generation_logs_generation_status_check CHECK ((generation_status = ANY (ARRAY['pending'::text, 'success'::text, 'failed'::text, 'timeout'::text]))),
  CONSTRAINT generation_logs_prompt_format_check CHECK ((prompt_format = ANY (ARRAY['text'::text, 'messages'::text]))),
  CONSTRAINT generation_logs_response_format_check CHECK ((response_format = ANY (ARRAY['text'::text, 'messages'::text])))
) PARTITION BY RANGE (start_time);
CREATE TABLE generation_twins_default PARTITION OF generation_twins DEFAULT;

CREATE TABLE genspan_migrations (
  version integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamp with time zone NOT NULL,
  CONSTRAINT genspan_migrations_pkey PRIMARY KEY (version)
);

CREATE TABLE image_traces (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  lesson_id text GENERATED ALWAYS AS (entity_id) STORED,
  request_data jsonb COMPRESSION lz4,
  response_data jsonb COMPRESSION lz4,
  models_tried text[],
  model_used text,
  total_duration_ms double precision,
  image_generation_attempts jsonb COMPRESSION lz4,
  error_message text COMPRESSION lz4,
  status text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  completed_at timestamp with time zone,
  trace_id text COLLATE "C",
  span_id text COLLATE "C",
  run_id text,
  entity_type text,
  entity_id text,
  environment text,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT image_traces_pkey PRIMARY KEY (project_id, id),
  CONSTRAINT image_traces_status_check CHECK ((status = ANY (ARRAY['started'::text, 'completed'::text, 'failed'::text])))
);
CREATE INDEX image_traces_created_at ON image_traces USING btree (project_id, created_at);
CREATE INDEX image_traces_entity ON image_traces USING btree (project_id, entity_type, entity_id) WHERE (entity_id IS NOT NULL);
CREATE INDEX image_traces_trace ON image_traces USING btree (project_id, trace_id) WHERE (trace_id IS NOT NULL);

CREATE TABLE ingest_rejected (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  signal text NOT NULL,
  reason text NOT NULL,
  sqlstate text,
  detail text,
  raw bytea COMPRESSION lz4 NOT NULL,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT ingest_rejected_pkey PRIMARY KEY (project_id, id)
);

CREATE TABLE job_leases (
  job text NOT NULL,
  holder text NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT job_leases_pkey PRIMARY KEY (job)
);

CREATE TABLE log_records (
  project_id integer NOT NULL,
  "time" timestamp with time zone NOT NULL,
  id uuid NOT NULL,
  time_nano smallint NOT NULL,
  observed_time timestamp with time zone,
  observed_nano smallint,
  trace_id text COLLATE "C",
  span_id text COLLATE "C",
  severity_number integer,
  severity_text text,
  event_name text,
  service_name text NOT NULL,
  body jsonb COMPRESSION lz4,
  attributes jsonb COMPRESSION lz4 NOT NULL,
  resource_id uuid NOT NULL,
  scope_id uuid,
  flags bigint,
  dropped_attributes_count bigint,
  ingest_notes jsonb,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT log_records_pkey PRIMARY KEY (project_id, "time", id)
) PARTITION BY RANGE ("time");
CREATE TABLE log_records_default PARTITION OF log_records DEFAULT;
CREATE INDEX log_records_span ON log_records USING btree (project_id, trace_id, span_id) WHERE (trace_id IS NOT NULL);
CREATE INDEX log_records_untimed ON log_records USING btree (project_id, id) WHERE ((observed_time IS NULL) AND ("time" = received_at));

CREATE TABLE model_prices (
  project_id integer NOT NULL,
  provider_name text NOT NULL,
  model_name text NOT NULL,
  valid_from timestamp with time zone NOT NULL,
  currency text NOT NULL,
  input_per_million numeric,
  output_per_million numeric,
  cache_read_per_million numeric,
  cache_write_per_million numeric,
  image_each numeric,
  updated_at timestamp with time zone NOT NULL,
  CONSTRAINT model_prices_pkey PRIMARY KEY (project_id, provider_name, model_name, valid_from)
);

CREATE TABLE outputs (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  start_time timestamp with time zone NOT NULL,
  output_number integer NOT NULL,
  direction text NOT NULL,
  modality text,
  media_type text,
  blob_hash bytea,
  uri text COMPRESSION lz4,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT outputs_pkey PRIMARY KEY (project_id, trace_id, span_id, start_time, output_number),
  CONSTRAINT outputs_direction_check CHECK ((direction = ANY (ARRAY['input'::text, 'output'::text])))
) PARTITION BY RANGE (start_time);
CREATE TABLE outputs_default PARTITION OF outputs DEFAULT;
CREATE INDEX outputs_blob ON outputs USING btree (project_id, blob_hash) WHERE (blob_hash IS NOT NULL);

CREATE TABLE projects (
  id integer NOT NULL,
  name text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  deleted_at timestamp with time zone,
  CONSTRAINT projects_name_key UNIQUE (name),
  CONSTRAINT projects_pkey PRIMARY KEY (id)
);

CREATE TABLE quality_progress (
  project_id integer NOT NULL,
  judged_until timestamp with time zone NOT NULL,
  CONSTRAINT quality_progress_pkey PRIMARY KEY (project_id)
);

CREATE TABLE quality_rules (
  project_id integer NOT NULL,
  name text NOT NULL,
  target text NOT NULL,
  pattern text,
  marks boolean NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  CONSTRAINT quality_rules_pkey PRIMARY KEY (project_id, name),
  CONSTRAINT quality_rules_target_check CHECK ((target = ANY (ARRAY['output'::text, 'reasoning'::text])))
);

CREATE TABLE released_origins (
  project_id integer NOT NULL,
  origin_kind text NOT NULL,
  id uuid NOT NULL,
  noted_at timestamp with time zone,
  looked_from timestamp with time zone,
  released_at timestamp with time zone,
  CONSTRAINT released_origins_pkey PRIMARY KEY (project_id, origin_kind, id),
  CONSTRAINT released_origins_origin_kind_check CHECK ((origin_kind = ANY (ARRAY['resources'::text, 'scopes'::text])))
);

CREATE TABLE resources (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  attributes jsonb COMPRESSION lz4 NOT NULL,
  schema_url text,
  dropped_attributes_count bigint,
  CONSTRAINT resources_pkey PRIMARY KEY (project_id, id)
);

CREATE TABLE review_claims (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  claimed_by text NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT review_claims_pkey PRIMARY KEY (project_id, trace_id, span_id)
);

CREATE TABLE scopes (
  project_id integer NOT NULL,
  id uuid NOT NULL,
  name text,
  version text,
  attributes jsonb COMPRESSION lz4 NOT NULL,
  schema_url text,
  dropped_attributes_count bigint,
  CONSTRAINT scopes_pkey PRIMARY KEY (project_id, id)
);

CREATE TABLE spans (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  start_time timestamp with time zone NOT NULL,
  start_nano smallint NOT NULL,
  end_time timestamp with time zone,
  end_nano smallint,
  duration_ns bigint,
  parent_span_id text COLLATE "C",
  name text NOT NULL,
  kind smallint NOT NULL,
  service_name text NOT NULL,
  status_code smallint NOT NULL,
  status_message text COMPRESSION lz4,
  attributes jsonb COMPRESSION lz4 NOT NULL,
  resource_id uuid NOT NULL,
  scope_id uuid,
  events jsonb COMPRESSION lz4,
  links jsonb COMPRESSION lz4,
  trace_state text,
  flags bigint,
  dropped_attributes_count bigint,
  dropped_events_count bigint,
  dropped_links_count bigint,
  content_moved smallint,
  ingest_notes jsonb,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT spans_pkey PRIMARY KEY (project_id, trace_id, span_id, start_time)
) PARTITION BY RANGE (start_time);
CREATE TABLE spans_default PARTITION OF spans DEFAULT;
CREATE INDEX spans_entries ON spans USING btree (project_id, start_time) WHERE ((parent_span_id IS NULL) OR (kind = ANY (ARRAY[2, 5])));
CREATE INDEX spans_start_time ON spans USING brin (start_time) WITH (pages_per_range='32');

CREATE TABLE sql_logins (
  login text NOT NULL,
  project_id integer NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT sql_logins_pkey PRIMARY KEY (login)
);

CREATE TABLE tombstones (
  project_id integer NOT NULL,
  trace_id text COLLATE "C" NOT NULL,
  span_id text COLLATE "C" NOT NULL,
  erasure_id uuid NOT NULL,
  erased_at timestamp with time zone NOT NULL,
  CONSTRAINT tombstones_pkey PRIMARY KEY (project_id, trace_id, span_id)
);
CREATE INDEX tombstones_erased_at ON tombstones USING btree (erased_at);
CREATE INDEX tombstones_erasure ON tombstones USING btree (project_id, erasure_id);

CREATE TABLE usage_days (
  project_id integer NOT NULL,
  day timestamp with time zone NOT NULL,
  service_name text,
  environment text,
  provider_name text,
  model_name text,
  operation_name text,
  prompt_template_name text,
  prompt_template_version text,
  cost_currency text,
  generations bigint NOT NULL,
  succeeded bigint NOT NULL,
  failed bigint NOT NULL,
  timed_out bigint NOT NULL,
  pending bigint NOT NULL,
  approved bigint NOT NULL,
  rejected bigint NOT NULL,
  pending_review bigint NOT NULL,
  unpriced bigint NOT NULL,
  tokens_prompt numeric,
  tokens_completion numeric,
  tokens_reasoning numeric,
  tokens_cache_read numeric,
  tokens_cache_write numeric,
  tokens_total numeric,
  tokens_known bigint NOT NULL,
  cost_amount numeric,
  duration_known bigint NOT NULL,
  duration_sum_ms double precision,
  durations numeric
);
CREATE INDEX usage_days_day ON usage_days USING btree (project_id, day);

CREATE TABLE usage_dirty_hours (
  project_id integer NOT NULL,
  hour timestamp with time zone NOT NULL
);

CREATE TABLE usage_hours (
  project_id integer NOT NULL,
  hour timestamp with time zone NOT NULL,
  service_name text,
  environment text,
  provider_name text,
  model_name text,
  operation_name text,
  prompt_template_name text,
  prompt_template_version text,
  cost_currency text,
  generations bigint NOT NULL,
  succeeded bigint NOT NULL,
  failed bigint NOT NULL,
  timed_out bigint NOT NULL,
  pending bigint NOT NULL,
  approved bigint NOT NULL,
  rejected bigint NOT NULL,
  pending_review bigint NOT NULL,
  unpriced bigint NOT NULL,
  tokens_prompt numeric,
  tokens_completion numeric,
  tokens_reasoning numeric,
  tokens_cache_read numeric,
  tokens_cache_write numeric,
  tokens_total numeric,
  tokens_known bigint NOT NULL,
  cost_amount numeric,
  duration_known bigint NOT NULL,
  duration_sum_ms double precision,
  durations numeric
);
CREATE INDEX usage_hours_hour ON usage_hours USING btree (project_id, hour);

CREATE TABLE word_dirty_hours (
  project_id integer NOT NULL,
  hour timestamp with time zone NOT NULL,
  noted_at timestamp with time zone NOT NULL
);

CREATE TABLE word_signatures (
  project_id integer NOT NULL,
  hour timestamp with time zone NOT NULL,
  part integer NOT NULL,
  first_time timestamp with time zone NOT NULL,
  last_time timestamp with time zone NOT NULL,
  bits bytea NOT NULL,
  CONSTRAINT word_signatures_pkey PRIMARY KEY (project_id, hour, part)
);

CREATE FUNCTION genspan_keep_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('genspan.erasing', true) = 'on' AND (NEW.project_id, NEW.id, NEW.time, NEW.actor, NEW.action)
    IS NOT DISTINCT FROM (OLD.project_id, OLD.id, OLD.time, OLD.actor, OLD.action) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'entries of the audit log are kept as they are' USING ERRCODE = 'insufficient_privilege';
END
$function$;

CREATE FUNCTION genspan_project()
 RETURNS integer
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((SELECT l.project_id FROM sql_logins l WHERE (l.login = SESSION_USER)), (SELECT l.project_id FROM sql_logins l WHERE (l.login = CURRENT_USER)), (NULLIF(current_setting('genspan.project'::text, true), ''::text))::integer);

CREATE FUNCTION genspan_unix_nano("time" timestamp with time zone, nano smallint)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (((((EXTRACT(epoch FROM ("time" - '1970-01-01 00:00:00+00'::timestamp with time zone)) * (1000000)::numeric))::bigint)::numeric * (1000)::numeric) + (nano)::numeric);

ALTER TABLE alert_channels ENABLE ROW LEVEL SECURITY;
ALTER TABLE alert_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON alert_events FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE alert_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON alert_rules FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE archive_folders ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON audit_log FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
CREATE TRIGGER audit_log_kept BEFORE DELETE OR UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION genspan_keep_audit();
ALTER TABLE blobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON blobs FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE deleted_images ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON deleted_images FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON erasures FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE generation_attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_attempts FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE generation_attempts_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE generation_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_items FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE generation_logs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_logs FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE generation_logs_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE generation_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_runs FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE generation_scores ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_scores FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE generation_scores_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE generation_twins ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON generation_twins FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE generation_twins_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE image_traces ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON image_traces FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE ingest_rejected ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON ingest_rejected FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE log_records ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON log_records FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE log_records_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_prices ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON model_prices FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE outputs ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON outputs FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE outputs_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON projects FOR SELECT USING ((id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE quality_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON quality_progress FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE quality_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON quality_rules FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE released_origins ENABLE ROW LEVEL SECURITY;
ALTER TABLE resources ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON resources FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE review_claims ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON review_claims FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE scopes ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON scopes FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE spans ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON spans FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE spans_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE sql_logins ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_login ON sql_logins FOR SELECT USING ((login = ANY (ARRAY[(SESSION_USER)::text, (CURRENT_USER)::text])));
GRANT SELECT ON sql_logins TO PUBLIC;
ALTER TABLE tombstones ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON tombstones FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE usage_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON usage_days FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE usage_dirty_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON usage_dirty_hours FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE usage_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON usage_hours FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE word_dirty_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON word_dirty_hours FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));
ALTER TABLE word_signatures ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON word_signatures FOR SELECT USING ((project_id = ( SELECT genspan_project() AS genspan_project)));

CREATE VIEW daily_usage WITH (security_invoker=true) AS
 SELECT project_id,
    ((start_time AT TIME ZONE 'UTC'::text))::date AS day,
    service_name,
    environment,
    provider_name,
    model_name,
    operation_name,
    cost_currency,
    count(*) AS generations,
    count(*) FILTER (WHERE (generation_status = 'success'::text)) AS succeeded,
    count(*) FILTER (WHERE (generation_status = ANY (ARRAY['failed'::text, 'timeout'::text]))) AS failed,
    count(*) FILTER (WHERE (generation_status = 'pending'::text)) AS pending,
    sum(tokens_prompt) AS tokens_prompt,
    sum(tokens_completion) AS tokens_completion,
    sum(tokens_total) AS tokens_total,
    sum(tokens_reasoning) AS tokens_reasoning,
    sum(tokens_cache_read) AS tokens_cache_read,
    sum(tokens_cache_write) AS tokens_cache_write,
    sum(cost_amount) AS cost_amount,
    avg(duration_ms) AS avg_duration_ms,
    max(duration_ms) AS max_duration_ms
   FROM generation_logs
  GROUP BY project_id, (((start_time AT TIME ZONE 'UTC'::text))::date), service_name, environment, provider_name, model_name, operation_name, cost_currency;

CREATE VIEW failed_generations WITH (security_invoker=true) AS
 SELECT project_id,
    id,
    trace_id,
    span_id,
    start_time,
    entity_type,
    entity_id,
    service_name,
    environment,
    provider_name,
    model_name,
    error_message,
    error_type,
    logged_at,
    prompt_full_text
   FROM generation_logs
  WHERE (generation_status = 'failed'::text);

CREATE VIEW generations_with_entity WITH (security_invoker=true) AS
 SELECT project_id,
    entity_type,
    entity_id,
    id,
    trace_id,
    span_id,
    start_time,
    prompt_template_name,
    prompt_template_version,
    model_name,
    tokens_total,
    duration_ms,
    generation_status,
    quality_status,
    cost_amount,
    cost_currency,
    logged_at AS generated_at
   FROM generation_logs
  WHERE (entity_id IS NOT NULL);

CREATE VIEW question_generation_runs WITH (security_invoker=true) AS
 SELECT id,
    started_at,
    completed_at,
    duration_seconds,
    status,
    exit_code,
    items_requested AS questions_requested,
    items_generated AS questions_generated,
    generation_failures,
    generation_success_rate,
    items_evaluated AS questions_evaluated,
    items_approved AS questions_approved,
    items_rejected AS questions_rejected,
    approval_rate,
    avg_arbiter_score,
    min_arbiter_score,
    max_arbiter_score,
    duplicates_found,
    exact_duplicates,
    semantic_duplicates,
    duplicate_rate,
    items_inserted AS questions_inserted,
    insertion_failures,
    overall_success_rate,
    total_errors,
    total_api_calls,
    provider_metrics,
    type_metrics,
    difficulty_metrics,
    error_summary,
    prompt_version,
    arbiter_config_version,
    min_arbiter_score_threshold,
    environment,
    triggered_by,
    created_at,
    project_id
   FROM generation_runs;

CREATE VIEW storage_metrics WITH (security_invoker=true) AS
 SELECT p.id AS project_id,
    count(g.project_id) AS log_count,
    ((COALESCE(sum(octet_length(g.prompt_full_text)), (0)::bigint))::numeric / 1048576.0) AS prompt_mb,
    (avg(octet_length(g.prompt_full_text)) / 1024.0) AS avg_prompt_kb
   FROM (projects p
     LEFT JOIN generation_logs g ON ((g.project_id = p.id)))
  GROUP BY p.id;
