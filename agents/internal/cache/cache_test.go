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

// patience bounds what must happen at some time; no test waits for it.
const patience = 20 * time.Second

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
		Name string    `json:"name"`
		Days []int     `json:"days"`
		Made time.Time `json:"made"`
		Note *string   `json:"note"`
	}
)

// process returns a cache as one process has it, connected and hearing.
func process(t testing.TB, on *testservers.Redis) *Cache {
	t.Helper()
	c := unconnected(t, on.Addresses())
	require.Eventually(t, c.Connected, patience, time.Millisecond)
	return c
}

func unconnected(t testing.TB, addresses []string) *Cache {
	t.Helper()
	c, err := New(t.Context(), Config{Addresses: addresses, Timeout: 2 * time.Second}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// plans adds a space whose keys are this test's own, also when it runs again.
func plans(t testing.TB, c *Cache, strategy Strategy) *Space[userID, plan] {
	t.Helper()
	s, err := NewSpace[userID, plan](c, strategy, prefixOf(t, strategy), 1<<20)
	require.NoError(t, err)
	return s
}

var runs sync.Map // of a test to what tells it from its next run

func prefixOf(t testing.TB, strategy Strategy) string {
	run, _ := runs.LoadOrStore(t, rand.Text())
	return fmt.Sprintf("%s:%s:%s:", t.Name(), run, strategy.Name)
}

func TestStrategiesAreTheSeeds(t *testing.T) {
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
			require.True(t, row.strategy.endedBy(Event(event)))
		}
		require.Len(t, row.strategy.Events, len(strings.Fields(row.events)))
	}
}

func TestAValueReachesOtherProcesses(t *testing.T) {
	for _, strategy := range []Strategy{UserSession, NutritionData} {
		t.Run(strategy.Name, func(t *testing.T) {
			here, there := plans(t, process(t, cluster), strategy), plans(t, process(t, cluster), strategy)
			_, ok := here.Get(t.Context(), "u")
			require.False(t, ok)
			want := plan{Name: "week", Days: []int{1, 2}, Made: time.Now().UTC().Round(0)}
			here.Set("u", want)
			for _, s := range []*Space[userID, plan]{here, there, there} { // there: from Redis, then from where the strategy says
				got, ok := s.Get(t.Context(), "u")
				require.True(t, ok)
				require.Equal(t, want, got)
			}
			_, ok = there.Get(t.Context(), "another")
			require.False(t, ok)
		})
	}
}

// TestALocalCopyIsNoYounger: a copy taken from Redis ends when the value ends,
// not a TTL later.
func TestALocalCopyIsNoYounger(t *testing.T) {
	short := Strategy{Name: "short", TTL: 150 * time.Millisecond, Local: true}
	here, there := plans(t, process(t, cluster), short), plans(t, process(t, cluster), short)
	here.Set("u", plan{Name: "a"})
	_, ok := there.Get(t.Context(), "u")
	require.True(t, ok)
	kept, ok := there.local.GetEntryQuietly("u")
	require.True(t, ok)
	require.LessOrEqual(t, kept.Value.until, there.cache.clock.now()+short.TTL)
	require.Eventually(t, func() bool { _, ok := there.Get(t.Context(), "u"); return !ok }, patience, time.Millisecond)
	require.Eventually(t, func() bool { _, ok := here.Get(t.Context(), "u"); return !ok }, patience, time.Millisecond)
	got, err := here.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "new"}, nil })
	require.NoError(t, err)
	require.Equal(t, "new", got.Name)
}

// TestAWriterWhoseClockIsAhead makes no value live longer than its strategy says.
func TestAWriterWhoseClockIsAhead(t *testing.T) {
	c := process(t, cluster)
	s := plans(t, c, NutritionData)
	text, err := encode(plan{Name: "a"}, time.Now().Add(NutritionData.TTL+time.Hour))
	require.NoError(t, err)
	require.NoError(t, c.redis.set(s.prefix()+"u", text, NutritionData.TTL))
	_, ok := s.Get(t.Context(), "u")
	require.True(t, ok)
	kept, ok := s.local.GetEntryQuietly("u")
	require.True(t, ok)
	require.LessOrEqual(t, kept.Value.until-c.clock.now(), NutritionData.TTL)
}

