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
	// scratch is a folder for temporary files.
	scratch string
	// namespace is the namespace of the services.
	namespace  string
	prometheus kubeclient.Prometheus
}

// connect reads the outputs of the stack and creates the client of Prometheus.
func (s *sandbox) connect(ctx context.Context) error {
	stack := stackoutput.Stack{Name: "sandbox"}
	outputs, err := stack.Read(ctx)
	if err != nil {
		return err
	}
	clients, err := kubeclient.New(outputs.KubeconfigContent())
	if err != nil {
		return err
	}
	s.namespace, s.prometheus = outputs.Namespace, clients.Prometheus(outputs.Namespace)
	return nil
}

// runCommand runs a command in the project's folder and returns its output without the last newline.
func (s *sandbox) runCommand(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, messages.String())
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// runKubectl runs kubectl in the namespace of the services.
func (s *sandbox) runKubectl(ctx context.Context, args ...string) (string, error) {
	return s.runCommand(ctx, "kubectl", append([]string{"-n", s.namespace}, args...)...)
}

// prometheusNamespace returns the namespace of Prometheus and the forecaster.
func (s *sandbox) prometheusNamespace() string { return kubeclient.PrometheusNamespace(s.namespace) }

// stackFile is the configuration of the stack sandbox.
const stackFile = "Pulumi.sandbox.yaml"

// Lines of the stack's configuration that a run replaces.
const (
	predictiveShadow = "    predictive: shadow\n"
	predictiveOn     = "    predictive: \"on\"\n"
	boundsLine       = "    web: {min: 1, max: 3}\n"
)

// deploy changes two lines of the committed configuration, writes it to stackFile and deploys the
// stack. predictive is the new line of podScaling.predictive. The other line then lets the main
// application have minPods to maxPods pods.
func (s *sandbox) deploy(ctx context.Context, committed, predictive string) error {
	logf("make up with%s", strings.TrimRight(strings.TrimPrefix(predictive, "   "), "\n"))
	for _, line := range []string{predictiveShadow, boundsLine} {
		if !strings.Contains(committed, line) {
			return fmt.Errorf("%s has no line %q: it was changed", stackFile, line)
		}
	}
	config := strings.Replace(committed, predictiveShadow, predictive, 1)
	config = strings.Replace(config, boundsLine, fmt.Sprintf("    web: {min: %d, max: %d}\n", minPods, maxPods), 1)
	if err := os.WriteFile(stackFile, []byte(config), 0o644); err != nil {
		return err
	}
	_, err := s.runCommand(ctx, "make", "up")
	return err
}

// readResources returns the requests and limits of the main application's container in JSON.
func (s *sandbox) readResources(ctx context.Context) (string, error) {
	return s.runKubectl(ctx, "get", "deployment", deployment, "-o", "jsonpath={.spec.template.spec.containers[0].resources}")
}

// restore writes the committed configuration of the stack back and deploys it. resources are the
// requests and limits of the main application's container before the run. They are empty if the run
// has not changed them. restore sets them with kubectl: Pulumi compares the program with its
// state, so it does not see a change in the cluster.
func (s *sandbox) restore(ctx context.Context, committed []byte, resources string) error {
	errs := []error{os.WriteFile(stackFile, committed, 0o644)}
	if resources != "" {
		patch := fmt.Sprintf(`[{"op":"replace","path":"/spec/template/spec/containers/0/resources","value":%s}]`, resources)
		_, err := s.runKubectl(ctx, "patch", "deployment", deployment, "--type=json", "--patch="+patch)
		errs = append(errs, err)
	}
	logf("make up with the committed configuration")
	_, err := s.runCommand(ctx, "make", "up")
	return errors.Join(append(errs, err)...)
}

// waitFor calls ready each second until ready returns true without an error. After the timeout it
// returns the last error.
func waitFor(ctx context.Context, what string, timeout time.Duration, ready func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%s: not within %s", what, timeout))
	defer cancel()
	var lastErr error
	for {
		done, err := ready()
		if done && err == nil {
			return nil
		}
		lastErr = err
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), lastErr)
		case <-time.After(time.Second):
		}
	}
}

// logf prints a progress message to standard error.
func logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().UTC().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
