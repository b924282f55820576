package scaling

import "time"

// DrainOptions has the settings of the AWS Node Termination Handler, which drains nodes. The
// design document does not have this handler.
type DrainOptions struct {
	// HookTimeout is the longest time that an instance waits for its drain before it
	// terminates.
	HookTimeout time.Duration
	// DrainTimeout is the longest time of one drain. It is shorter than HookTimeout, so that
	// the handler gives up before the instance terminates.
	DrainTimeout time.Duration
	// JoinTimeout is the longest time until the node of a new instance is ready. After that
	// time the group terminates the instance.
	JoinTimeout time.Duration
	// Retention is the longest time that an event waits for the handler.
	Retention time.Duration
	// Replicas is the number of pods of the handler. With two, one pod can drain the node
	// of the other.
	Replicas int
	// Workers is the number of nodes that one pod handles at a time.
	Workers int
	// AlarmAfter is the time without a reader of the queue after which an alarm fires, in
	// whole minutes. AlarmAfter is longer than the time between the creation of the queue and the
	// start of the handler.
	AlarmAfter time.Duration

	Resources Resources
}

// DefaultDrain returns the settings. Retention, JoinTimeout and Workers are the values of the README
// and the chart of aws/aws-node-termination-handler. The handler repeats the check of a new node as
// long as the node's event exists. So JoinTimeout must not be longer than Retention.
func DefaultDrain() DrainOptions {
	// The Cluster Autoscaler gives its drains the same time.
	hookTimeout := DefaultClusterAutoscaler().MaxGracefulTermination
	return DrainOptions{
		HookTimeout: hookTimeout, DrainTimeout: hookTimeout - time.Minute, JoinTimeout: 5 * time.Minute, Retention: 5 * time.Minute,
		Replicas: 2, Workers: 10, AlarmAfter: 10 * time.Minute,
		// The values of the same chart up to release 0.15.
		Resources: parseResources("50m", "100m", "64Mi", "128Mi"),
	}
}
