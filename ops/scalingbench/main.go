// Command scalingbench measures the time from a step of the load to a new ready pod, on a running
// sandbox:
//
//	make bench-scaling
//
// Each service first has a quarter of the target load of its pods. Then the load steps to three
// times the target, until a new pod is ready. After that, the command pauses the ScaledObject at
// the minimum for a short time. Otherwise the scale-down windows of the design document would take
// minutes. The HPAs have the behaviour of the design document. At the end the load is steady, and
// the command counts the changes of the number of pods.
//
// The command owns its loads, the stages after a step and the table of results. It asserts nothing.
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

// maxDuration limits a run of the command.
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
	err := runBenchmark(ctx, os.Stdout, *stack, *steps, *steady)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// runBenchmark measures all services concurrently, and writes the table to out.
func runBenchmark(ctx context.Context, out io.Writer, name string, stepsDuration, steadyDuration time.Duration) error {
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
	clients, err := kubeclient.New(outputs.KubeconfigContent())
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
				profile: profile, metric: findLoadMetric(profile), clients: clients, namespace: outputs.Namespace, client: client,
			}
			results[i], errs[i] = s.measure(ctx, stepsDuration, steadyDuration)
		})
	}
	wg.Wait()
	writeTable(out, results, steadyDuration) // also after an interruption
	return errors.Join(errs...)
}

// newLimiter returns the limit of all loads together. Web responds 429 to the requests of a client
// above the design document's requests_per_second_max. A machine with 2 cores may pause for seconds during
// four concurrent steps. After a pause of 5 s, the client would send 1,500 requests of web's load
// at once.
func newLimiter() *rate.Limiter { return rate.NewLimiter(rate.Limit(load.MaxPerSecond()), 1) }

// findLoadMetric returns the metric of a service that a step of the load changes: requests or work
// per time. It returns the zero value if the service has no such metric.
func findLoadMetric(p scaling.Profile) scaling.PodsMetric {
	for _, m := range p.HPA.Metrics {
		if m, ok := m.(scaling.PodsMetric); ok {
			if _, ok := m.Source.(scaling.Rate); ok {
				return m
			}
		}
	}
	return scaling.PodsMetric{}
}
