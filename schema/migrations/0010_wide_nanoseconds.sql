-- A start time may be as late as 2^64-1 nanoseconds (the year 2554), which bigint cannot hold: one such span must not fail a query over many.
DROP FUNCTION genspan_unix_nano(timestamptz, smallint);
CREATE FUNCTION genspan_unix_nano("time" timestamptz, nano smallint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (EXTRACT(epoch FROM ("time" - timestamptz '1970-01-01 00:00:00+00')) * 1000000)::bigint::numeric * 1000 + nano;
COMMENT ON FUNCTION genspan_unix_nano(timestamptz, smallint) IS 'Exact nanoseconds since 1970 from a time and the nanoseconds below its microsecond.';
