package scaling

import "time"

// Task is a program that runs to completion: once before the services start,
// and then on a schedule.
type Task struct {
	// Short is the task's short name; see Profile.ShortName.
	ShortName string
	// ImportPath is the Go main package of the task's image.
	ImportPath string
	Resources  Resources
	// Retries is the number of retries before the task counts as failed.
	// Kubernetes waits 10 s before the first retry and longer before each
	// further one.
	Retries int
	// Deadline is the longest time of all attempts together.
	Deadline time.Duration
	// Schedule is a cron expression in UTC. Empty means that the task runs only once.
	Schedule string
	// StartWithin is the longest delay of a scheduled run. Kubernetes skips a run that
	// could only start later.
	StartWithin time.Duration
}

// MigrationTask returns the task that updates the schema of the stores. In the design document a
// person runs it, so the numbers here are the platform's choice. Each day the task creates
// the partitions of the agents' log for the next months. One run in three months would be
// enough.
func MigrationTask() Task {
	return Task{
		ShortName: "migrate", ImportPath: module + "migrate",
		Resources: parseResources("100m", "1000m", "64Mi", "256Mi"),
		Retries:   6,
		Deadline:  40 * time.Minute, // longer than the command's MIGRATE_TIMEOUT of 30 minutes
		Schedule:  "17 3 * * *",
		// An upgrade of the control plane is shorter, so it can only delay a run.
		StartWithin: time.Hour,
	}
}

// WithRequests returns the task with its CPU and memory requests reduced to a
// share, 1 to 100 %. See Profile.WithRequests.
func (t Task) WithRequests(share Percent) Task {
	t.Resources.CPURequest = Share(t.Resources.CPURequest, share)
	t.Resources.MemoryRequest = Share(t.Resources.MemoryRequest, share)
	return t
}
