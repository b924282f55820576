package scaling

// PoolConnections is how many connections to PostgreSQL one pod of a service
// opens at most, the services' own default. Below it a pod's queries wait for
// each other; the document's 200 connections then serve 24 pods.
const PoolConnections = 8

// ReservedConnections are those of max_connections that no service gets:
// PostgreSQL keeps 3 for superusers, RDS 2 for its own (RDS User Guide,
// "superuser_reserved_connections"), and the migration uses 1.
const ReservedConnections = 6

// DatabaseConnections is how many connections the pods of services take when
// all of them are busy.
func DatabaseConnections(services []Profile) int {
	connections := ReservedConnections
	for _, p := range services {
		connections += PoolConnections * p.most()
	}
	return connections
}

// most is the largest number of pods that a service may have.
func (p Profile) most() int {
	switch c := p.Count.(type) {
	case Fixed:
		return int(c)
	case Autoscaled:
		return c.MaxReplicas
	default:
		return 0
	}
}
