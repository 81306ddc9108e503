-- What updates and attempts replace is kept, so that a row says the same whatever came first, and again what its span told when it is set aside.
ALTER TABLE generation_logs ADD COLUMN own_values jsonb;
COMMENT ON COLUMN generation_logs.own_values IS 'What the call''s own span said in columns that an update, an attempt or added content replaced, by column; NULL where nothing was replaced.';
ALTER TABLE generation_twins ADD COLUMN own_values jsonb;
COMMENT ON COLUMN generation_twins.own_values IS 'As in generation_logs: always NULL, because rows are set aside as their own spans told them.';
