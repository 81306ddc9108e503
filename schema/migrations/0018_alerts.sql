-- Alerts: when a rule may speak again, how its messages went, and where they go (which no reader may see: addresses of webhooks are secrets).
ALTER TABLE alert_rules
  ADD COLUMN muted_until timestamptz,
  ADD COLUMN evaluated_at timestamptz,
  ADD COLUMN last_state text CHECK (last_state IN ('ok', 'firing', 'no_data', 'failed'));
COMMENT ON COLUMN alert_rules.muted_until IS 'Until then it is watched and tells nobody; NULL while it tells.';
COMMENT ON COLUMN alert_rules.evaluated_at IS 'When it was last looked at.';
COMMENT ON COLUMN alert_rules.last_state IS 'What was found then: ok, firing, no_data, or failed where the question could not be answered.';

ALTER TABLE alert_events
  ADD COLUMN resolution_notified_at timestamptz,
  ADD COLUMN attempts integer,
  ADD COLUMN last_failure text;
COMMENT ON COLUMN alert_events.resolution_notified_at IS 'When it was told that the condition had ceased to hold.';
COMMENT ON COLUMN alert_events.attempts IS 'How often telling was tried in vain since it last succeeded.';
COMMENT ON COLUMN alert_events.last_failure IS 'Why telling failed last, without addresses.';

CREATE TABLE alert_channels (
  project_id  integer NOT NULL,
  rule_id     uuid NOT NULL,
  channels    jsonb NOT NULL,
  PRIMARY KEY (project_id, rule_id)
);
COMMENT ON TABLE alert_channels IS 'Where the messages of a rule go, with addresses and secrets: for the collector alone.';
COMMENT ON COLUMN alert_channels.project_id IS 'Project of the row.';
COMMENT ON COLUMN alert_channels.rule_id IS 'Points to alert_rules.id of the same project.';
COMMENT ON COLUMN alert_channels.channels IS 'A JSON array of channels: webhook, email, log.';
ALTER TABLE alert_channels ENABLE ROW LEVEL SECURITY;
