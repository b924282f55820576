package cache

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// eventTimeout bounds the wait for an event. In a passing test the event comes much earlier.
const eventTimeout = 20 * time.Second

var cluster *testservers.Redis

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		cluster, err = testservers.StartRedis(ctx, 0)
		return cluster, err
	}))
}

type (
	userID string
	plan   struct {
		Name      string    `json:"name"`
		Days      []int     `json:"days"`
		CreatedAt time.Time `json:"createdAt"`
		Note      *string   `json:"note"`
	}
)

// newConnectedCache returns a cache that is connected and subscribed.
func newConnectedCache(t testing.TB, redis *testservers.Redis) *Cache {
	t.Helper()
	c := newCache(t, redis.Addresses())
	require.Eventually(t, c.IsConnected, eventTimeout, time.Millisecond)
	return c
}

// newCache returns a cache that may not be connected yet.
func newCache(t testing.TB, addresses []string) *Cache {
	t.Helper()
	c, err := New(t.Context(), Config{Addresses: addresses, Timeout: 2 * time.Second}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// newPlans adds a namespace of plans. Its keys are unique to this run of the
// test.
func newPlans(t testing.TB, c *Cache, strategy Strategy) *Namespace[userID, plan] {
	t.Helper()
	plans, err := NewNamespace[userID, plan](c, strategy, uniquePrefix(t, strategy), 1<<20)
	require.NoError(t, err)
	return plans
}

// runIDs has a random id for each run of a test, so that the keys of two runs differ.
var runIDs sync.Map

// uniquePrefix returns a prefix that is unique to this run of the test and to the strategy.
func uniquePrefix(t testing.TB, strategy Strategy) string {
	runID, _ := runIDs.LoadOrStore(t, rand.Text())
	return fmt.Sprintf("%s:%s:%s:", t.Name(), runID, strategy.Name)
}

func TestStrategiesMatchTheDesignDocument(t *testing.T) {
	for _, row := range []struct {
		strategy Strategy
		name     string
		seconds  float64
		local    bool
		events   string
	}{
		{UserSession, "userSession", 1800, false, "logout profile_update"},
		{AgentCoordination, "agentCoordination", 60, true, "agent_state_change coordination_update"},
		{NutritionData, "nutritionData", 3600, true, "nutrition_db_update"},
		{WorkoutTemplates, "workoutTemplates", 86400, true, "workout_template_update"},
		{APIResponse, "apiResponse", 300, false, "data_update"},
	} {
		require.Equal(t, row.name, row.strategy.Name)
		require.EqualValues(t, row.seconds, row.strategy.TTL.Seconds())
		require.Equal(t, row.local, row.strategy.Local)
		for _, event := range strings.Fields(row.events) {
			require.True(t, row.strategy.isInvalidatedBy(Event(event)))
		}
		require.Len(t, row.strategy.Events, len(strings.Fields(row.events)))
	}
}

func TestOtherProcessesReadTheValue(t *testing.T) {
	for _, strategy := range []Strategy{UserSession, NutritionData} {
		t.Run(strategy.Name, func(t *testing.T) {
			writer, reader := newPlans(t, newConnectedCache(t, cluster), strategy), newPlans(t, newConnectedCache(t, cluster), strategy)
			_, ok := writer.Get(t.Context(), "u")
			require.False(t, ok)
			want := plan{Name: "week", Days: []int{1, 2}, CreatedAt: time.Now().UTC().Round(0)}
			writer.Set("u", want)
			for _, plans := range []*Namespace[userID, plan]{writer, reader, reader} { // the reader's second read is from its local tier, if the strategy has one
				value, ok := plans.Get(t.Context(), "u")
				require.True(t, ok)
				require.Equal(t, want, value)
			}
			_, ok = reader.Get(t.Context(), "another")
			require.False(t, ok)
		})
	}
}

// TestLocalCopyExpiresWithTheValue checks that a copy from Redis expires with its value,
// and not a whole TTL after it was copied.
func TestLocalCopyExpiresWithTheValue(t *testing.T) {
	short := Strategy{Name: "short", TTL: 150 * time.Millisecond, Local: true}
	writer, reader := newPlans(t, newConnectedCache(t, cluster), short), newPlans(t, newConnectedCache(t, cluster), short)
	writer.Set("u", plan{Name: "a"})
	_, ok := reader.Get(t.Context(), "u")
	require.True(t, ok)
	copied, ok := reader.local.GetEntryQuietly("u")
	require.True(t, ok)
	require.LessOrEqual(t, copied.Value.expires, reader.cache.clock.now()+short.TTL)
	require.Eventually(t, func() bool { _, ok := reader.Get(t.Context(), "u"); return !ok }, eventTimeout, time.Millisecond)
	require.Eventually(t, func() bool { _, ok := writer.Get(t.Context(), "u"); return !ok }, eventTimeout, time.Millisecond)
	value, err := writer.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "new"}, nil })
	require.NoError(t, err)
	require.Equal(t, "new", value.Name)
}

