package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// deployment is the service under load: the main application.
const deployment = "progressive-framework-v5"

// sandbox runs commands on a running sandbox, in its environment.
type sandbox struct {
	scratch, namespace string
	prometheus         kubeclient.Prometheus
}

// connect reads the outputs of the stack and creates the client of Prometheus.
func (s *sandbox) connect(ctx context.Context) error {
	stack := stackoutput.Stack{Name: "sandbox"}
	outputs, err := stack.Read(ctx)
	if err != nil {
		return err
	}
	clients, err := kubeclient.New(outputs.KubeconfigFile())
	if err != nil {
		return err
	}
	s.namespace, s.prometheus = outputs.Namespace, clients.Prometheus(outputs.Namespace)
	return nil
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
func (s *sandbox) observers() string { return kubeclient.ObserverNamespace(s.namespace) }

// stackFile is the configuration of the stack sandbox.
const stackFile = "Pulumi.sandbox.yaml"

// Lines of the stack's configuration that a run replaces.
const (
	shadow = "    predictive: shadow\n"
	on     = "    predictive: \"on\"\n"
	bounds = "    web: {min: 1, max: 3}\n"
)

// up deploys the stack with the line predictive for podScaling.predictive, and with minPods to
// maxPods pods of the main application. committed is the configuration in the repository.
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

// wait calls ready each second until it returns true, at most for the time most.
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

// say prints a progress message.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().UTC().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
