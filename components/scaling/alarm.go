package scaling

import "time"

// Alarm is a CloudWatch alarm on one metric of a tier: it takes Step while
// the metric has been beyond Threshold in each of the last Evaluations periods.
type Alarm struct {
	// Name ends the alarm's name, such as "cpu-high".
	Name string
	// Scope says whose metric it is, and so in which namespace and by which
	// dimensions CloudWatch keeps it.
	Scope Scope
	// Metric and Statistic are CloudWatch's names.
	Metric, Statistic string
	Comparison        Comparison
	// Threshold is in the metric's own unit.
	Threshold float64
	Period    time.Duration
	// Evaluations is the number of periods in a row.
	Evaluations int
	// Takes is the step that it takes.
	Takes Direction
}

// Scope is whose metric an Alarm watches.
type Scope string

// The scopes are CloudWatch's namespaces. Nothing publishes the memory of
// instances there, so the thresholds for memory have no alarm: one that never
// gets data is worse than none. The agents' latencies are Prometheus metrics.
const (
	// GroupScope is a group's instances, by AutoScalingGroupName.
	GroupScope Scope = "AWS/EC2"
	// TargetScope is a load balancer's target group, by LoadBalancer and
	// TargetGroup.
	TargetScope Scope = "AWS/ApplicationELB"
)

// Comparison is a CloudWatch comparison operator.
type Comparison string

// The comparisons in use.
const (
	Above Comparison = "GreaterThanThreshold"
	Below Comparison = "LessThanThreshold"
)

// Direction is which of a tier's steps an Alarm takes.
type Direction string

// The directions.
const (
	Out Direction = "out"
	In  Direction = "in"
)

const (
	// alarmPeriod is the finest that EC2 publishes, with detailed monitoring
	// (EC2 User Guide, "Manage detailed monitoring").
	alarmPeriod = time.Minute
	// outEvaluations: three minutes tell a burst from a spike; pods, which
	// start sooner, answer after one (the HPA's scale-up window).
	outEvaluations = 3
	// slack keeps a group from swinging: when the rest takes over the work of
	// one of two or more instances, the load of each at most doubles, so below
	// half of the threshold nothing that is taken away is needed back.
	slack = 0.5
)

// RateAlarm is a CloudWatch alarm for people: the share of requests that fail
// has been above Threshold in each of the last Evaluations periods. More
// instances mend no error, so it takes no step.
type RateAlarm struct {
	// Name ends the alarm's name.
	Name      string
	Threshold Percent
	Period    time.Duration
	// Evaluations is the number of periods in a row.
	Evaluations int
}

// ErrorRate is the alarm of the document's error_rate_threshold (section
// "Scaling Metrics & Thresholds"), which it gives the web tier: all requests of
// users come in there. The document says for how long it must be passed
// nowhere; it is as long as for the thresholds that scale.
func ErrorRate() RateAlarm {
	return RateAlarm{Name: "error-rate-high", Threshold: Targets().Web.ErrorRate, Period: alarmPeriod, Evaluations: outEvaluations}
}

func highCPU(p Percent) Alarm {
	return Alarm{
		Name: "cpu-high", Scope: GroupScope, Metric: "CPUUtilization", Statistic: "Average",
		Comparison: Above, Threshold: float64(p), Period: alarmPeriod, Evaluations: outEvaluations, Takes: Out,
	}
}

func lowCPU(p Percent) Alarm {
	return Alarm{
		Name: "cpu-low", Scope: GroupScope, Metric: "CPUUtilization", Statistic: "Average",
		Comparison: Below, Threshold: float64(p) * slack, Period: alarmPeriod,
		// As long as the Cluster Autoscaler would wait.
		Evaluations: int(DefaultClusterAutoscaler().ScaleDownUnneededTime / alarmPeriod), Takes: In,
	}
}

func slowResponses(d time.Duration) Alarm {
	return Alarm{
		Name: "response-time-high", Scope: TargetScope, Metric: "TargetResponseTime", Statistic: "Average", // seconds
		Comparison: Above, Threshold: d.Seconds(), Period: alarmPeriod, Evaluations: outEvaluations, Takes: Out,
	}
}

// manyRequests counts those of the whole tier, as the document's threshold
// does; AWS's RequestCountPerTarget would move with the number of instances.
func manyRequests(perSecond int) Alarm {
	return Alarm{
		Name: "requests-high", Scope: TargetScope, Metric: "RequestCount", Statistic: "Sum",
		Comparison: Above, Threshold: float64(perSecond) * alarmPeriod.Seconds(), Period: alarmPeriod, Evaluations: outEvaluations, Takes: Out,
	}
}
