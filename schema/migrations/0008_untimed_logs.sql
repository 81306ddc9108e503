-- A log record without any time of its own is stored at its arrival; when it is sent again it is found by its id alone. Such records are rare,
-- so this index is nearly empty and costs others nothing.
CREATE INDEX log_records_untimed ON log_records (project_id, id) WHERE observed_time IS NULL AND time = received_at;
