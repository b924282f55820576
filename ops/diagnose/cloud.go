package diagnose

import (
	"fmt"
	"time"
)

// Cloud is what AWS says. Package cloudview reads it.
type Cloud struct {
	Targets    []Target
	Activities []Activity
	Refreshes  []Refresh
	Events     []Event
	Waits      []Wait
	// CPUs are the vCPUs of the databases, by name.
	CPUs map[string]int
}

// Target is an instance behind the load balancer (Elastic Load Balancing,
// DescribeTargetHealth).
type Target struct {
	Group, ID string
	// State is healthy, initial, draining, unused or unhealthy.
	State, Reason, Description string
}

// Activity is one of a group's scaling activities (EC2 Auto Scaling,
// DescribeScalingActivities).
type Activity struct {
	Group, Status, Description, Message string
	Started                             time.Time
}

// Refresh is an instance refresh of a group (DescribeInstanceRefreshes).
type Refresh struct {
	Group, ID, Status, Reason string
	Percent                   int
	Started                   time.Time
}

// Event is one of a database (RDS, DescribeEvents).
type Event struct {
	Source, Message string
	Categories      []string
	At              time.Time
}

// Wait is what sessions of a database wait for (Performance Insights, db.load.avg by
// db.wait_event). Load is the mean number of sessions.
type Wait struct {
	Database, Name string
	Load           float64
}

// failedEvents are the categories of RDS that say that something is wrong (RDS User Guide,
// "Amazon RDS event categories and event messages").
var failedEvents = map[string]bool{"failure": true, "failover": true, "low storage": true, "recovery": true}

// cloudFindings judge what AWS says.
func cloudFindings(c Cloud, now time.Time) (list []Finding, figures []Figure) {
	states := map[string]map[string]float64{}
	for _, t := range c.Targets {
		if states[t.Group] == nil {
			states[t.Group] = map[string]float64{}
		}
		states[t.Group][t.State]++
		if t.State == "unhealthy" || t.State == "unavailable" {
			list = append(list, Finding{
				Check: App, Name: "target-unhealthy", Where: "target " + t.ID + " of " + t.Group, Evidence: t.State + ": " + t.Reason + " " + t.Description, Threshold: "healthy",
				Cause: "no ready pod answers at the node's port, or the node's security group does not admit the load balancer", Fix: "see the findings of resources on this node", Next: "aws elbv2 describe-target-health --target-group-arn ARN of " + t.Group,
			})
		}
	}
	for _, group := range sortedKeys(states) {
		figures = append(figures, Figure{App, "targets of " + group, largest(states[group], 5)})
	}
	for _, a := range c.Activities {
		figures = append(figures, Figure{Scaling, "activity of " + a.Group, a.Started.UTC().Format(time.RFC3339) + " " + a.Status + ": " + a.Description})
		if a.Status == "Failed" && now.Sub(a.Started) < recent {
			list = append(list, Finding{
				Check: Scaling, Name: "scaling-activity-failed", Where: "group " + a.Group, Evidence: a.Started.UTC().Format(time.RFC3339) + " " + a.Description + ": " + a.Message,
				Cause: "AWS could not start or end an instance: no capacity, a quota, or an invalid launch template", Fix: "read the message; add instance types or raise the quota: docs/deploy.md", Next: "aws autoscaling describe-scaling-activities --auto-scaling-group-name " + a.Group,
			})
		}
	}
	for _, r := range c.Refreshes {
		figures = append(figures, Figure{Scaling, "instance refresh of " + r.Group, fmt.Sprintf("%s %s, %d %%, since %s", r.ID, r.Status, r.Percent, r.Started.UTC().Format(time.RFC3339))})
		if (r.Status == "Failed" || r.Status == "RollbackFailed") && now.Sub(r.Started) < 24*time.Hour {
			list = append(list, Finding{
				Check: Scaling, Name: "instance-refresh-failed", Where: "group " + r.Group, Evidence: fmt.Sprintf("%s %s at %d %%: %s", r.ID, r.Status, r.Percent, r.Reason),
				Cause: "new instances do not become healthy", Fix: "docs/runbooks/upgrade.md#a-node-does-not-end-or-is-not-drained", Next: "aws autoscaling describe-instance-refreshes --auto-scaling-group-name " + r.Group,
			})
		}
	}
	for _, e := range c.Events {
		figures = append(figures, Figure{Database, "event of " + e.Source, e.At.UTC().Format(time.RFC3339) + " " + e.Message})
		for _, category := range e.Categories {
			if failedEvents[category] && now.Sub(e.At) < recent {
				list = append(list, Finding{
					Check: Database, Name: "database-event", Where: e.Source, Evidence: e.At.UTC().Format(time.RFC3339) + " " + category + ": " + e.Message,
					Cause: "RDS reports a " + category, Fix: "docs/runbooks/restore.md for lost data; else read the event's text in the RDS User Guide", Next: "aws rds describe-events --source-identifier " + e.Source,
				})
				break
			}
		}
	}
	total := map[string]float64{}
	for _, w := range c.Waits {
		total[w.Database] += w.Load
		figures = append(figures, Figure{Database, "wait of " + w.Database, fmt.Sprintf("%.2f sessions in %s", w.Load, w.Name)})
	}
	for _, name := range sortedKeys(total) {
		if cpus := c.CPUs[name]; cpus > 0 && total[name] > float64(cpus) {
			list = append(list, Finding{
				Check: Database, Name: "database-overloaded", Where: name, Evidence: fmt.Sprintf("a mean of %.1f sessions wait or work; most in %s", total[name], topWait(c.Waits, name)), Threshold: fmt.Sprintf("%d vCPUs", cpus),
				Cause: "more sessions than processors: the wait says for what", Fix: "see slow-query and lock-held; else a larger postgres.instanceClass", Next: "pf diagnose database",
			})
		}
	}
	return list, figures
}

// topWait is the largest wait of a database.
func topWait(waits []Wait, database string) (name string) {
	load := 0.
	for _, w := range waits {
		if w.Database == database && w.Load > load {
			name, load = w.Name, w.Load
		}
	}
	return name
}
