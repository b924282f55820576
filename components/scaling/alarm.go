package scaling

import "time"

// Alarm is a CloudWatch alarm on one metric of a tier. It fires when the metric
// was beyond Threshold in each of the last Evaluations periods. It then starts
// the tier's step in Direction. If the Plan has no such step, it notifies people.
type Alarm struct {
	// Name is the last part of the alarm's name, such as "cpu-high".
	Name string
	// Namespace is the CloudWatch namespace of the metric. It also determines the dimensions.
	Namespace MetricNamespace
	// Metric and Statistic are names of CloudWatch.
	Metric, Statistic string
	Comparison        Comparison
	// Threshold is in the unit of the metric.
	Threshold float64
	Period    time.Duration
	// Evaluations is the number of consecutive periods.
	Evaluations int
	// Direction selects the step that the alarm starts.
	Direction Direction
}

// MetricNamespace is the CloudWatch namespace of the metric of an Alarm.
type MetricNamespace string

// The namespaces in use. The thresholds for memory have no alarm, because CloudWatch
// has no metric for the memory of instances. The latencies of the agents are
// Prometheus metrics.
const (
	// GroupNamespace has the metrics of a group's instances. Its dimension is
	// AutoScalingGroupName.
	GroupNamespace MetricNamespace = "AWS/EC2"
	// TargetGroupNamespace has the metrics of a load balancer's target group. Its
	// dimensions are LoadBalancer and TargetGroup.
	TargetGroupNamespace MetricNamespace = "AWS/ApplicationELB"
)

// Comparison is a CloudWatch comparison operator.
type Comparison string

// The comparisons in use.
const (
	Above Comparison = "GreaterThanThreshold"
	Below Comparison = "LessThanThreshold"
)

// Direction is the direction of the step that an Alarm starts: ScaleOut or ScaleIn.
type Direction string

// The directions.
const (
	Out Direction = "out"
	In  Direction = "in"
)

const (
	// alarmPeriod is the shortest period that EC2 publishes, with detailed
	// monitoring (EC2 User Guide, "Manage detailed monitoring").
	alarmPeriod = time.Minute
	// scaleOutEvaluations is the number of periods before a scale-out: three minutes, the platform's
	// choice. A shorter spike of the load starts no instances. The HPAs already add pods after one
	// minute (their scale-up window).
	scaleOutEvaluations = 3
	// scaleInRatio is the ratio of the scale-in threshold to the scale-out threshold.
	// One half prevents oscillation. When one of at least two instances is removed, the
	// load of the others at most doubles. So it stays below the scale-out threshold.
	scaleInRatio = 0.5
)

// RateAlarm is a CloudWatch alarm that notifies people. It fires when the share
// of failed requests was above Threshold in each of the last Evaluations
// periods. More instances would not reduce failures, so it starts no step.
type RateAlarm struct {
	// Name is the last part of the alarm's name.
	Name      string
	Threshold Percent
	Period    time.Duration
	// Evaluations is the number of consecutive periods.
	Evaluations int
}

// ErrorRateAlarm returns the alarm for the design document's error_rate_threshold (section "Scaling
// Metrics & Thresholds"). The document sets this threshold for the web tier, which receives all
// user requests. It sets no duration, so the alarm uses the duration of the scale-out alarms.
func ErrorRateAlarm() RateAlarm {
	return RateAlarm{Name: "error-rate-high", Threshold: DesignThresholds().Web.ErrorRate, Period: alarmPeriod, Evaluations: scaleOutEvaluations}
}

// highCPUAlarm returns the alarm that scales out when the CPU is above the threshold.
func highCPUAlarm(threshold Percent) Alarm {
	return Alarm{
		Name: "cpu-high", Namespace: GroupNamespace, Metric: "CPUUtilization", Statistic: "Average",
		Comparison: Above, Threshold: float64(threshold), Period: alarmPeriod, Evaluations: scaleOutEvaluations, Direction: Out,
	}
}

// lowCPUAlarm returns the alarm that scales in when the CPU is below half of the threshold.
func lowCPUAlarm(threshold Percent) Alarm {
	return Alarm{
		Name: "cpu-low", Namespace: GroupNamespace, Metric: "CPUUtilization", Statistic: "Average",
		Comparison: Below, Threshold: float64(threshold) * scaleInRatio, Period: alarmPeriod,
		// The Cluster Autoscaler waits for the same time.
		Evaluations: int(DefaultClusterAutoscaler().ScaleDownUnneededTime / alarmPeriod), Direction: In,
	}
}

// slowResponsesAlarm returns the alarm that scales out when responses take too long.
func slowResponsesAlarm(threshold time.Duration) Alarm {
	return Alarm{
		Name: "response-time-high", Namespace: TargetGroupNamespace, Metric: "TargetResponseTime", Statistic: "Average", // seconds
		Comparison: Above, Threshold: threshold.Seconds(), Period: alarmPeriod, Evaluations: scaleOutEvaluations, Direction: Out,
	}
}

// manyRequestsAlarm returns the alarm that scales out when the whole tier gets too many requests.
// The design document's threshold is also for the whole tier. AWS's metric RequestCountPerTarget
// does not fit, because it depends on the number of instances.
func manyRequestsAlarm(requestsPerSecond int) Alarm {
	return Alarm{
		Name: "requests-high", Namespace: TargetGroupNamespace, Metric: "RequestCount", Statistic: "Sum",
		Comparison: Above, Threshold: float64(requestsPerSecond) * alarmPeriod.Seconds(), Period: alarmPeriod, Evaluations: scaleOutEvaluations, Direction: Out,
	}
}
