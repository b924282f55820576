package scaling

import "fmt"

const (
	// mostPool is the largest pool of connections to PostgreSQL of a pod. It is the
	// default of the services.
	mostPool = 8
	// reservedConnections are the connections of max_connections that services can't
	// use. PostgreSQL reserves 3 for superusers and RDS 2 for itself (RDS User Guide,
	// "superuser_reserved_connections"). The migration uses 1, and the exporter of the
	// server's metrics 1 for each of its pods, of which a rollout has 2.
	reservedConnections = 8
)

// Pool returns the largest number of connections to PostgreSQL of each pod, 1 to 8,
// so that all pods of the services together use at most the document's 85 % of
// max_connections (connection_pool_utilization). The document's own numbers, 100 pods and
// 200 connections, give one connection.
//
// A slow database makes more pods, and a pool that did not depend on their number would
// make it slower still. If not each pod can have a connection, the error says how many
// connections the services need.
func Pool(services []Profile, maxConnections int) (int, error) {
	pods := mostPods(services)
	usable := func(connections int) int {
		return min(connections*int(Targets().Database.ConnectionPool)/100, connections-reservedConnections)
	}
	if pool := usable(maxConnections) / pods; pool >= 1 {
		return min(pool, mostPool), nil
	}
	need := maxConnections
	for usable(need) < pods {
		need++
	}
	return 0, fmt.Errorf("must be at least %d: up to %d pods of the services open a connection each, of %s of all; raise it, or lower services.NAME.max",
		need, pods, Targets().Database.ConnectionPool)
}

// PoolConnections returns how many connections all pods of the services together may open:
// the most pods times Pool. As many queries may run at once.
func PoolConnections(services []Profile, maxConnections int) (int, error) {
	pool, err := Pool(services, maxConnections)
	return pool * mostPods(services), err
}

// mostPods counts the most pods that the autoscalers may run, and the one that a rollout of
// each service adds.
func mostPods(services []Profile) int {
	pods := 0
	for _, p := range services {
		pods += p.MostReplicas() + 1
	}
	return pods
}
