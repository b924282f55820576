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

// replicaWatch sees each change of the Deployments of the stack's services.
type replicaWatch struct {
	mu sync.Mutex
	// least are the pods that each service must have ready, and kept those that its
	// Deployment must not go below.
	least, kept map[string]int
	spec, ready map[string]int
	missing     []string
}

// watchReplicas watches until the test ends. The minimum of each service is that of its
// ScaledObject.
func watchReplicas(t *testing.T, namespace string) *replicaWatch {
	t.Helper()
	w := &replicaWatch{least: map[string]int{}, spec: map[string]int{}, ready: map[string]int{}}
	for _, line := range strings.Fields(must(t, "kubectl", "-n", namespace, "get", "scaledobjects", "-o", `jsonpath={range .items[*]}{.metadata.name}={.spec.minReplicaCount}{"\n"}{end}`)) {
		service, least, _ := strings.Cut(line, "=")
		n, err := strconv.Atoi(least)
		require.NoError(t, err)
		w.least[service] = n
	}
	require.NotEmpty(t, w.least)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, filepath.Join(live.Bin(), "kubectl"), "-n", namespace, "get", "deployments", "--watch",
		"-o", `jsonpath={.metadata.name} {.spec.replicas} {.status.readyReplicas}{"\n"}`)
	cmd.Dir, cmd.Env = root, toolchain.Within(live, os.Environ())
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			w.change(strings.Fields(lines.Text()))
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = cmd.Wait() // it was killed
	})
	require.Eventually(t, func() bool { return len(w.now()) >= len(w.least) }, 30*time.Second, 100*time.Millisecond)
	return w
}

// change reads a line of the watch. Without a third field no pod is ready.
func (w *replicaWatch) change(line []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(line) < 2 || w.least[line[0]] == 0 {
		return
	}
	service, ready := line[0], 0
	spec, err := strconv.Atoi(line[1])
	if err == nil && len(line) > 2 {
		ready, err = strconv.Atoi(line[2])
	}
	switch {
	case err != nil:
		w.missing = append(w.missing, err.Error())
	case ready < w.least[service]:
		w.missing = append(w.missing, fmt.Sprintf("%s has %d pods ready, and at least %d must be", service, ready, w.least[service]))
	case spec < w.kept[service]:
		w.missing = append(w.missing, fmt.Sprintf("%s was scaled from %d to %d pods", service, w.kept[service], spec))
	}
	w.spec[service], w.ready[service] = spec, ready
}

// now are the replicas of the Deployments.
func (w *replicaWatch) now() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.spec)
}

// keep says that from now on no service may be scaled below its present replicas; or
// with false, that all may.
func (w *replicaWatch) keep(all bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = nil
	if all {
		w.kept = maps.Clone(w.spec)
	}
}

// lost are the times at which a service had too few pods.
func (w *replicaWatch) lost() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.missing
}
