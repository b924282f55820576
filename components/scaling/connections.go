package scaling

import "fmt"

const (
	// MaxPool is the largest number of connections to PostgreSQL of one pod. It is the
	// services' default for the size of their pool.
	MaxPool = 8
	// ReservedConnections is the part of max_connections that services can't use.
	// PostgreSQL reserves 3 for superusers and RDS 2 for itself (RDS User Guide,
	// "superuser_reserved_connections"). The migration uses 1. The exporter of the
	// server's metrics uses 2, because a rollout runs two of its pods.
	ReservedConnections = 8
)

// Pool returns the largest number of connections to PostgreSQL of each pod, 1 to 8. With this
// number, all pods of the services together use at most the design document's 85 % of
// max_connections (connection_pool_utilization). The document's own numbers, 100 pods and 200
// connections, give one connection.
//
// The pool depends on the largest number of pods, because a slow database causes the HPAs to add
// pods. Further connections would then make the database still slower. If there is less than one
// connection for each pod, Pool returns an error with the number of connections that the services
// need.
func Pool(services []Profile, maxConnections int) (int, error) {
	pods := maxPods(services)
	usableConnections := func(connections int) int {
		return min(connections*int(DesignThresholds().Database.ConnectionPool)/100, connections-ReservedConnections)
	}
	if pool := usableConnections(maxConnections) / pods; pool >= 1 {
		return min(pool, MaxPool), nil
	}
	needed := maxConnections
	for usableConnections(needed) < pods {
		needed++
	}
	return 0, fmt.Errorf("must be at least %d: up to %d pods of the services open a connection each, and they may use %s of all connections; raise it, or lower services.NAME.max",
		needed, pods, DesignThresholds().Database.ConnectionPool)
}

// PoolConnections returns the largest number of connections that all pods of the services
// together may open: the largest number of pods times Pool. The same number of queries may
// run at the same time.
func PoolConnections(services []Profile, maxConnections int) (int, error) {
	pool, err := Pool(services, maxConnections)
	return pool * maxPods(services), err
}

// maxPods returns the largest number of pods of all services: what the autoscalers may
// run, and one more pod of each service during a rollout.
func maxPods(services []Profile) int {
	pods := 0
	for _, p := range services {
		pods += p.MaxReplicas() + 1
	}
	return pods
}
