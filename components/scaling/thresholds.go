package scaling

import "time"

// Thresholds are the performance thresholds of the design document (section
// "Scaling Metrics & Thresholds"). HPA targets, alarms, the alerts of package
// promrules and the load test are derived from them. A test of promrules checks that each
// threshold has an alert.
type Thresholds struct {
	Web         WebThresholds
	Application ApplicationThresholds
	Database    DatabaseThresholds
	Agents      AgentThresholds
}

// WebThresholds are the thresholds of the web tier.
type WebThresholds struct {
	CPU, Memory  Percent
	ResponseTime time.Duration
	// ErrorRate is the share of requests that fail.
	ErrorRate Percent
	// RequestsPerSecondMax is the highest rate that the whole tier must serve. The
	// target for one pod is in the service's HPA.
	RequestsPerSecondMax int
}

// ApplicationThresholds are the thresholds of the application tier.
type ApplicationThresholds struct {
	CPU, Memory Percent
	// AgentCoordination is the duration of one coordination. The threshold of the
	// agent mca is stricter.
	AgentCoordination time.Duration
	// ConcurrentAgentSessions is the largest number of concurrent sessions of one
	// coordination agent.
	ConcurrentAgentSessions int
	// QueueDepth is the largest number of requests that wait in one coordination agent.
	QueueDepth int
}

// DatabaseThresholds are the thresholds of the database tier.
type DatabaseThresholds struct {
	CPU, Memory Percent
	// ConnectionPool is the share of max_connections that the services may use, and
	// the share of a service's connections that its queries may use.
	ConnectionPool Percent
	// DiskIO is the share of time in which the disk is busy.
	DiskIO Percent
	// QueryTime is the duration of one query.
	QueryTime time.Duration
}

// AgentThresholds are the longest durations that the agents' work may take. The
// load test compares the 95th percentile with them.
type AgentThresholds struct {
	MCACoordination time.Duration
	NPACalculation  time.Duration
	WPAGeneration   time.Duration
	// InterAgent is the duration of one message between two agents.
	InterAgent time.Duration
}

// DesignThresholds returns the thresholds of the design document.
func DesignThresholds() Thresholds {
	return Thresholds{
		Web: WebThresholds{
			CPU: 70, Memory: 80,
			ResponseTime:         500 * time.Millisecond,
			ErrorRate:            1,
			RequestsPerSecondMax: 1000,
		},
		Application: ApplicationThresholds{
			CPU: 75, Memory: 85,
			AgentCoordination:       200 * time.Millisecond,
			ConcurrentAgentSessions: 50,
			QueueDepth:              100,
		},
		Database: DatabaseThresholds{CPU: 80, Memory: 90, ConnectionPool: 85, DiskIO: 80, QueryTime: 100 * time.Millisecond},
		Agents: AgentThresholds{
			MCACoordination: 150 * time.Millisecond,
			NPACalculation:  300 * time.Millisecond,
			WPAGeneration:   500 * time.Millisecond,
			InterAgent:      100 * time.Millisecond,
		},
	}
}