func TestSpacesDoNotMeet(t *testing.T) {
	c := process(t, cluster)
	plans(t, c, NutritionData)
	_, err := NewSpace[userID, int](c, NutritionData, prefixOf(t, NutritionData), 1)
	require.ErrorContains(t, err, "prefix")
	_, err = NewSpace[userID, int](c, NutritionData, "x", 0)
	require.ErrorContains(t, err, "bytes")
}

func TestTheLocalTierIsBounded(t *testing.T) {
	c, err := New(t.Context(), Config{Timeout: time.Second}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s, err := NewSpace[userID, []byte](c, NutritionData, "p:", 64<<10)
	require.NoError(t, err)
	for i := range 1000 {
		s.Set(userID(strings.Repeat("k", i%100+1)), make([]byte, 1000+i))
	}
	require.Eventually(t, func() bool {
		s.local.CleanUp()
		return s.local.WeightedSize() <= 64<<10
	}, patience, time.Millisecond)
	require.NotZero(t, s.local.EstimatedSize())
}

func TestNonsenseInRedisIsAMiss(t *testing.T) {
	c := process(t, cluster)
	s := plans(t, c, APIResponse)
	for reason, text := range map[string]string{
		"empty": "", "the seed's JSON": `{"name":"x"}`, "cut off": "\x01\x00\x00", "another type": "\x01\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		t.Run(reason, func(t *testing.T) {
			key := userID(reason)
			require.NoError(t, c.redis.set(s.before+reason, []byte(text), time.Minute))
			before := s.meters.read().redisErrors
			load := func() {
				got, err := s.Load(t.Context(), key, func(context.Context) (plan, error) { return plan{Name: "good"}, nil })
				require.NoError(t, err)
				require.Equal(t, "good", got.Name)
			}
			load()
			require.Greater(t, s.meters.read().redisErrors, before)
			// What is written over the nonsense may be lost, as on a busy machine.
			require.Eventually(t, func() bool { load(); _, ok := s.Get(t.Context(), key); return ok }, patience, time.Millisecond)
		})
	}
}

func TestMetrics(t *testing.T) {
	c := process(t, cluster)
	sessions, nutrition := plans(t, c, UserSession), plans(t, c, NutritionData)
	sessions.Get(t.Context(), "u") // a miss of Redis
	sessions.Set("u", plan{})
	sessions.Get(t.Context(), "u")  // a hit of Redis
	nutrition.Get(t.Context(), "u") // a miss of both
	nutrition.Set("u", plan{})
	nutrition.Get(t.Context(), "u") // a hit of the local tier
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP application_cache_errors_total Commands that failed, were not tried while the breaker was open, or answered nonsense.
# TYPE application_cache_errors_total counter
application_cache_errors_total{strategy="nutritionData",tier="redis"} 0
application_cache_errors_total{strategy="userSession",tier="redis"} 0
# HELP application_cache_hits_total Reads that a tier answered.
# TYPE application_cache_hits_total counter
application_cache_hits_total{strategy="nutritionData",tier="local"} 1
application_cache_hits_total{strategy="nutritionData",tier="redis"} 0
application_cache_hits_total{strategy="userSession",tier="redis"} 1
# HELP application_cache_misses_total Reads that a tier did not answer.
# TYPE application_cache_misses_total counter
application_cache_misses_total{strategy="nutritionData",tier="local"} 1
application_cache_misses_total{strategy="nutritionData",tier="redis"} 1
application_cache_misses_total{strategy="userSession",tier="redis"} 1
`)))
}
