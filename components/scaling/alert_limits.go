package scaling

// Limits that are not among the design document's thresholds. The alerts of package promrules and
// the findings of `pf diagnose` share these limits.
const (
	// MaxRestarts is the highest number of restarts without an alert. The design document's report
	// (generate_performance_report) calls more restarts frequent.
	MaxRestarts = 3
	// MaxDeadlocks is the highest number of transactions that deadlocks roll back in 15 minutes
	// without an alert: the platform's choice.
	MaxDeadlocks = 5
	// MaxSlowCommands is the highest number of slow commands of a Redis node in 15 minutes without
	// an alert: the platform's choice.
	MaxSlowCommands = 10
	// MaxFragmentation is the highest ratio of a Redis node's memory to its data. Redis' own
	// defragmentation begins at 1.1 and does its most from 2 (redis.conf,
	// active-defrag-threshold-lower and -upper).
	MaxFragmentation = 1.5
)
