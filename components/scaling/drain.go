package scaling

import "time"

// Drain has the numbers of the handler that drains nodes (AWS Node Termination Handler).
// The document has none.
type Drain struct {
	// Hold is how long an instance waits for its drain before it terminates.
	Hold time.Duration
	// Limit is how long one drain may take. It is below Hold, so that the handler gives
	// up before the instance ends.
	Limit time.Duration
	// Join is how long a new instance may take until its node is ready. After that its
	// group gives it up.
	Join time.Duration
	// Retention is how long an event waits for the handler.
	Retention time.Duration
	// Replicas is the number of pods of the handler. One can drain the node of the other.
	Replicas int
	// Workers is the number of nodes that one pod handles at a time.
	Workers int
	// Silence is how long the queue may have no reader, in whole minutes. It is longer
	// than the time between the creation of the queue and the start of the handler.
	Silence time.Duration

	Resources Resources
}

// Draining returns the numbers. Retention, Join and Workers are those of upstream's README
// and chart. The handler repeats the check of a new node as long as its event exists, so
// Join is not longer than Retention.
func Draining() Drain {
	// A drain by the Cluster Autoscaler has the same time.
	hold := DefaultClusterAutoscaler().MaxGracefulTermination
	return Drain{
		Hold: hold, Limit: hold - time.Minute, Join: 5 * time.Minute, Retention: 5 * time.Minute,
		Replicas: 2, Workers: 10, Silence: 10 * time.Minute,
		// The values of upstream's chart up to release 0.15.
		Resources: resources("50m", "100m", "64Mi", "128Mi"),
	}
}
