-- A histogram is one number: twelve decimal digits for each bucket, so that sum() adds up all buckets of many rows at once (docs/decisions, histograms).
INSERT INTO usage_dirty_hours SELECT DISTINCT project_id, hour FROM usage_hours;
TRUNCATE usage_hours, usage_days;
ALTER TABLE usage_hours DROP COLUMN duration_buckets, DROP COLUMN duration_counts, ADD COLUMN durations numeric;
ALTER TABLE usage_days DROP COLUMN duration_buckets, DROP COLUMN duration_counts, ADD COLUMN durations numeric;
COMMENT ON COLUMN usage_hours.durations IS 'Histogram of duration_ms, twelve decimal digits a bucket: the calls above 1.05^(n-1) and up to 1.05^n milliseconds are counted in 10^(12*(n+141)).';
COMMENT ON COLUMN usage_days.durations IS 'Histogram of duration_ms, twelve decimal digits a bucket: the calls above 1.05^(n-1) and up to 1.05^n milliseconds are counted in 10^(12*(n+141)).';
