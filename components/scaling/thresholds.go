package scaling

import "time"

// Thresholds are those of the design document's performance thresholds (section
// "Scaling Metrics & Thresholds") from which HPA targets, alarms and the load
// test are derived. The document's others are added with what reads them.
type Thresholds struct {
	Web         WebThresholds
	Application ApplicationThresholds
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
	CPU Percent
	// ConcurrentAgentSessions is the most sessions of one coordinating agent.
	ConcurrentAgentSessions int
}

// AgentThresholds are the longest times that the agents' own work may take. The
// load test compares the p95 with them.
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
			CPU:                     75,
			ConcurrentAgentSessions: 50,
		},
		Agents: AgentThresholds{
			MCACoordination: 150 * time.Millisecond,
			NPACalculation:  300 * time.Millisecond,
			WPAGeneration:   500 * time.Millisecond,
			InterAgent:      100 * time.Millisecond,
		},
	}
}
