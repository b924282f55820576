package scaling

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// enableAutoscaling sets Autoscaled in each service, and returns the services.
func enableAutoscaling(services []Profile) []Profile {
	for i := range services {
		services[i].Autoscaled = true
	}
	return services
}

func TestPoolDividesTheConnectionsByThePods(t *testing.T) {
	pool, err := Pool(enableAutoscaling(Services()), 200)
	require.NoError(t, err)
	require.Equal(t, 1, pool, "the design document's 100 pods and 200 connections")
	pool, err = Pool(enableAutoscaling(Services()), 500)
	require.NoError(t, err)
	require.Equal(t, 4, pool)
	pool, err = Pool(Services(), 200)
	require.NoError(t, err)
	require.Equal(t, 8, pool, "13 fixed pods, and 4 during rollouts: 9 connections each are possible, but a pool has at most 8")
	allConnections, err := PoolConnections(enableAutoscaling(Services()), 500)
	require.NoError(t, err)
	require.Equal(t, 416, allConnections, "100 pods, and 4 during rollouts, with 4 connections each")
	_, err = Pool(enableAutoscaling(Services()), 122)
	require.ErrorContains(t, err, "must be at least 123: up to 104 pods of the services open a connection each, and they may use 85 % of all connections; raise it, or lower services.NAME.max")
}

// The largest number of pods never opens more connections than the services may use. Pool returns
// an error only if there is less than one connection for each pod.
func TestPoolsNeverExceedTheConnections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		services := enableAutoscaling(Services())
		pods := 0
		for i := range services {
			p, err := services[i].WithBounds(1, rapid.IntRange(1, MaxReplicas).Draw(t, "max"))
			require.NoError(t, err)
			services[i] = p
			pods += p.HPA.MaxReplicas + 1
		}
		connections := rapid.IntRange(10, 5000).Draw(t, "connections")
		pool, err := Pool(services, connections)
		if err != nil {
			require.Greater(t, pods, connections*85/100-ReservedConnections, "%v", err)
			return
		}
		require.True(t, 1 <= pool && pool <= MaxPool)
		require.LessOrEqual(t, 100*pods*pool, 85*connections)
		require.LessOrEqual(t, pods*pool, connections-ReservedConnections)
	})
}
