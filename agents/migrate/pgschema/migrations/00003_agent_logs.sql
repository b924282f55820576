-- +goose Up
CREATE TABLE agent_logs_master (
    id         BIGSERIAL,
    agent_id   VARCHAR(50) NOT NULL,
    log_level  VARCHAR(10) NOT NULL,
    message    TEXT        NOT NULL,
    metadata   JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
) PARTITION BY RANGE (created_at);

-- Creates the partition for the month of start_date unless it exists. Months
-- are in UTC for any session time zone.
-- +goose StatementBegin
CREATE FUNCTION create_monthly_partition(table_name TEXT, start_date DATE) RETURNS VOID AS $$
DECLARE
    month          DATE := date_trunc('month', start_date::timestamp)::date;
    partition_name TEXT := table_name || '_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(format('%I', partition_name)) IS NULL THEN
        -- PARTITION OF would lock out readers of the whole log. ATTACH does
        -- not.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                       partition_name, table_name);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       table_name, partition_name,
                       month::timestamp AT TIME ZONE 'UTC',
                       (month + INTERVAL '1 month') AT TIME ZONE 'UTC');
    END IF;
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (created_at)',
                   'idx_' || partition_name || '_created_at', partition_name);
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
