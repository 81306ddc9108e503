-- Calls without a price are counted by the one rule that lists and alerts have: those with tokens that are billed. Sums of all hours are made anew by it.
INSERT INTO usage_dirty_hours SELECT DISTINCT project_id, hour FROM usage_hours;
COMMENT ON COLUMN usage_hours.unpriced IS 'Calls with tokens that are billed and whose price is unknown.';
COMMENT ON COLUMN usage_days.unpriced IS 'Calls with tokens that are billed and whose price is unknown.';