// TestWriterWithAFastClockCannotExtendTheTTL checks that a reader limits the remaining
// life of a value to the strategy's TTL.
func TestWriterWithAFastClockCannotExtendTheTTL(t *testing.T) {
	c := newConnectedCache(t, cluster)
	plans := newPlans(t, c, NutritionData)
	data, err := encode(plan{Name: "a"}, time.Now().Add(NutritionData.TTL+time.Hour))
	require.NoError(t, err)
	require.NoError(t, c.redis.set(plans.prefix()+"u", data, NutritionData.TTL))
	_, ok := plans.Get(t.Context(), "u")
	require.True(t, ok)
	copied, ok := plans.local.GetEntryQuietly("u")
	require.True(t, ok)
	require.LessOrEqual(t, copied.Value.expires-c.clock.now(), NutritionData.TTL)
}

func TestNamespaceNeedsItsOwnPrefixAndSize(t *testing.T) {
	c := newConnectedCache(t, cluster)
	newPlans(t, c, NutritionData)
	_, err := NewNamespace[userID, int](c, NutritionData, uniquePrefix(t, NutritionData), 1)
	require.ErrorContains(t, err, "prefix")
	_, err = NewNamespace[userID, int](c, NutritionData, "x", 0)
	require.ErrorContains(t, err, "localBytes")
}

func TestLocalTierIsBounded(t *testing.T) {
	c, err := New(t.Context(), Config{Timeout: time.Second}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	values, err := NewNamespace[userID, []byte](c, NutritionData, "p:", 64<<10)
	require.NoError(t, err)
	for i := range 1000 {
		values.Set(userID(strings.Repeat("k", i%100+1)), make([]byte, 1000+i))
	}
	require.Eventually(t, func() bool {
		values.local.CleanUp()
		return values.local.WeightedSize() <= 64<<10
	}, eventTimeout, time.Millisecond)
	require.NotZero(t, values.local.EstimatedSize())
}

func TestInvalidDataInRedisIsAMiss(t *testing.T) {
	c := newConnectedCache(t, cluster)
	plans := newPlans(t, c, APIResponse)
	for reason, data := range map[string]string{
		"empty": "", "the CacheManager's JSON": `{"name":"x"}`, "truncated": "\x01\x00\x00", "another type": "\x01\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		t.Run(reason, func(t *testing.T) {
			key := userID(reason)
			require.NoError(t, c.redis.set(plans.keyPrefix+reason, []byte(data), time.Minute))
			errorsBefore := plans.counters.read().redisErrors
			load := func() {
				value, err := plans.Load(t.Context(), key, func(context.Context) (plan, error) { return plan{Name: "good"}, nil })
				require.NoError(t, err)
				require.Equal(t, "good", value.Name)
			}
			load()
			require.Greater(t, plans.counters.read().redisErrors, errorsBefore)
			// The write over the invalid data may fail on a busy machine, so
			// try again.
			require.Eventually(t, func() bool { load(); _, ok := plans.Get(t.Context(), key); return ok }, eventTimeout, time.Millisecond)
		})
	}
}

func TestMetricsCountHitsAndMissesOfEachTier(t *testing.T) {
	c := newConnectedCache(t, cluster)
	sessions, nutrition := newPlans(t, c, UserSession), newPlans(t, c, NutritionData)
	sessions.Get(t.Context(), "u") // a miss in Redis
	sessions.Set("u", plan{})
	sessions.Get(t.Context(), "u")  // a hit in Redis
	nutrition.Get(t.Context(), "u") // a miss in both
	nutrition.Set("u", plan{})
	nutrition.Get(t.Context(), "u") // a hit in the local tier
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP application_cache_errors_total Commands that failed, were rejected by the open breaker, or returned invalid data.
# TYPE application_cache_errors_total counter
application_cache_errors_total{strategy="nutritionData",tier="redis"} 0
application_cache_errors_total{strategy="userSession",tier="redis"} 0
# HELP application_cache_hits_total Reads that found a value in the tier.
# TYPE application_cache_hits_total counter
application_cache_hits_total{strategy="nutritionData",tier="local"} 1
application_cache_hits_total{strategy="nutritionData",tier="redis"} 0
application_cache_hits_total{strategy="userSession",tier="redis"} 1
# HELP application_cache_misses_total Reads that found no value in the tier.
# TYPE application_cache_misses_total counter
application_cache_misses_total{strategy="nutritionData",tier="local"} 1
application_cache_misses_total{strategy="nutritionData",tier="redis"} 1
application_cache_misses_total{strategy="userSession",tier="redis"} 1
`)))
}

func TestLoadCountsOneReadInRedis(t *testing.T) {
	for _, strategy := range []Strategy{NutritionData, APIResponse} { // with and without a local tier
		t.Run(strategy.Name, func(t *testing.T) {
			plans := newPlans(t, newConnectedCache(t, cluster), strategy)
			_, err := plans.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{}, nil })
			require.NoError(t, err)
			counted := plans.counters.read()
			require.EqualValues(t, 1, counted.redisMisses)
			require.Zero(t, counted.redisHits)
		})
	}
}
