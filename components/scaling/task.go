package scaling

import "time"

// Task is a program that runs to completion: once before the services start,
// and then on a schedule.
type Task struct {
	// Short is its short name; see Profile.Short.
	Short string
	// ImportPath is the Go main package of its image.
	ImportPath string
	Resources  Resources
	// Retries is the number of retries before the task counts as failed.
	// Kubernetes waits 10 s before the first retry and longer before each
	// further one.
	Retries int
	// Deadline is how long all attempts together may take.
	Deadline time.Duration
	// Schedule is a cron expression in UTC. Empty means that it runs only once.
	Schedule string
	// StartWithin is how late a run of the schedule may start. A later one is left out.
	StartWithin time.Duration
}

// Migrate updates the schema of the stores. The document runs it by hand and
// gives no numbers, so these are ours. Each day it creates the partitions of the
// agents' log for the next months. One run a quarter would be enough.
func Migrate() Task {
	return Task{
		Short: "migrate", ImportPath: module + "migrate",
		Resources: resources("100m", "1000m", "64Mi", "256Mi"),
		Retries:   6,
		Deadline:  40 * time.Minute, // longer than the command's MIGRATE_TIMEOUT of 30 minutes
		Schedule:  "17 3 * * *",
		// Long enough for an upgrade of the control plane; the next run is a day later.
		StartWithin: time.Hour,
	}
}

// WithRequests returns the task with a share of its requests; see
// Profile.WithRequests.
func (t Task) WithRequests(share Percent) Task {
	t.Resources.CPURequest = Share(t.Resources.CPURequest, share)
	t.Resources.MemoryRequest = Share(t.Resources.MemoryRequest, share)
	return t
}
