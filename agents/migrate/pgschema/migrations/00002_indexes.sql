-- +goose NO TRANSACTION
-- +goose Up
-- The design document's indexes, built while services run. An interrupted build
-- leaves an invalid index, which IF NOT EXISTS would treat as complete. So each
-- index is dropped first, and the whole file can be repeated. A build waits for
-- old transactions, but blocks no other query.
SET lock_timeout = '10min';

DROP INDEX CONCURRENTLY IF EXISTS idx_users_active;
CREATE INDEX CONCURRENTLY idx_users_active ON users (id, active) WHERE active;

DROP INDEX CONCURRENTLY IF EXISTS idx_user_sessions_active;
CREATE INDEX CONCURRENTLY idx_user_sessions_active ON user_sessions (user_id, expires_at);

DROP INDEX CONCURRENTLY IF EXISTS idx_agent_states_active;
CREATE INDEX CONCURRENTLY idx_agent_states_active ON agent_states (agent_id, status, updated_at) WHERE status = 'active';

DROP INDEX CONCURRENTLY IF EXISTS idx_agent_coordination_recent;
CREATE INDEX CONCURRENTLY idx_agent_coordination_recent ON agent_coordination (agent_id, created_at DESC);

DROP INDEX CONCURRENTLY IF EXISTS idx_nutrition_plans_user;
CREATE INDEX CONCURRENTLY idx_nutrition_plans_user ON nutrition_plans (user_id, created_at DESC);

DROP INDEX CONCURRENTLY IF EXISTS idx_nutrition_foods_search;
CREATE INDEX CONCURRENTLY idx_nutrition_foods_search ON nutrition_foods USING GIN (to_tsvector('english', name));

DROP INDEX CONCURRENTLY IF EXISTS idx_workout_plans_user;
CREATE INDEX CONCURRENTLY idx_workout_plans_user ON workout_plans (user_id, created_at DESC);

DROP INDEX CONCURRENTLY IF EXISTS idx_exercises_muscle_group;
CREATE INDEX CONCURRENTLY idx_exercises_muscle_group ON exercises (primary_muscle_group, difficulty_level);

RESET lock_timeout;
