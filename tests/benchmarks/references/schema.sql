-- What every reference server stores: the same letter, and the same job beside it.
CREATE TABLE bench_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    workspace_id bigint NOT NULL,
    revoked_at timestamptz
);
CREATE TABLE bench_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid uuid NOT NULL UNIQUE,
    workspace_id bigint NOT NULL,
    sender text NOT NULL,
    recipients text[] NOT NULL,
    subject text NOT NULL,
    html text,
    text text,
    reply_to text[] NOT NULL,
    headers jsonb NOT NULL,
    scheduled_at timestamptz,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE bench_job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id bigint NOT NULL REFERENCES bench_message,
    queue text NOT NULL,
    status text NOT NULL,
    run_at timestamptz NOT NULL
);
CREATE INDEX ON bench_job (queue, run_at) WHERE status = 'todo';
