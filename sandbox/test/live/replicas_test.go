package live

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// replicaWatch watches the number of pods of each of the stack's services. The keys of its maps are
// the names of Deployments.
type replicaWatch struct {
	mu sync.Mutex
	// minimum has the number of pods that must be ready at any time.
	minimum map[string]int
	// floor has the number of pods below which a Deployment must not be scaled now. The map is
	// nil if Deployments may be scaled down.
	floor map[string]int
	// spec has the current number of pods in the spec of the Deployment.
	spec map[string]int
	// violations describe the times at which a service had too few pods.
	violations []string
}

// watchReplicas starts a replicaWatch that ends with the test. The minimum of each service is
// the minimum of its ScaledObject.
func watchReplicas(t *testing.T, namespace string) *replicaWatch {
	t.Helper()
	w := &replicaWatch{minimum: map[string]int{}, spec: map[string]int{}}
	for _, field := range strings.Fields(mustRun(t, "kubectl", "-n", namespace, "get", "scaledobjects", "-o", `jsonpath={range .items[*]}{.metadata.name}={.spec.minReplicaCount}{"\n"}{end}`)) {
		service, minimum, _ := strings.Cut(field, "=")
		count, err := strconv.Atoi(minimum)
		require.NoError(t, err)
		w.minimum[service] = count
	}
	require.NotEmpty(t, w.minimum)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, filepath.Join(liveLayout.Bin(), "kubectl"), "-n", namespace, "get", "deployments", "--watch",
		"-o", `jsonpath={.metadata.name} {.spec.replicas} {.status.readyReplicas}{"\n"}`)
	cmd.Dir, cmd.Env = projectRoot, toolchain.SandboxEnv(liveLayout, os.Environ())
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			w.recordLine(strings.Fields(scanner.Text()))
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = cmd.Wait() // ignored: the error only says that stop has killed the command
	})
	require.Eventually(t, func() bool { return len(w.replicas()) >= len(w.minimum) }, 30*time.Second, 100*time.Millisecond)
	return w
}

// recordLine reads a line of the watch: the name of a Deployment, its number of pods, and its
// number of ready pods. The last field is missing if no pod is ready.
func (w *replicaWatch) recordLine(fields []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(fields) < 2 || w.minimum[fields[0]] == 0 {
		return
	}
	service, ready := fields[0], 0
	spec, err := strconv.Atoi(fields[1])
	if err == nil && len(fields) > 2 {
		ready, err = strconv.Atoi(fields[2])
	}
	switch {
	case err != nil:
		w.violations = append(w.violations, err.Error())
	case ready < w.minimum[service]:
		w.violations = append(w.violations, fmt.Sprintf("%s has %d pods ready, and must have at least %d", service, ready, w.minimum[service]))
	case spec < w.floor[service]:
		w.violations = append(w.violations, fmt.Sprintf("%s was scaled from %d to %d pods", service, w.floor[service], spec))
	}
	w.spec[service] = spec
}

// replicas returns the current numbers of pods of the Deployments.
func (w *replicaWatch) replicas() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.spec)
}

// forbidScaleDown forbids that a service is scaled below its current number of pods. With
// false it allows scaling down again.
func (w *replicaWatch) forbidScaleDown(forbid bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor = nil
	if forbid {
		w.floor = maps.Clone(w.spec)
	}
}

// describeViolations returns a description of each time at which a service had too few pods.
func (w *replicaWatch) describeViolations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.violations
}
