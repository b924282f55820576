-- +goose Up
-- A user's id is the subject of their token. Another system issues it.
CREATE TABLE users (
    id           TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    email        TEXT CHECK (length(email) <= 320),
    display_name TEXT        NOT NULL DEFAULT '' CHECK (length(display_name) <= 200),
    active       BOOLEAN     NOT NULL DEFAULT true,
    profile      JSONB       NOT NULL DEFAULT '{}',
    preferences  JSONB       NOT NULL DEFAULT '{}',
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE user_sessions (
    id         UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    TEXT        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL
);

-- One row for each process of an agent.
CREATE TABLE agent_states (
    agent_id   VARCHAR(50) NOT NULL,
    instance   TEXT        NOT NULL CHECK (length(instance) BETWEEN 1 AND 253),
    status     VARCHAR(20) NOT NULL CHECK (status IN ('active', 'draining', 'stopped')),
    state      JSONB       NOT NULL DEFAULT '{}',
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (agent_id, instance)
);

CREATE TABLE agent_coordination (
    id          UUID PRIMARY KEY,
    agent_id    VARCHAR(50) NOT NULL,
    user_id     TEXT        NOT NULL,
    task        TEXT        NOT NULL,
    status      VARCHAR(20) NOT NULL CHECK (status IN ('complete', 'partial', 'failed')),
    duration_ms INTEGER     NOT NULL CHECK (duration_ms >= 0),
    result      JSONB       NOT NULL DEFAULT '{}',
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE nutrition_plans (
    id         UUID PRIMARY KEY,
    user_id    TEXT        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    plan       JSONB       NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE workout_plans (
    id         UUID PRIMARY KEY,
    user_id    TEXT        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    plan       JSONB       NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE exercises (
    id                   TEXT PRIMARY KEY,
    name                 TEXT        NOT NULL,
    primary_muscle_group VARCHAR(50) NOT NULL,
    difficulty_level     VARCHAR(20) NOT NULL,
    details              JSONB       NOT NULL DEFAULT '{}'
);

CREATE TABLE nutrition_foods (
    id      TEXT PRIMARY KEY,
    name    TEXT  NOT NULL,
    details JSONB NOT NULL DEFAULT '{}'
);
