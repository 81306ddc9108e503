-- Views for people and dashboards. All are security_invoker: whoever reads a view is held to his own rights on the tables below it.

-- Exact nanoseconds since 1970 of a time and the part below its microsecond, as in (start_time, start_nano).
-- Subtracting a constant is immutable, where extract(epoch FROM timestamptz) is only stable; so this can be inlined and indexed.
CREATE FUNCTION genspan_unix_nano("time" timestamptz, nano smallint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (EXTRACT(epoch FROM ("time" - timestamptz '1970-01-01 00:00:00+00')) * 1000000)::bigint * 1000 + nano;

CREATE VIEW failed_generations WITH (security_invoker = true) AS
SELECT
  project_id, id, trace_id, span_id, start_time, entity_type, entity_id, service_name, environment, provider_name, model_name,
  error_message, error_type, logged_at, prompt_full_text
FROM generation_logs
WHERE generation_status = 'failed';

CREATE VIEW generations_with_entity WITH (security_invoker = true) AS
SELECT
  project_id, entity_type, entity_id, id, trace_id, span_id, start_time, prompt_template_name, prompt_template_version, model_name,
  tokens_total, duration_ms, generation_status, quality_status, cost_amount, cost_currency, logged_at AS generated_at
FROM generation_logs
WHERE entity_id IS NOT NULL;

CREATE VIEW storage_metrics WITH (security_invoker = true) AS
SELECT
  p.id AS project_id,
  count(g.project_id) AS log_count,
  coalesce(sum(octet_length(g.prompt_full_text)), 0) / 1048576.0 AS prompt_mb,
  avg(octet_length(g.prompt_full_text)) / 1024.0 AS avg_prompt_kb
FROM projects p
LEFT JOIN generation_logs g ON g.project_id = p.id
GROUP BY p.id;

CREATE VIEW daily_usage WITH (security_invoker = true) AS
SELECT
  project_id,
  (start_time AT TIME ZONE 'UTC')::date AS day,
  service_name, environment, provider_name, model_name, operation_name, cost_currency,
  count(*) AS generations,
  count(*) FILTER (WHERE generation_status = 'success') AS succeeded,
  count(*) FILTER (WHERE generation_status IN ('failed', 'timeout')) AS failed,
  count(*) FILTER (WHERE generation_status = 'pending') AS pending,
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
GROUP BY project_id, (start_time AT TIME ZONE 'UTC')::date, service_name, environment, provider_name, model_name, operation_name, cost_currency;

CREATE VIEW question_generation_runs WITH (security_invoker = true) AS
SELECT
  id, started_at, completed_at, duration_seconds, status, exit_code,
  items_requested AS questions_requested,
  items_generated AS questions_generated,
  generation_failures, generation_success_rate,
  items_evaluated AS questions_evaluated,
  items_approved AS questions_approved,
  items_rejected AS questions_rejected,
  approval_rate, avg_arbiter_score, min_arbiter_score, max_arbiter_score,
  duplicates_found, exact_duplicates, semantic_duplicates, duplicate_rate,
  items_inserted AS questions_inserted,
  insertion_failures, overall_success_rate, total_errors, total_api_calls,
  provider_metrics, type_metrics, difficulty_metrics, error_summary,
  prompt_version, arbiter_config_version, min_arbiter_score_threshold,
  environment, triggered_by, created_at, project_id
FROM generation_runs;
