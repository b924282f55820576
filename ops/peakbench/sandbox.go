package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// deployment is the service under load: the main application.
const deployment = "progressive-framework-v5"

// sandbox runs commands on a running sandbox, in its environment.
type sandbox struct {
	scratch, namespace string
}

// output runs a command in the project's folder and returns its output without the last newline.
func (s *sandbox) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, messages.String())
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// kubectl runs kubectl in the namespace of the services.
func (s *sandbox) kubectl(ctx context.Context, args ...string) (string, error) {
	return s.output(ctx, "kubectl", append([]string{"-n", s.namespace}, args...)...)
}

// observers is the namespace of Prometheus and the forecaster.
func (s *sandbox) observers() string { return s.namespace + "-prometheus" }

// stackFile is the configuration of the stack sandbox.
const stackFile = "Pulumi.sandbox.yaml"

// Lines of the stack's configuration that a run changes.
const (
	shadow = "    predictive: shadow\n"
	on     = "    predictive: \"on\"\n"
	bounds = "    web: {min: 1, max: 3}\n"
)

// up deploys the stack with a line of podScaling.predictive, and minPods to maxPods pods of the
// main application. committed is the configuration in the repository.
func (s *sandbox) up(ctx context.Context, committed, predictive string) error {
	say("make up with%s", strings.TrimRight(strings.TrimPrefix(predictive, "   "), "\n"))
	for _, line := range []string{shadow, bounds} {
		if !strings.Contains(committed, line) {
			return fmt.Errorf("%s has no line %q: it was changed", stackFile, line)
		}
	}
	config := strings.Replace(committed, shadow, predictive, 1)
	config = strings.Replace(config, bounds, fmt.Sprintf("    web: {min: %d, max: %d}\n", minPods, maxPods), 1)
	if err := os.WriteFile(stackFile, []byte(config), 0o644); err != nil {
		return err
	}
	_, err := s.output(ctx, "make", "up")
	return err
}

// query returns the values of an expression over a range, by Unix time; at most one series.
func (s *sandbox) query(ctx context.Context, expression string, from, to time.Time, step time.Duration) (map[int64]float64, error) {
	v := url.Values{"query": {expression}, "start": {fmt.Sprint(from.Unix())}, "end": {fmt.Sprint(to.Unix())}, "step": {fmt.Sprint(step.Seconds())}}
	raw, err := s.output(ctx, "kubectl", "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/services/prometheus:9090/proxy/api/v1/query_range?%s", s.observers(), v.Encode()))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct{ Result []struct{ Values [][2]any } }
	}
	if err := json.Unmarshal([]byte(raw), &answer); err != nil {
		return nil, err
	}
	values := map[int64]float64{}
	for _, series := range answer.Data.Result {
		for _, point := range series.Values {
			at, _ := point[0].(float64)
			text, _ := point[1].(string)
			if values[int64(at)], err = strconv.ParseFloat(text, 64); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}

// now returns the present value of an expression.
func (s *sandbox) now(ctx context.Context, expression string) (value float64, found bool, err error) {
	at := time.Now()
	values, err := s.query(ctx, expression, at, at, time.Second)
	value, found = values[at.Unix()]
	return value, found, err
}

// wait asks each second until ready says so.
func wait(ctx context.Context, what string, most time.Duration, ready func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, most, fmt.Errorf("%s: not within %s", what, most))
	defer cancel()
	var last error
	for {
		done, err := ready()
		if done && err == nil {
			return nil
		}
		last = err
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		case <-time.After(time.Second):
		}
	}
}

// say tells the person who waits what happens.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().UTC().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
