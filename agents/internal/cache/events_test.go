package cache

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEvents(t *testing.T) {
	here, there := process(t, cluster), process(t, cluster)
	mine, theirs := plans(t, here, NutritionData), plans(t, there, NutritionData)
	others := plans(t, there, WorkoutTemplates)
	fill := func() {
		for _, key := range []userID{"a", "b"} {
			mine.Set(key, plan{Name: "old"})
			_, ok := theirs.Get(t.Context(), key)
			require.True(t, ok)
		}
		others.Set("a", plan{Name: "template"})
	}
	gone := func(key userID) {
		t.Helper()
		_, ok := mine.Get(t.Context(), key)
		require.False(t, ok, "at once in the process that says it, Redis included")
		require.Eventually(t, func() bool { _, ok := theirs.Get(t.Context(), key); return !ok }, patience, time.Millisecond)
	}
	stays := func(s *Space[userID, plan], key userID) {
		t.Helper()
		_, ok := s.Get(t.Context(), key)
		require.True(t, ok)
	}

	t.Run("of one id", func(t *testing.T) {
		fill()
		require.NoError(t, here.Publish(t.Context(), NutritionDBUpdate, "a"))
		gone("a")
		stays(mine, "b")
		stays(theirs, "b")
		stays(others, "a")
	})
	t.Run("of all", func(t *testing.T) {
		fill()
		require.NoError(t, here.Publish(t.Context(), NutritionDBUpdate))
		gone("a")
		gone("b")
		stays(others, "a")
	})
	t.Run("of a family that only others know", func(t *testing.T) {
		fill()
		require.NoError(t, here.Publish(t.Context(), WorkoutTemplateUpdate))
		require.Eventually(t, func() bool { _, ok := others.Get(t.Context(), "a"); return !ok }, patience, time.Millisecond, "in Redis as well")
		stays(theirs, "a")
	})
}

// TestAnEventDuringALoad: what was begun before an event is not kept after it,
// in either tier, and who asks after it does not get it.
func TestAnEventDuringALoad(t *testing.T) {
	for _, strategy := range []Strategy{NutritionData, APIResponse} {
		t.Run(strategy.Name, func(t *testing.T) {
			c := process(t, cluster)
			s := plans(t, c, strategy)
			began, finish, first := make(chan struct{}), make(chan struct{}), make(chan plan)
			go func() {
				got, _ := s.Load(t.Context(), "u", func(context.Context) (plan, error) {
					close(began)
					<-finish
					return plan{Name: "old"}, nil
				})
				first <- got
			}()
			<-began
			require.NoError(t, c.Publish(t.Context(), strategy.Events[0], "u"))
			got, err := s.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "new"}, nil })
			require.NoError(t, err)
			require.Equal(t, "new", got.Name)
			close(finish)
			require.Equal(t, "old", (<-first).Name, "who asked before gets what was then true")
			for range 100 {
				if got, ok := s.Get(t.Context(), "u"); ok {
					require.Equal(t, "new", got.Name)
				}
			}
		})
	}
}

// TestAnOldValueThatCameLate: another process puts what it loaded before the
// event into Redis after the sender has ended it there, and only then hears.
func TestAnOldValueThatCameLate(t *testing.T) {
	here, there := process(t, cluster), process(t, cluster)
	mine, theirs := plans(t, here, APIResponse), plans(t, there, APIResponse)
	require.NoError(t, here.end(t.Context(), mine, []string{"u"}))
	theirs.Set("u", plan{Name: "old"})
	require.NoError(t, here.redis.publish(message{Event: DataUpdate, IDs: []string{"u"}, Origin: here.origin, Done: []string{mine.prefix()}}))
	require.Eventually(t, func() bool { _, ok := mine.Get(t.Context(), "u"); return !ok }, patience, time.Millisecond)
}

// TestALostSubscription: events may have been missed, so the local tier starts
// anew.
func TestALostSubscription(t *testing.T) {
	here, there := process(t, cluster), process(t, cluster)
	theirs := plans(t, there, NutritionData)
	theirs.Set("u", plan{Name: "old"})
	epoch := theirs.epoch.Load()
	killed := 0
	for node := range 3 {
		answer, err := cluster.Do(t.Context(), node, "CLIENT", "LIST", "TYPE", "pubsub")
		require.NoError(t, err)
		if answer == "" {
			continue
		}
		_, err = cluster.Do(t.Context(), node, "CLIENT", "KILL", "TYPE", "pubsub")
		require.NoError(t, err)
		killed++
	}
	require.NotZero(t, killed)
	require.Eventually(t, func() bool { // the epoch is counted first, then the tier let go
		_, kept := theirs.local.GetIfPresent("u")
		return theirs.epoch.Load() > epoch && !kept
	}, patience, time.Millisecond)
	require.Eventually(t, func() bool { // and events are heard again
		require.NoError(t, here.Publish(t.Context(), NutritionDBUpdate, "u"))
		return theirs.epoch.Load() > epoch+1
	}, patience, 5*time.Millisecond)
}

func TestStrangeMessages(t *testing.T) {
	c := unconnected(t, nil)
	s := plans(t, c, NutritionData)
	epoch := s.epoch.Load()
	for _, text := range []string{"", "{", `{"event":"unknown"}`, `[]`, fmt.Sprintf(`{"event":"nutrition_db_update","origin":%q}`, c.origin), string(make([]byte, maxMessage+1))} {
		c.hear(t.Context(), text)
	}
	require.Equal(t, epoch, s.epoch.Load(), "nothing of ours is dropped")
	c.hear(t.Context(), `{"event":"nutrition_db_update","ids":["u"]}`)
	require.Greater(t, s.epoch.Load(), epoch)
}

func TestAPrefixIsNoPattern(t *testing.T) {
	c := process(t, cluster)
	odd, err := NewSpace[userID, int](c, Strategy{Name: "odd", TTL: time.Minute, Events: []Event{"odd"}}, "a*[b]?:", 1)
	require.NoError(t, err)
	other, err := NewSpace[userID, int](c, Strategy{Name: "other", TTL: time.Minute}, "axxb:", 1)
	require.NoError(t, err)
	odd.Set("u", 1)
	other.Set("u", 2)
	require.NoError(t, c.Publish(t.Context(), "odd"))
	_, ok := odd.Get(t.Context(), "u")
	require.False(t, ok)
	_, ok = other.Get(t.Context(), "u")
	require.True(t, ok)
}
