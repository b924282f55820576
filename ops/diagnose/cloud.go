package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/mongo/docdbspec"
)

// Cloud is the part of the platform's state that only the API of AWS returns. Package cloudview reads
// it.
type Cloud struct {
	Targets    []Target
	Activities []Activity
	Refreshes  []Refresh
	Events     []Event
	Waits      []Wait
	// CPUs is the number of vCPUs of each database, by its name.
	CPUs map[string]int
	// Operations are the slow operations of DocumentDB within the window.
	Operations []Operation
}

// Target is an instance behind the load balancer (Elastic Load Balancing,
// DescribeTargetHealth).
type Target struct {
	Group, ID string
	// State is healthy, initial, draining, unused, unavailable or unhealthy.
	State, Reason, Description string
	// GroupARN is the ARN of the target group.
	GroupARN string
}

// Activity is a scaling activity of an Auto Scaling group (EC2 Auto Scaling,
// DescribeScalingActivities).
type Activity struct {
	Group, Status, Description, Message string
	Started                             time.Time
}

// Refresh is an instance refresh of an Auto Scaling group (DescribeInstanceRefreshes).
type Refresh struct {
	Group, ID, Status, Reason string
	Percent                   int
	Started                   time.Time
}

// Event is an event of a database (RDS, DescribeEvents).
type Event struct {
	Source, Message string
	Categories      []string
	At              time.Time
}

// Wait is a wait event of a database (Performance Insights, db.load.avg by db.wait_event). Load is
// the mean number of sessions that wait for the event.
type Wait struct {
	Database, Name string
	Load           float64
	// ResourceID is the database's identifier in Performance Insights.
	ResourceID string
}

// Operation is an operation in the log of DocumentDB's profiler (CloudWatch Logs, FilterLogEvents).
// It has neither the command nor the user, because they may be private.
type Operation struct {
	Cluster, Operation, Collection, Plan string
	Duration                             time.Duration
	At                                   time.Time
}

// failureCategories are the categories of RDS events that report a failure (RDS User Guide, "Amazon
// RDS event categories and event messages").
var failureCategories = map[string]bool{"failure": true, "failover": true, "low storage": true, "recovery": true}

// cloudFindings judges the targets, scaling activities, instance refreshes, database events, wait
// events, and slow operations of DocumentDB.
func cloudFindings(c Cloud, now time.Time) (findings []Finding, figures []Figure) {
	var all results
	all.add(targetFindings(c.Targets))
	all.add(activityFindings(c.Activities, now))
	all.add(refreshFindings(c.Refreshes, now))
	all.add(eventFindings(c.Events, now))
	all.add(waitFindings(c.Waits, c.CPUs, now))
	all.add(operationFindings(c.Operations))
	return all.findings, all.figures
}

// targetFindings judges the health of the load balancer's targets.
func targetFindings(targets []Target) (findings []Finding, figures []Figure) {
	states := map[string]map[string]float64{}
	for _, t := range targets {
		if states[t.Group] == nil {
			states[t.Group] = map[string]float64{}
		}
		states[t.Group][t.State]++
		if t.State == "unhealthy" || t.State == "unavailable" {
			findings = append(findings, Finding{
				Check: App, Name: "target-unhealthy", Where: "target " + t.ID + " of " + t.Group, Evidence: t.State + ": " + t.Reason + " " + t.Description, Threshold: "healthy",
				Cause: "no ready pod responds at the node's port, or the node's security group does not allow the load balancer", Fix: "see the findings of resources on this node", Next: "aws elbv2 describe-target-health --target-group-arn " + t.GroupARN,
			})
		}
	}
	for _, group := range sortedKeys(states) {
		figures = append(figures, Figure{App, "targets of " + group, formatLargest(states[group], 5)})
	}
	return findings, figures
}

// activityFindings reports the failed scaling activities that started within maxFaultAge.
func activityFindings(activities []Activity, now time.Time) (findings []Finding, figures []Figure) {
	for _, a := range activities {
		started := a.Started.UTC().Format(time.RFC3339)
		figures = append(figures, Figure{Scaling, "activity of " + a.Group, started + " " + a.Status + ": " + a.Description})
		if a.Status == "Failed" && now.Sub(a.Started) < maxFaultAge {
			findings = append(findings, Finding{
				Check: Scaling, Name: "scaling-activity-failed", Where: "group " + a.Group, Evidence: started + " " + a.Description + ": " + a.Message,
				Cause: "AWS could not start or end an instance: it has no capacity, a quota is reached, or the launch template is invalid", Fix: "read the message; add instance types or raise the quota: docs/deploy.md", Next: "aws autoscaling describe-scaling-activities --auto-scaling-group-name " + a.Group,
			})
		}
	}
	return findings, figures
}

