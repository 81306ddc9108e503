-- What calls used, summed up by the hour and by the day, so that a month is read in milliseconds. Whoever changes rows of generation_logs notes the hour in
-- usage_dirty_hours in the same transaction; a job makes the sums of such hours anew. A reader takes clean hours from here and the others from the rows, so
-- that sums are exact at any moment (docs/decisions, rollups).
CREATE TABLE usage_dirty_hours (
  project_id  integer NOT NULL,
  hour        timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE usage_dirty_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON usage_dirty_hours FOR SELECT USING (project_id = (SELECT genspan_project()));
COMMENT ON TABLE usage_dirty_hours IS 'Hours whose sums in usage_hours are not up to date; an hour may stand here many times.';
COMMENT ON COLUMN usage_dirty_hours.project_id IS 'Project that the row belongs to.';
COMMENT ON COLUMN usage_dirty_hours.hour IS 'Beginning of the hour, UTC.';

CREATE TABLE usage_hours (
  project_id               integer NOT NULL,
  hour                     timestamptz NOT NULL,
  service_name             text,
  environment              text,
  provider_name            text,
  model_name               text,
  operation_name           text,
  prompt_template_name     text,
  prompt_template_version  text,
  cost_currency            text,
  generations              bigint NOT NULL,
  succeeded                bigint NOT NULL,
  failed                   bigint NOT NULL,
  timed_out                bigint NOT NULL,
  pending                  bigint NOT NULL,
  approved                 bigint NOT NULL,
  rejected                 bigint NOT NULL,
  pending_review           bigint NOT NULL,
  unpriced                 bigint NOT NULL,
  tokens_prompt            numeric,
  tokens_completion        numeric,
  tokens_reasoning         numeric,
  tokens_cache_read        numeric,
  tokens_cache_write       numeric,
  tokens_total             numeric,
  tokens_known             bigint NOT NULL,
  cost_amount              numeric,
  duration_known           bigint NOT NULL,
  duration_sum_ms          double precision,
  duration_buckets         integer[],
  duration_counts          bigint[]
);
CREATE INDEX usage_hours_hour ON usage_hours (project_id, hour);
ALTER TABLE usage_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON usage_hours FOR SELECT USING (project_id = (SELECT genspan_project()));
COMMENT ON TABLE usage_hours IS 'Sums of model calls by hour. Read /api/usage rather than this table: it knows which hours are not up to date.';
COMMENT ON COLUMN usage_hours.project_id IS 'Project that the row belongs to.';
COMMENT ON COLUMN usage_hours.hour IS 'Beginning of the hour, UTC.';
COMMENT ON COLUMN usage_hours.service_name IS 'Service of the calls.';
COMMENT ON COLUMN usage_hours.environment IS 'Deployment environment of the calls.';
COMMENT ON COLUMN usage_hours.provider_name IS 'Provider of the calls.';
COMMENT ON COLUMN usage_hours.model_name IS 'Model that was asked for.';
COMMENT ON COLUMN usage_hours.operation_name IS 'Operation, such as chat.';
COMMENT ON COLUMN usage_hours.prompt_template_name IS 'Name of the prompt template.';
COMMENT ON COLUMN usage_hours.prompt_template_version IS 'Version of the prompt template.';
COMMENT ON COLUMN usage_hours.cost_currency IS 'Currency of cost_amount.';
COMMENT ON COLUMN usage_hours.generations IS 'Number of calls.';
COMMENT ON COLUMN usage_hours.succeeded IS 'Calls that succeeded.';
COMMENT ON COLUMN usage_hours.failed IS 'Calls that failed.';
COMMENT ON COLUMN usage_hours.timed_out IS 'Calls that timed out.';
COMMENT ON COLUMN usage_hours.pending IS 'Calls that had not ended.';
COMMENT ON COLUMN usage_hours.approved IS 'Calls that a review approved.';
COMMENT ON COLUMN usage_hours.rejected IS 'Calls that a review rejected.';
COMMENT ON COLUMN usage_hours.pending_review IS 'Calls that wait for a review.';
COMMENT ON COLUMN usage_hours.unpriced IS 'Calls that succeeded and whose price is unknown.';
COMMENT ON COLUMN usage_hours.tokens_prompt IS 'Sum of the calls'' tokens_prompt; NULL where none is known.';
COMMENT ON COLUMN usage_hours.tokens_completion IS 'Sum of the calls'' tokens_completion.';
COMMENT ON COLUMN usage_hours.tokens_reasoning IS 'Sum of the calls'' tokens_reasoning.';
COMMENT ON COLUMN usage_hours.tokens_cache_read IS 'Sum of the calls'' tokens_cache_read.';
COMMENT ON COLUMN usage_hours.tokens_cache_write IS 'Sum of the calls'' tokens_cache_write.';
COMMENT ON COLUMN usage_hours.tokens_total IS 'Sum of the calls'' tokens_total.';
COMMENT ON COLUMN usage_hours.tokens_known IS 'Calls whose tokens_total is known.';
COMMENT ON COLUMN usage_hours.cost_amount IS 'Sum of the calls'' cost_amount.';
COMMENT ON COLUMN usage_hours.duration_known IS 'Calls whose duration_ms is known.';
COMMENT ON COLUMN usage_hours.duration_sum_ms IS 'Sum of the calls'' duration_ms.';
COMMENT ON COLUMN usage_hours.duration_buckets IS 'Histogram of duration_ms: bucket n holds durations above 1.02^(n-1) and up to 1.02^n milliseconds.';
COMMENT ON COLUMN usage_hours.duration_counts IS 'Number of calls in each bucket of duration_buckets.';

CREATE TABLE usage_days (
  project_id               integer NOT NULL,
  day                      timestamptz NOT NULL,
  service_name             text,
  environment              text,
  provider_name            text,
  model_name               text,
  operation_name           text,
  prompt_template_name     text,
  prompt_template_version  text,
  cost_currency            text,
  generations              bigint NOT NULL,
  succeeded                bigint NOT NULL,
  failed                   bigint NOT NULL,
  timed_out                bigint NOT NULL,
  pending                  bigint NOT NULL,
  approved                 bigint NOT NULL,
  rejected                 bigint NOT NULL,
  pending_review           bigint NOT NULL,
  unpriced                 bigint NOT NULL,
  tokens_prompt            numeric,
  tokens_completion        numeric,
  tokens_reasoning         numeric,
  tokens_cache_read        numeric,
  tokens_cache_write       numeric,
  tokens_total             numeric,
  tokens_known             bigint NOT NULL,
  cost_amount              numeric,
  duration_known           bigint NOT NULL,
  duration_sum_ms          double precision,
  duration_buckets         integer[],
  duration_counts          bigint[]
);
CREATE INDEX usage_days_day ON usage_days (project_id, day);
ALTER TABLE usage_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_project ON usage_days FOR SELECT USING (project_id = (SELECT genspan_project()));
COMMENT ON TABLE usage_days IS 'Sums of usage_hours by UTC day, for days that are over.';
COMMENT ON COLUMN usage_days.project_id IS 'Project that the row belongs to.';
COMMENT ON COLUMN usage_days.day IS 'Beginning of the day, UTC.';
COMMENT ON COLUMN usage_days.service_name IS 'Service of the calls.';
COMMENT ON COLUMN usage_days.environment IS 'Deployment environment of the calls.';
COMMENT ON COLUMN usage_days.provider_name IS 'Provider of the calls.';
COMMENT ON COLUMN usage_days.model_name IS 'Model that was asked for.';
COMMENT ON COLUMN usage_days.operation_name IS 'Operation, such as chat.';
COMMENT ON COLUMN usage_days.prompt_template_name IS 'Name of the prompt template.';
COMMENT ON COLUMN usage_days.prompt_template_version IS 'Version of the prompt template.';
COMMENT ON COLUMN usage_days.cost_currency IS 'Currency of cost_amount.';
COMMENT ON COLUMN usage_days.generations IS 'Number of calls.';
COMMENT ON COLUMN usage_days.succeeded IS 'Calls that succeeded.';
COMMENT ON COLUMN usage_days.failed IS 'Calls that failed.';
COMMENT ON COLUMN usage_days.timed_out IS 'Calls that timed out.';
COMMENT ON COLUMN usage_days.pending IS 'Calls that had not ended.';
COMMENT ON COLUMN usage_days.approved IS 'Calls that a review approved.';
COMMENT ON COLUMN usage_days.rejected IS 'Calls that a review rejected.';
COMMENT ON COLUMN usage_days.pending_review IS 'Calls that wait for a review.';
COMMENT ON COLUMN usage_days.unpriced IS 'Calls that succeeded and whose price is unknown.';
COMMENT ON COLUMN usage_days.tokens_prompt IS 'Sum of the calls'' tokens_prompt; NULL where none is known.';
COMMENT ON COLUMN usage_days.tokens_completion IS 'Sum of the calls'' tokens_completion.';
COMMENT ON COLUMN usage_days.tokens_reasoning IS 'Sum of the calls'' tokens_reasoning.';
COMMENT ON COLUMN usage_days.tokens_cache_read IS 'Sum of the calls'' tokens_cache_read.';
COMMENT ON COLUMN usage_days.tokens_cache_write IS 'Sum of the calls'' tokens_cache_write.';
COMMENT ON COLUMN usage_days.tokens_total IS 'Sum of the calls'' tokens_total.';
COMMENT ON COLUMN usage_days.tokens_known IS 'Calls whose tokens_total is known.';
COMMENT ON COLUMN usage_days.cost_amount IS 'Sum of the calls'' cost_amount.';
COMMENT ON COLUMN usage_days.duration_known IS 'Calls whose duration_ms is known.';
COMMENT ON COLUMN usage_days.duration_sum_ms IS 'Sum of the calls'' duration_ms.';
COMMENT ON COLUMN usage_days.duration_buckets IS 'Histogram of duration_ms: bucket n holds durations above 1.02^(n-1) and up to 1.02^n milliseconds.';
COMMENT ON COLUMN usage_days.duration_counts IS 'Number of calls in each bucket of duration_buckets.';

-- Everything that is stored already.
INSERT INTO usage_dirty_hours SELECT DISTINCT project_id, date_trunc('hour', start_time, 'UTC') FROM generation_logs;

CREATE INDEX generation_logs_prompt ON generation_logs (project_id, prompt_template_name, prompt_template_version, start_time) WHERE prompt_template_name IS NOT NULL;
