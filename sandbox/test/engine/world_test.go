package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// timeout bounds every command of a test. A whole `up` takes seconds; one that
// takes minutes hangs.
const timeout = 5 * time.Minute

// zones are those of the stacks, so that pods spread as they would there.
var zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

// world is one sandbox, shared by the tests of this package: each works on a
// stack of its own.
type world struct {
	home *home.Home
}

var shared *world

func TestMain(m *testing.M) {
	w, stop, err := newWorld()
	if err != nil {
		log.Fatalf("engine tests: %v", err)
	}
	shared = w
	code := m.Run()
	if err := stop(); err != nil {
		log.Printf("engine tests: stopping the sandbox: %v", err)
		code = 1
	}
	os.Exit(code)
}

// newWorld starts a control plane with simulated nodes in three zones, on free
// ports and in a folder of its own, and returns how to end it.
func newWorld() (*world, func() error, error) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return nil, nil, err
	}
	built := filepath.Join(root, ".sandbox", "bin", "sandbox")
	for _, f := range []string{built, filepath.Join(root, "bin", "infra"), filepath.Join(root, "bin", "pulumi-resource-ko")} {
		if _, err := os.Stat(f); err != nil {
			return nil, nil, fmt.Errorf("%w; run `make build` first", err)
		}
	}
	dir, err := os.MkdirTemp("", "pf-engine-")
	if err != nil {
		return nil, nil, err
	}
	ports, err := freePorts()
	if err != nil {
		return nil, nil, err
	}
	h, err := home.Create(dir, home.Settings{Cluster: home.ClusterSimulated, Project: root, Ports: ports, Zones: zones})
	if err != nil {
		return nil, nil, err
	}
	w := &world{home: h}
	stop := func() error {
		if out, err := w.command(context.Background(), root, built, "down").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return os.RemoveAll(dir)
	}
	start := w.command(context.Background(), root, built, "up", "--no-deploy")
	start.Stdout, start.Stderr = os.Stderr, os.Stderr
	if err := start.Run(); err != nil {
		return nil, nil, fmt.Errorf("starting the sandbox: %w (stop: %w)", err, stop())
	}
	return w, stop, nil
}

// freePorts asks the kernel for ports that nobody listens on.
func freePorts() (home.Ports, error) {
	var (
		p    home.Ports
		held []net.Listener
	)
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for _, port := range []*int{
		&p.APIServer, &p.EtcdClient, &p.EtcdPeer, &p.ControllerManager, &p.Scheduler,
		&p.Kubelet, &p.KubeletHealth, &p.ProxyHealth, &p.ProxyMetrics, &p.Volumes, &p.Registry, &p.NodePort,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return p, err
		}
		held = append(held, l)
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

// command prepares name to run in dir, inside the sandbox's environment.
func (w *world) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = toolchain.Within(ctx, w.home, os.Environ())
	return cmd
}

// run runs a command of the sandbox's PATH and returns what it printed.
func (w *world) run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	path := filepath.Join(w.home.Bin(), name)
	var out bytes.Buffer
	cmd := w.command(ctx, dir, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	t.Logf("%s %v\n%s", name, args, out.String())
	return out.String(), err
}

// stack is one stack of the real program in the shared sandbox.
type stack struct {
	*world
	name string
	dir  string
}

// newStack makes the stack in a copy of the project's YAML files.
func newStack(t *testing.T, w *world, name string) *stack {
	t.Helper()
	dir, err := project.Copy(w.home, name)
	require.NoError(t, err)
	s := &stack{world: w, name: name, dir: dir}
	s.pulumi(t, "stack", "init", name)
	return s
}

// pulumi runs the real CLI on the stack; it must succeed.
func (s *stack) pulumi(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.try(t, args...)
	require.NoError(t, err, "pulumi %v", args)
	return out
}

// try runs the real CLI on the stack; it may fail.
func (s *stack) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return s.run(t, s.dir, "pulumi", append(args, "--non-interactive", "--color=never")...)
}

// output reads one stack output.
func (s *stack) output(t *testing.T, name string, into any) {
	t.Helper()
	out := s.pulumi(t, "stack", "output", name, "--json")
	require.NoError(t, json.Unmarshal([]byte(out), into), "output %s", name)
}

// kubectl must succeed.
func (s *stack) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.run(t, s.dir, "kubectl", args...)
	require.NoError(t, err, "kubectl %v", args)
	return out
}

// record is one resource in the AWS stand-in's own store.
type record struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// atAWS lists what somebody made at the stand-in. The tests run one after the
// other, so all of it belongs to the stack under test.
func (s *stack) atAWS(t *testing.T) []record {
	t.Helper()
	out, err := s.run(t, s.dir, "sandbox", "aws", "list", "--json")
	require.NoError(t, err)
	var all []record
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	return all
}

// inState lists the AWS resources that the stack's state knows.
func (s *stack) inState(t *testing.T) []record {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []record `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.pulumi(t, "stack", "export")), &export))
	var aws []record
	for _, r := range export.Deployment.Resources {
		if strings.HasPrefix(r.Type, "aws:") {
			aws = append(aws, r)
		}
	}
	return aws
}