// refreshFindings reports the failed instance refreshes that started within the last day. A refresh
// may take many hours.
func refreshFindings(refreshes []Refresh, now time.Time) (findings []Finding, figures []Figure) {
	for _, r := range refreshes {
		figures = append(figures, Figure{Scaling, "instance refresh of " + r.Group, fmt.Sprintf("%s %s, %d %%, since %s", r.ID, r.Status, r.Percent, r.Started.UTC().Format(time.RFC3339))})
		if (r.Status == "Failed" || r.Status == "RollbackFailed") && now.Sub(r.Started) < 24*time.Hour {
			findings = append(findings, Finding{
				Check: Scaling, Name: "instance-refresh-failed", Where: "group " + r.Group, Evidence: fmt.Sprintf("%s %s at %d %%: %s", r.ID, r.Status, r.Percent, r.Reason),
				Cause: "new instances do not become healthy", Fix: "docs/runbooks/upgrade.md#a-node-does-not-end-or-is-not-drained", Next: "aws autoscaling describe-instance-refreshes --auto-scaling-group-name " + r.Group,
			})
		}
	}
	return findings, figures
}

// eventFindings reports the database events of the last hour that have a category of
// failureCategories.
func eventFindings(events []Event, now time.Time) (findings []Finding, figures []Figure) {
	for _, e := range events {
		at := e.At.UTC().Format(time.RFC3339)
		figures = append(figures, Figure{Database, "event of " + e.Source, at + " " + e.Message})
		i := slices.IndexFunc(e.Categories, func(category string) bool { return failureCategories[category] })
		if i < 0 || now.Sub(e.At) >= maxFaultAge {
			continue
		}
		findings = append(findings, Finding{
			Check: Database, Name: "database-event", Where: e.Source, Evidence: at + " " + e.Categories[i] + ": " + e.Message,
			Cause: "RDS reports a " + e.Categories[i], Fix: "docs/runbooks/restore.md for lost data; else read the event's text in the RDS User Guide", Next: "aws rds describe-events --source-identifier " + e.Source,
		})
	}
	return findings, figures
}

// maxListedOperations is the highest number of slow operations in the evidence.
const maxListedOperations = 3

// operationFindings reports each cluster of DocumentDB that had slow operations, with the slowest
// operations.
func operationFindings(operations []Operation) (findings []Finding, figures []Figure) {
	clusters := map[string][]Operation{}
	for _, o := range operations {
		if o.Duration > docdbspec.SlowOperation {
			clusters[o.Cluster] = append(clusters[o.Cluster], o)
		}
	}
	for _, cluster := range sortedKeys(clusters) {
		slow := clusters[cluster]
		slices.SortStableFunc(slow, func(a, b Operation) int { return cmp.Compare(b.Duration, a.Duration) })
		var descriptions []string
		for _, o := range slow[:min(maxListedOperations, len(slow))] {
			descriptions = append(descriptions, fmt.Sprintf("%s of %s took %s at %s (%s)", o.Operation, o.Collection, o.Duration, o.At.UTC().Format(time.RFC3339), cmp.Or(o.Plan, "no plan")))
		}
		figures = append(figures, Figure{Database, "slow operations of " + cluster, fmt.Sprintf("%d in the last %s, the slowest %s", len(slow), window, slow[0].Duration)})
		findings = append(findings, Finding{
			Check: Database, Name: "slow-operation", Where: "documentdb " + cluster, Evidence: fmt.Sprintf("%d slow operations in the last %s: %s", len(slow), window, strings.Join(descriptions, ", ")), Threshold: docdbspec.SlowOperation.String(),
			Cause: "COLLSCAN: no index has the fields of the filter; another plan: the operation reads too much, or the instance has too little memory or CPU", Fix: "add an index in agents/migrate/mongoindexes, or use a larger mongo.instanceClass", Next: "aws logs tail /aws/docdb/" + cluster + "/profiler --since 10m",
		})
	}
	return findings, figures
}

// waitFindings reports the databases with more active sessions than vCPUs. cpus is the number of
// vCPUs by database. A database without an entry is not judged.
func waitFindings(waits []Wait, cpus map[string]int, now time.Time) (findings []Finding, figures []Figure) {
	sessions, resourceIDs := map[string]float64{}, map[string]string{}
	for _, w := range waits {
		sessions[w.Database] += w.Load
		resourceIDs[w.Database] = w.ResourceID
		figures = append(figures, Figure{Database, "wait of " + w.Database, fmt.Sprintf("%.2f sessions in %s", w.Load, w.Name)})
	}
	for _, name := range sortedKeys(sessions) {
		if n := cpus[name]; n > 0 && sessions[name] > float64(n) {
			findings = append(findings, Finding{
				Check: Database, Name: "database-overloaded", Where: name, Evidence: fmt.Sprintf("a mean of %.1f sessions wait or work; most in %s", sessions[name], topWait(waits, name)), Threshold: fmt.Sprintf("%d vCPUs", n),
				Cause: "more sessions than processors; the largest wait event shows what they wait for", Fix: "see slow-query and lock-held; without them, use a larger postgres.instanceClass",
				Next: fmt.Sprintf("aws pi describe-dimension-keys --service-type RDS --identifier %s --metric db.load.avg --group-by Group=db.sql_tokenized,Limit=5 --start-time %s --end-time %s",
					resourceIDs[name], now.Add(-window).UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			})
		}
	}
	return findings, figures
}

// topWait returns the wait event with the most waiting sessions of a database.
func topWait(waits []Wait, database string) (name string) {
	load := 0.
	for _, w := range waits {
		if w.Database == database && w.Load > load {
			name, load = w.Name, w.Load
		}
	}
	return name
}
