package scaling

// Limits that the design document does not have. The alerts of package promrules and the findings of
// `pf diagnose` share them.
const (
	// MaxRestarts is the highest number of restarts. Above it, the design document's report
	// (generate_performance_report) calls restarts frequent.
	MaxRestarts = 3
	// MaxDeadlocks is the highest number of transactions that deadlocks roll back within minutes.
	MaxDeadlocks = 5
	// MaxSlowCommands is the highest number of slow commands of a Redis node within minutes.
	MaxSlowCommands = 10
	// MaxFragmentation is the highest ratio of a Redis node's memory to its data. Redis' own
	// defragmentation begins at 1.1 and does its most from 2 (redis.conf,
	// active-defrag-threshold-lower and -upper).
	MaxFragmentation = 1.5
)
