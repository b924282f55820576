package rules

import (
	"fmt"
	"slices"
)

const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm"

var (
	toAlarm       = &Ref{To: []string{alarmType}, By: []string{"name"}, Noun: "alarm", Missing: "ValidationError"}
	toAlarmAction = &Ref{
		To: []string{scalingPolicyType}, By: []string{"arn"}, Noun: "alarm action", Missing: "ValidationError",
		Predefined: func(v string) bool { return checkTopicARN(v) == "" },
	}
)

// checkTopicARN returns a message unless v is the ARN of an SNS topic. Topics have no row,
// so the rule does not check that the topic exists.
var checkTopicARN = pattern(`arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+(\.fifo)?`, "the ARN of a topic")

// metricUnits are the units in
// AmazonCloudWatch/latest/APIReference/API_MetricDatum.html.
var metricUnits = []string{
	"Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits", "Kilobits", "Megabits",
	"Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second",
	"Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
}

var (
	alarmStatistics        = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
	checkExtendedStatistic = pattern(`(p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,2})?|100)|IQM|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\)`, "a statistic as in p99")
	checkMetricNamespace   = all(length(1, 255), pattern(`[^:].*`, "a namespace that does not begin with a colon"))
)

// The longest time that an alarm evaluates, in seconds: a day, or a week if a period is an
// hour or more (AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
const (
	maxAlarmSeconds       = 86400
	maxHourlyAlarmSeconds = 7 * maxAlarmSeconds
)

