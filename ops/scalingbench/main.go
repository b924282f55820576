// Command scalingbench measures how long it takes until a step of load has become a pod
// that is ready, on a running sandbox:
//
//	make bench-scaling
//
// Each service has a quarter of the load that its pods are meant for. Then the load steps to
// three times the target, until a new pod is ready. Afterwards the maximum of the
// ScaledObject is the minimum for a moment, because the scale-down windows of the
// design document take minutes. The HPAs have the behaviour of the design document. At
// the end all loads stay, and each change of the number of pods counts.
//
// The command owns its loads, the parts of a step and their table. It asserts nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/load"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// maxDuration bounds a run of the command.
const maxDuration = 30 * time.Minute

// user is the user of the design document's load test.
const user = "test-user-123"

func main() {
	stack := flag.String("stack", "sandbox", "the stack")
	steps := flag.Duration("for", 10*time.Minute, "how long steps are measured; each service begins none afterwards")
	steady := flag.Duration("steady", 3*time.Minute, "how long changes are counted under a steady load")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	err := bench(ctx, os.Stdout, *stack, *steps, *steady)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, out io.Writer, name string, steps, steady time.Duration) error {
	token := strings.TrimSpace(os.Getenv("TOKEN"))
	if token == "" {
		return errors.New("no token: set TOKEN; make token prints a token")
	}
	stack := stackoutput.Stack{Name: name}
	outputs, err := stack.Read(ctx)
	if err != nil {
		return err
	}
	base, err := url.Parse(outputs.URL)
	if err != nil {
		return fmt.Errorf("the stack's url: %w", err)
	}
	clients, err := kubeclient.New(outputs.KubeconfigFile())
	if err != nil {
		return err
	}
	var (
		wg      sync.WaitGroup
		results = make([]result, len(scaling.Services()))
		errs    = make([]error, len(results))
	)
	// All services are reached through web, for which this process is one client.
	client := load.NewClient(base, user, token, streams*connections*len(results), false)
	client.Limiter = newLimiter()
	for i, profile := range scaling.Services() {
		wg.Go(func() {
			s := &service{
				profile: profile, metric: metricOf(profile), clients: clients, namespace: outputs.Namespace, client: client,
			}
			results[i], errs[i] = s.measure(ctx, steps, steady)
		})
	}
	wg.Wait()
	write(out, results, steady) // also after an interruption
	return errors.Join(errs...)
}

// newLimiter returns the limit of all loads together. Web responds 429 to a client's requests
// above the document's requests_per_second_max, and 2 cores under four steps at a time may
// stand still for seconds: 5 s are 1,500 requests of web's load, which would be sent together.
func newLimiter() *rate.Limiter { return rate.NewLimiter(rate.Limit(load.MaxPerSecond()), 1) }

// metricOf returns the metric of a service that a step of load changes: requests or work per time.
func metricOf(p scaling.Profile) scaling.PodsMetric {
	for _, m := range p.HPA.Metrics {
		if m, ok := m.(scaling.PodsMetric); ok {
			if _, ok := m.Source.(scaling.Rate); ok {
				return m
			}
		}
	}
	return scaling.PodsMetric{}
}
