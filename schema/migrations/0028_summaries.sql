-- What few calls have (a user, a conversation, a high cost) is found by summaries of 32 pages of rows each, a quarter of a percent of the table: an index of its
-- own for each of them would cost every call that has one (docs/decisions, summaries).
CREATE INDEX generation_logs_summary ON generation_logs USING brin (
  start_time,
  user_id text_bloom_ops (n_distinct_per_range = 256),
  conversation_id text_bloom_ops (n_distinct_per_range = 256),
  response_finish_reason text_bloom_ops (n_distinct_per_range = 16),
  duration_ms, tokens_total, cost_amount
) WITH (pages_per_range = 32);