var _ = registerRows(&Row{
	Token:  alarmType,
	Source: "cloudwatch/metric_alarm.go", Page: "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
	Label: "CloudWatch Metric Alarm", ID: "{name}", NotFound: "ResourceNotFound",
	// AWS overwrites an alarm that exists. The provider of late 2025 refuses that.
	ExistsCode: "AlreadyExists", ExistsText: `CloudWatch metric alarm "{name}" already exists`,
	Naming: &Naming{Prop: "name", Max: 255},
	Props: Props{
		"name":                    {Replace: true},
		"alarmDescription":        {},
		"actionsEnabled":          {Default: true},
		"alarmActions":            {Set: true, Max: 5, Valid: checkARN, Ref: toAlarmAction},
		"okActions":               {Set: true, Max: 5, Valid: checkARN, Ref: toAlarmAction},
		"insufficientDataActions": {Set: true, Max: 5, Valid: checkARN, Ref: toAlarmAction},
		"comparisonOperator": {Enum: []string{
			"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
		}},
		"threshold":                         {Required: true},
		"evaluationPeriods":                 {Valid: numbers(1, 1e9)},
		"datapointsToAlarm":                 {Valid: numbers(1, 1e9)},
		"treatMissingData":                  {Default: "missing", Enum: []string{"breaching", "ignore", "missing", "notBreaching"}},
		"evaluateLowSampleCountPercentiles": {Computed: true, Enum: []string{"evaluate", "ignore"}},
		"metricName":                        {},
		"namespace":                         {Valid: checkMetricNamespace},
		"period":                            {Valid: checkAlarmPeriod(10, 20, 30)},
		"statistic":                         {},
		"extendedStatistic":                 {Valid: checkExtendedStatistic},
		"unit":                              {},
		"dimensions":                        {Valid: length(1, 1024)},
		"thresholdMetricId":                 {Refuse: "detection of anomalies is not supported yet"},
		"metricQueries":                     {Set: true, Max: 20},
		"metricQueries.id":                  {Valid: all(length(1, 255), pattern(`[a-z][a-zA-Z0-9_]*`, "letters, digits and _, beginning with a small letter"))},
		"metricQueries.expression":          {Valid: length(1, 1024)},
		"metricQueries.label":               {},
		"metricQueries.period":              {Valid: checkAlarmPeriod(1, 5, 10, 20, 30)},
		"metricQueries.returnData":          {Default: false},
		"metricQueries.accountId":           {Refuse: "other accounts are not supported"},
		"metricQueries.metric":              {},
		"metricQueries.metric.metricName":   {},
		"metricQueries.metric.namespace":    {Required: true, Valid: checkMetricNamespace},
		"metricQueries.metric.period":       {Valid: checkAlarmPeriod(1, 5, 10, 20, 30)},
		"metricQueries.metric.stat":         {Valid: checkStatistic},
		"metricQueries.metric.unit":         {},
		"metricQueries.metric.dimensions":   {Valid: length(1, 1024)},
	},
	ExactlyOne: [][]string{{"metricName", "metricQueries"}},
	AtMostOne:  [][]string{{"statistic", "extendedStatistic"}},
	Outputs:    map[string]string{"arn": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"},
	Check:      checkAlarm,
	Verify:     verifyAlarm,
})

// checkAlarmPeriod returns a validator for a period in seconds. The validator allows the periods
// in shortPeriods and every multiple of 60.
func checkAlarmPeriod(shortPeriods ...float64) func(any) string {
	return func(v any) string {
		if n, _ := v.(float64); !slices.Contains(shortPeriods, n) && (n < 60 || int(n)%60 != 0) {
			return fmt.Sprintf("is %v, must be one of %v or a multiple of 60", n, shortPeriods)
		}
		return ""
	}
}

// checkStatistic returns a message unless v is a simple or an extended statistic.
func checkStatistic(v any) string {
	if s, _ := v.(string); slices.Contains(alarmStatistics, s) {
		return ""
	}
	return checkExtendedStatistic(v)
}

// checkAlarm checks the properties of an alarm that depend on each other: the metric or the
// metric queries, the dimensions, and the number and length of the periods.
func checkAlarm(in Object, fail Fail) {
	if in.Has("metricName") {
		for _, name := range []string{"namespace", "period"} {
			if !in.Has(name) {
				fail(name, "a required property is missing: metricName is given")
			}
		}
		if !in.Has("statistic") && !in.Has("extendedStatistic") {
			fail("statistic", "one of statistic and extendedStatistic must be given with metricName")
		}
	}
	if dimensions, _ := in["dimensions"].(map[string]any); len(dimensions) > 30 {
		fail("dimensions", "%d dimensions; AWS allows 30", len(dimensions))
	}
	periods := in.Int("evaluationPeriods")
	if in.Known("datapointsToAlarm") && in.Known("evaluationPeriods") && in.Int("datapointsToAlarm") > periods {
		fail("datapointsToAlarm", "%d is above evaluationPeriods, %d", in.Int("datapointsToAlarm"), periods)
	}
	if in.Has("evaluateLowSampleCountPercentiles") && !in.Has("extendedStatistic") {
		fail("evaluateLowSampleCountPercentiles", "is for percentiles in extendedStatistic")
	}
	checkQueries(in, fail)
	longestPeriod := in.Int("period")
	for _, q := range in.Objects("metricQueries") {
		longestPeriod = max(longestPeriod, q.Int("period"), q.Object("metric").Int("period"))
	}
	limit := maxAlarmSeconds
	if longestPeriod >= 3600 {
		limit = maxHourlyAlarmSeconds
	}
	if longestPeriod*periods > limit {
		fail("evaluationPeriods", "%d periods of %d seconds are more than the %d seconds that an alarm may look back", periods, longestPeriod, limit)
	}
}

// verifyAlarm returns an error if the alarm reads a metric of an EventBridge rule that does not
// exist. AWS accepts such an alarm, and the alarm never gets data.
func verifyAlarm(c *Call) error {
	metrics := []Object{c.In}
	for _, q := range c.In.Objects("metricQueries") {
		metrics = append(metrics, q.Object("metric"))
	}
	for _, m := range metrics {
		name := m.Object("dimensions").String("RuleName")
		if m.String("namespace") != "AWS/Events" || name == "" {
			continue
		}
		if _, ok := c.resolve(toEventRule, name); !ok {
			return refuse("ValidationError", "the rule '%s' does not exist: AWS would accept the alarm, and %s would have no data; use the name of the rule", name, m.String("metricName"))
		}
	}
	return nil
}

// checkQueries checks the metric queries of an alarm. Exactly one of them must return the
// data that the alarm evaluates.
func checkQueries(in Object, fail Fail) {
	if !in.Known("metricQueries") {
		return
	}
	for _, name := range []string{"namespace", "period", "statistic", "extendedStatistic", "dimensions", "unit"} {
		if in.Has(name) {
			fail(name, "belongs to metricName, not to metricQueries")
		}
	}
	dataQueries, ids := 0, map[string]bool{}
	for i, q := range in.Objects("metricQueries") {
		path := fmt.Sprintf("metricQueries[%d]", i)
		if !q.hasExactlyOne("metric", "expression") {
			fail(path, "exactly one of metric and expression must be given")
		}
		if ids[q.String("id")] {
			fail(path+".id", "the id %s is given twice", q.String("id"))
		}
		ids[q.String("id")] = true
		if q.Bool("returnData") {
			dataQueries++
		}
	}
	if dataQueries != 1 {
		fail("metricQueries", "exactly one query must have returnData, %d have", dataQueries)
	}
}
