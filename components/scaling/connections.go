package scaling

// PoolConnections is the largest number of connections to PostgreSQL that a pod opens.
// It is the default of the services. With fewer, the queries of a pod wait for each
// other. The document's 200 connections are enough for 24 pods.
const PoolConnections = 8

// ReservedConnections are the connections of max_connections that services can't use.
// PostgreSQL reserves 3 for superusers and RDS 2 for itself (RDS User Guide,
// "superuser_reserved_connections"). The migration uses 1.
const ReservedConnections = 6

// DatabaseConnections returns the largest number of connections of all pods of the
// services together.
func DatabaseConnections(services []Profile) int {
	connections := ReservedConnections
	for _, p := range services {
		connections += PoolConnections * p.most()
	}
	return connections
}

// most returns the largest number of pods of a service.
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
