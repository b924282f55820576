package scaling

import "time"

// Drain has the settings of the AWS Node Termination Handler, which drains nodes. The
// design document does not have this handler.
type Drain struct {
	// Hold is the longest time that an instance waits for its drain before it
	// terminates.
	Hold time.Duration
	// Limit is the longest time of one drain. It is shorter than Hold, so that the
	// handler gives up before the instance terminates.
	Limit time.Duration
	// Join is the longest time until the node of a new instance is ready. After that the
	// group terminates the instance.
	Join time.Duration
	// Retention is the longest time that an event waits for the handler.
	Retention time.Duration
	// Replicas is the number of pods of the handler. With two, one pod can drain the node
	// of the other.
	Replicas int
	// Workers is the number of nodes that one pod handles at a time.
	Workers int
	// Silence is the time without a reader of the queue after which an alarm fires, in
	// whole minutes. It is longer than the time between the creation of the queue and the
	// start of the handler.
	Silence time.Duration

	Resources Resources
}

// Draining returns the settings. Retention, Join and Workers are the values of the README and the
// chart of aws/aws-node-termination-handler. The handler repeats the check of a new node as long as
// its event exists, so Join must not be longer than Retention.
func Draining() Drain {
	// A drain by the Cluster Autoscaler has the same time.
	hold := DefaultClusterAutoscaler().MaxGracefulTermination
	return Drain{
		Hold: hold, Limit: hold - time.Minute, Join: 5 * time.Minute, Retention: 5 * time.Minute,
		Replicas: 2, Workers: 10, Silence: 10 * time.Minute,
		// The values of the same chart up to release 0.15.
		Resources: resources("50m", "100m", "64Mi", "128Mi"),
	}
}
