package promotion

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// alarmSource reads which alarms of a stack were raised.
type alarmSource interface {
	// readRaisedAlarms returns the names of the alarms that were raised at any time after since.
	readRaisedAlarms(ctx context.Context, since time.Time) ([]string, error)
}

// checkAlarms returns the number of sources. It returns an error if a source has an alarm that was
// raised after since.
func checkAlarms(ctx context.Context, sources map[string]alarmSource, since time.Time) (int, error) {
	if len(sources) == 0 {
		return 0, fmt.Errorf("%w: the stack has neither Prometheus nor alarms of CloudWatch", errNoEvidence)
	}
	var raised []string
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		alarms, err := sources[name].readRaisedAlarms(ctx, since)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		for _, alarm := range alarms {
			raised = append(raised, alarm+" ("+name+")")
		}
	}
	if len(raised) > 0 {
		return 0, fmt.Errorf("raised since %s: %s; find the cause, and let the bake time pass again", since.UTC().Format(time.RFC3339), strings.Join(raised, ", "))
	}
	return len(sources), nil
}

// findAlarmSources returns the alarm sources of a stack: Prometheus, CloudWatch, or both. The state
// of the stack shows which sources the stack has.
func findAlarmSources(ctx context.Context, stack *stackoutput.Stack, clients kubeclient.Clients, platform, region string) (map[string]alarmSource, error) {
	sources := map[string]alarmSource{}
	state, err := stack.Export(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoEvidence, err)
	}
	alarms, err := readStateAlarms(state)
	if err != nil {
		return nil, err
	}
	if len(alarms.cloudWatch) > 0 {
		sources["CloudWatch"] = cloudWatch{region: region, alarms: alarms.cloudWatch, run: runAWS}
	}
	if alarms.prometheus && clients.Kubernetes == nil {
		return nil, fmt.Errorf("%w: Prometheus is in the cluster", errNoEvidence)
	}
	if alarms.prometheus {
		sources["Prometheus"] = prometheus{clients.Prometheus(platform)}
	}
	return sources, nil
}

// stateAlarms are the sources of alarms that the state of a stack has.
type stateAlarms struct {
	// cloudWatch has the names of the stack's alarms in CloudWatch.
	cloudWatch map[string]bool
	prometheus bool
}

// readStateAlarms reads the sources of alarms from the state of a stack.
func readStateAlarms(state []byte) (alarms stateAlarms, err error) {
	var export struct {
		Deployment struct {
			Resources []struct {
				Type    string
				Outputs struct{ Name any }
			}
		}
	}
	if err := json.Unmarshal(state, &export); err != nil {
		return alarms, fmt.Errorf("the state of the stack: %w", err)
	}
	alarms.cloudWatch = map[string]bool{}
	for _, r := range export.Deployment.Resources {
		switch r.Type {
		case "aws:cloudwatch/metricAlarm:MetricAlarm":
			if name, ok := r.Outputs.Name.(string); ok {
				alarms.cloudWatch[name] = true
			}
		case "progressive:prometheus:Prometheus":
			alarms.prometheus = true
		}
	}
	return alarms, nil
}

// prometheus is the stack's Prometheus.
type prometheus struct{ kubeclient.Prometheus }

// readRaisedAlarms implements alarmSource. ALERTS is the series that Prometheus writes for its alerts
// (Prometheus, "Alerting rules", "Inspecting alerts during runtime"). An alert that fires now counts,
// too: a short time may be shorter than the interval between the evaluations of the rules, and then has
// no value.
func (p prometheus) readRaisedAlarms(ctx context.Context, since time.Time) (names []string, err error) {
	seconds := int(time.Since(since).Seconds()) + 1
	alerts, err := p.QueryVector(ctx, fmt.Sprintf(`count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[%ds]) or ALERTS{alertstate="firing"})`, seconds), time.Time{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoEvidence, err)
	}
	for _, alert := range alerts {
		names = append(names, string(alert.Metric["alertname"]))
	}
	slices.Sort(names)
	return names, nil
}

// cloudWatch reads CloudWatch with the aws command. The kubeconfig of EKS needs the same command.
type cloudWatch struct {
	region string
	alarms map[string]bool
	run    func(ctx context.Context, args ...string) ([]byte, error)
}

// readRaisedAlarms implements alarmSource. It returns the alarms that have the state ALARM now or in
// their history after since.
func (c cloudWatch) readRaisedAlarms(ctx context.Context, since time.Time) ([]string, error) {
	var current struct {
		MetricAlarms []struct{ AlarmName string }
	}
	if err := c.runCloudWatch(ctx, &current, "describe-alarms", "--state-value", "ALARM", "--alarm-types", "MetricAlarm"); err != nil {
		return nil, err
	}
	var history struct {
		AlarmHistoryItems []struct{ AlarmName, HistorySummary string }
	}
	if err := c.runCloudWatch(ctx, &history, "describe-alarm-history", "--history-item-type", "StateUpdate", "--start-date", since.UTC().Format(time.RFC3339)); err != nil {
		return nil, err
	}
	raised := map[string]bool{}
	for _, a := range current.MetricAlarms {
		raised[a.AlarmName] = c.alarms[a.AlarmName]
	}
	for _, item := range history.AlarmHistoryItems {
		if strings.HasSuffix(item.HistorySummary, "to ALARM") {
			raised[item.AlarmName] = c.alarms[item.AlarmName]
		}
	}
	// The account may have alarms of other stacks.
	maps.DeleteFunc(raised, func(_ string, ofStack bool) bool { return !ofStack })
	return slices.Sorted(maps.Keys(raised)), nil
}

// runCloudWatch runs a subcommand of aws cloudwatch, and decodes its output.
func (c cloudWatch) runCloudWatch(ctx context.Context, into any, args ...string) error {
	args = append([]string{"cloudwatch"}, args...)
	raw, err := c.run(ctx, append(args, "--region", c.region, "--output", "json")...)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoEvidence, err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%w: aws %s printed no JSON: %w", errNoEvidence, args[1], err)
	}
	return nil
}

// awsTimeout limits one run of the aws command, which reads all pages of a list.
const awsTimeout = time.Minute

// runAWS runs the aws command and returns its output.
func runAWS(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, awsTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "aws", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("aws: %w: install the aws command", err)
	}
	if err != nil {
		return nil, fmt.Errorf("aws %s: %w: %s", args[1], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
