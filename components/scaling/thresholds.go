package scaling

import "time"

// Thresholds are the design document's performance thresholds (section
// "Scaling Metrics & Thresholds"). HPA targets, alarms, dashboards and load
// tests are derived from them.
type Thresholds struct {
	Web         WebThresholds
	Application ApplicationThresholds
	Database    DatabaseThresholds
	Agents      AgentThresholds
}

// WebThresholds are those of the web tier.
type WebThresholds struct {
	CPU, Memory  Percent
	ResponseTime time.Duration
	// ErrorRate is the share of requests that fail.
	ErrorRate Percent
	// RequestsPerSecondMax is the most that the whole tier is built for.
	RequestsPerSecondMax int
}

// ApplicationThresholds are those of the application tier.
type ApplicationThresholds struct {
	CPU, Memory         Percent
	CoordinationLatency time.Duration
	// ConcurrentAgentSessions is the most sessions of one coordinating agent.
	ConcurrentAgentSessions int
	// QueueDepthMax counts waiting tasks.
	QueueDepthMax int
}

// DatabaseThresholds are those of the database tier.
type DatabaseThresholds struct {
	CPU, Memory Percent
	// ConnectionPool is the share of a pool's connections that are taken.
	ConnectionPool    Percent
	QueryResponseTime time.Duration
	DiskIO            Percent
}

// AgentThresholds are the longest times that the agents' own work may take.
type AgentThresholds struct {
	MCACoordination time.Duration
	NPACalculation  time.Duration
	WPAGeneration   time.Duration
	// InterAgent is one message between two agents.
	InterAgent time.Duration
}

// Targets gives the document's thresholds.
func Targets() Thresholds {
	return Thresholds{
		Web: WebThresholds{
			CPU: 70, Memory: 80,
			ResponseTime:         500 * time.Millisecond,
			ErrorRate:            1,
			RequestsPerSecondMax: 1000,
		},
		Application: ApplicationThresholds{
			CPU: 75, Memory: 85,
			CoordinationLatency:     200 * time.Millisecond,
			ConcurrentAgentSessions: 50,
			QueueDepthMax:           100,
		},
		Database: DatabaseThresholds{
			CPU: 80, Memory: 90,
			ConnectionPool:    85,
			QueryResponseTime: 100 * time.Millisecond,
			DiskIO:            80,
		},
		Agents: AgentThresholds{
			MCACoordination: 150 * time.Millisecond,
			NPACalculation:  300 * time.Millisecond,
			WPAGeneration:   500 * time.Millisecond,
			InterAgent:      100 * time.Millisecond,
		},
	}
}
