package scaling

import "time"

// Task is a program that runs to its end: once before the services start, and
// then by the clock.
type Task struct {
	// Short names it as a service's does.
	Short string
	// ImportPath is the Go package that its image is built from.
	ImportPath string
	Resources  Resources
	// Retries is how often it is tried again before it counts as failed;
	// Kubernetes waits longer each time, from 10 s on.
	Retries int
	// Deadline is how long all tries together may take.
	Deadline time.Duration
	// Schedule is a cron line, in UTC; empty: it runs once only.
	Schedule string
}

// Migrate brings the stores to the platform's schema. The document runs it by
// hand and names no numbers; these are ours. Once a day it makes the coming
// months' partitions of the agents' log, which one run a quarter would do.
func Migrate() Task {
	return Task{
		Short: "migrate", ImportPath: module + "migrate",
		Resources: resources("100m", "1000m", "64Mi", "256Mi"),
		Retries:   6,
		Deadline:  40 * time.Minute, // above the command's own MIGRATE_TIMEOUT of 30 minutes
		Schedule:  "17 3 * * *",
	}
}

// WithRequests is the task with a share of its requests; see Profile's.
func (t Task) WithRequests(share Percent) Task {
	t.Resources.CPURequest = Share(t.Resources.CPURequest, share)
	t.Resources.MemoryRequest = Share(t.Resources.MemoryRequest, share)
	return t
}
