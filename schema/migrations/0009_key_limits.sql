-- One noisy sender must not take the service away from the others.
ALTER TABLE api_keys ADD COLUMN max_requests_per_second integer CHECK (max_requests_per_second > 0);
COMMENT ON COLUMN api_keys.max_requests_per_second IS 'Requests a second that each collector takes from senders with this key; NULL for no limit.';
