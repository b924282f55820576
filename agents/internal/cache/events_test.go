package cache

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventInvalidatesValuesInEveryProcess(t *testing.T) {
	sender, receiver := newConnectedCache(t, cluster), newConnectedCache(t, cluster)
	sendersPlans, receiversPlans := newPlans(t, sender, NutritionData), newPlans(t, receiver, NutritionData)
	templates := newPlans(t, receiver, WorkoutTemplates)
	fill := func() {
		for _, key := range []userID{"a", "b"} {
			sendersPlans.Set(key, plan{Name: "old"})
			_, ok := receiversPlans.Get(t.Context(), key)
			require.True(t, ok)
		}
		templates.Set("a", plan{Name: "template"})
	}
	requireDeleted := func(key userID) {
		t.Helper()
		_, ok := sendersPlans.Get(t.Context(), key)
		require.False(t, ok, "deleted in the sender's local tier and in Redis when Publish returns")
		require.Eventually(t, func() bool { _, ok := receiversPlans.Get(t.Context(), key); return !ok }, eventTimeout, time.Millisecond)
	}
	requireKept := func(plans *Namespace[userID, plan], key userID) {
		t.Helper()
		_, ok := plans.Get(t.Context(), key)
		require.True(t, ok)
	}

	t.Run("one id", func(t *testing.T) {
		fill()
		require.NoError(t, sender.Publish(t.Context(), NutritionDBUpdate, "a"))
		requireDeleted("a")
		requireKept(sendersPlans, "b")
		requireKept(receiversPlans, "b")
		requireKept(templates, "a")
	})
	t.Run("all ids", func(t *testing.T) {
		fill()
		require.NoError(t, sender.Publish(t.Context(), NutritionDBUpdate))
		requireDeleted("a")
		requireDeleted("b")
		requireKept(templates, "a")
	})
	t.Run("a namespace that only another process has", func(t *testing.T) {
		fill()
		require.NoError(t, sender.Publish(t.Context(), WorkoutTemplateUpdate))
		require.Eventually(t, func() bool { _, ok := templates.Get(t.Context(), "a"); return !ok }, eventTimeout, time.Millisecond, "the other process also deletes the value in Redis")
		requireKept(receiversPlans, "a")
	})
}

// TestLoadThatBeganBeforeAnEventIsNotCached checks that neither tier stores the value of
// such a load, and that a call after the event does not return it.
func TestLoadThatBeganBeforeAnEventIsNotCached(t *testing.T) {
	for _, strategy := range []Strategy{NutritionData, APIResponse} {
		t.Run(strategy.Name, func(t *testing.T) {
			c := newConnectedCache(t, cluster)
			plans := newPlans(t, c, strategy)
			started, finish, firstValue := make(chan struct{}), make(chan struct{}), make(chan plan)
			go func() {
				value, _ := plans.Load(t.Context(), "u", func(context.Context) (plan, error) {
					close(started)
					<-finish
					return plan{Name: "old"}, nil
				})
				firstValue <- value
			}()
			<-started
			require.NoError(t, c.Publish(t.Context(), strategy.Events[0], "u"))
			value, err := plans.Load(t.Context(), "u", func(context.Context) (plan, error) { return plan{Name: "new"}, nil })
			require.NoError(t, err)
			require.Equal(t, "new", value.Name)
			close(finish)
			require.Equal(t, "old", (<-firstValue).Name, "a call that began before the event gets the old value")
			for range 100 {
				if value, ok := plans.Get(t.Context(), "u"); ok {
					require.Equal(t, "new", value.Name)
				}
			}
		})
	}
}

// TestReceiverDeletesAValueWrittenAfterTheSendersDeletion writes an old value to Redis after
// the sender's deletion, from a process that has not received the event yet. When this
// process receives the event, it must delete the value.
func TestReceiverDeletesAValueWrittenAfterTheSendersDeletion(t *testing.T) {
	sender, receiver := newConnectedCache(t, cluster), newConnectedCache(t, cluster)
	sendersPlans, receiversPlans := newPlans(t, sender, APIResponse), newPlans(t, receiver, APIResponse)
	require.NoError(t, sender.invalidate(t.Context(), sendersPlans, []string{"u"}))
	receiversPlans.Set("u", plan{Name: "old"})
	require.NoError(t, sender.redis.publish(message{Event: DataUpdate, IDs: []string{"u"}, Origin: sender.origin, DeletedPrefixes: []string{sendersPlans.prefix()}}))
	require.Eventually(t, func() bool { _, ok := sendersPlans.Get(t.Context(), "u"); return !ok }, eventTimeout, time.Millisecond)
}

// TestLostSubscriptionDropsTheLocalTier ends the subscriptions. Events may be lost until
// the next subscription, so the local tier must then be empty.
func TestLostSubscriptionDropsTheLocalTier(t *testing.T) {
	sender, receiver := newConnectedCache(t, cluster), newConnectedCache(t, cluster)
	receiversPlans := newPlans(t, receiver, NutritionData)
	receiversPlans.Set("u", plan{Name: "old"})
	epoch := receiversPlans.epoch.Load()
	killed := 0
	for node := range 3 {
		clients, err := cluster.Do(t.Context(), node, "CLIENT", "LIST", "TYPE", "pubsub")
		require.NoError(t, err)
		if clients == "" {
			continue
		}
		_, err = cluster.Do(t.Context(), node, "CLIENT", "KILL", "TYPE", "pubsub")
		require.NoError(t, err)
		killed++
	}
	require.NotZero(t, killed)
	require.Eventually(t, func() bool { // the epoch grows before the tier is dropped
		_, found := receiversPlans.local.GetIfPresent("u")
		return receiversPlans.epoch.Load() > epoch && !found
	}, eventTimeout, time.Millisecond)
	require.Eventually(t, func() bool { // and events arrive again
		require.NoError(t, sender.Publish(t.Context(), NutritionDBUpdate, "u"))
		return receiversPlans.epoch.Load() > epoch+1
	}, eventTimeout, 5*time.Millisecond)
}

func TestInvalidMessagesAreIgnored(t *testing.T) {
	c := newCache(t, nil)
	plans := newPlans(t, c, NutritionData)
	epoch := plans.epoch.Load()
	for _, encoded := range []string{"", "{", `{"event":"unknown"}`, `[]`, fmt.Sprintf(`{"event":"nutrition_db_update","origin":%q}`, c.origin), string(make([]byte, maxMessageBytes+1))} {
		c.receive(t.Context(), encoded)
	}
	require.Equal(t, epoch, plans.epoch.Load(), "nothing is dropped")
	c.receive(t.Context(), `{"event":"nutrition_db_update","ids":["u"]}`)
	require.Greater(t, plans.epoch.Load(), epoch)
}

func TestPrefixIsNotAGlobPattern(t *testing.T) {
	c := newConnectedCache(t, cluster)
	special, err := NewNamespace[userID, int](c, Strategy{Name: "special", TTL: time.Minute, Events: []Event{"special"}}, "a*[b]?:", 1)
	require.NoError(t, err)
	other, err := NewNamespace[userID, int](c, Strategy{Name: "other", TTL: time.Minute}, "axxb:", 1)
	require.NoError(t, err)
	special.Set("u", 1)
	other.Set("u", 2)
	require.NoError(t, c.Publish(t.Context(), "special"))
	_, ok := special.Get(t.Context(), "u")
	require.False(t, ok)
	_, ok = other.Get(t.Context(), "u")
	require.True(t, ok)
}
