-- What providers did in a run, taken out of its JSON when it is written: reports add up thousands of runs (docs/decisions, counts of providers).
CREATE FUNCTION genspan_provider_names(metrics jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT array_agg(provider ORDER BY provider COLLATE "C") FROM jsonb_object_keys(CASE WHEN jsonb_typeof(metrics) = 'object' THEN metrics END) AS provider);

CREATE FUNCTION genspan_provider_counts(metrics jsonb) RETURNS numeric[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
  SELECT array_agg(counts ORDER BY place) FROM (
    SELECT place, array_agg(CASE WHEN jsonb_typeof(told -> metric) = 'number' THEN (told -> metric)::numeric END ORDER BY provider COLLATE "C") AS counts
    FROM jsonb_each(CASE WHEN jsonb_typeof(metrics) = 'object' THEN metrics END) AS p (provider, told),
      unnest(ARRAY['generated', 'api_calls', 'failures', 'evaluated', 'approved', 'rejected']) WITH ORDINALITY AS m (metric, place)
    GROUP BY place
  ) AS metrics
);
COMMENT ON FUNCTION genspan_provider_names(jsonb) IS 'The providers of a run''s provider_metrics, in order.';
COMMENT ON FUNCTION genspan_provider_counts(jsonb) IS 'Their numbers, a row each of generated, api_calls, failures, evaluated, approved and rejected, a column for each provider.';

ALTER TABLE generation_runs
  ADD COLUMN provider_names text[] GENERATED ALWAYS AS (genspan_provider_names(provider_metrics)) STORED,
  ADD COLUMN provider_counts numeric[] GENERATED ALWAYS AS (genspan_provider_counts(provider_metrics)) STORED;
COMMENT ON COLUMN generation_runs.provider_names IS 'Providers that provider_metrics names, in order.';
COMMENT ON COLUMN generation_runs.provider_counts IS 'Numbers of provider_metrics: a row each of generated, api_calls, failures, evaluated, approved and rejected, a column for each of provider_names.';
