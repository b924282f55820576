package diagnose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

func TestMonitorsShowEachNodeAndDeployment(t *testing.T) {
	f := newHealthyFixture()
	replaceMetric("redis-cluster-3", "redis_cluster_state 1", "redis_cluster_state 0")(f)
	addMetric("redis-cluster-5", "# TYPE redis_master_link_up gauge\nredis_master_link_up 0\n")(f)
	f.deployment.Status.ReadyReplicas = 1
	f.hpa.Spec.ScaleTargetRef.Name = "mca"
	f.clusterAutoscaler = nil
	setClusterAutoscalerStatus("x", "x")(f)
	p, _ := f.startPlatform(t)
	text, err := renderRedis(t.Context(), p)
	require.NoError(t, err)
	require.Regexp(t, `redis-cluster-0 +ok +0 +0 +90 % +0 +57 of 95 MiB +1.10 +0 +0\n`, text)
	require.Regexp(t, `redis-cluster-3 +down`, text)
	require.Regexp(t, `redis-cluster-5 +ok, replica without primary`, text)
	text, err = renderScaling(t.Context(), p)
	require.NoError(t, err)
	require.Regexp(t, `mca +1 +1 +1 to 3 +its metrics have no value\n`, text)
	require.Contains(t, text, "nodes of tier application: 1, of which 0 drain\ngroup test-application: 2 of 2 nodes ready")
}

func TestMonitorsSayWhatIsMissing(t *testing.T) {
	f := newHealthyFixture()
	f.scrapeErr = errors.New("connection refused")
	p, _ := f.startPlatform(t)
	_, err := renderRedis(t.Context(), p)
	require.ErrorContains(t, err, "metrics of pod/redis-cluster-0: not readable: connection refused")
	f.forbidden = "deployments.apps"
	p, _ = f.startPlatform(t)
	_, err = renderScaling(t.Context(), p)
	require.ErrorContains(t, err, "no permission: deployments.apps is forbidden")
}

// A pipe gets every reading, without control characters. An interrupt ends the run without an error,
// and a failed reading has the exit code Incomplete.
func TestPipeGetsEachReading(t *testing.T) {
	n := 0
	s := screen{interval: time.Millisecond, remaining: 3, read: func() (string, error) { n++; return fmt.Sprint("reading ", n), nil }}
	var out bytes.Buffer
	require.NoError(t, s.run(t.Context(), &out))
	require.Equal(t, "reading 1\nreading 2\nreading 3\n", out.String())

	ctx, cancel := context.WithCancel(t.Context())
	s = screen{interval: time.Hour, remaining: 9, read: func() (string, error) { time.AfterFunc(10*time.Millisecond, cancel); return "one", nil }}
	require.NoError(t, s.run(ctx, io.Discard), "Ctrl-C ends it")
	s = screen{remaining: 1, read: func() (string, error) { return "", errors.New("no node") }}
	code, _ := exitcode.FromError(s.run(t.Context(), io.Discard))
	require.Equal(t, exitcode.Incomplete, code)
}

func TestScreenEndsByKeyAndByCount(t *testing.T) {
	s := &screen{interval: time.Millisecond, remaining: 2, read: func() (string, error) { return "text", nil }}
	_, command := s.Update(s.Init()())
	require.Contains(t, s.View(), "text")
	_, command = s.Update(command())
	require.Equal(t, tea.Quit(), command(), "two readings were enough")
	_, command = s.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("q")})
	require.Equal(t, tea.Quit(), command())
	_, command = s.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("x")})
	require.Nil(t, command)
}

func TestLowTerminalShowsTheFirstLines(t *testing.T) {
	s := &screen{text: "heading\n1\n2\n3\n"}
	require.Equal(t, "heading\n1\n2\n3\n\nq ends", s.View())
	for height, want := range map[int]string{
		6: "heading\n1\n2\n3\n\nq ends", 5: "heading\n1\n2\n1 more lines\nq ends", 3: "heading\n3 more lines\nq ends", 1: "heading\n3 more lines\nq ends",
	} {
		s.Update(tea.WindowSizeMsg{Width: 80, Height: height})
		require.Equal(t, want, s.View(), "%d lines", height)
	}
}

// The last command line is correct, but there is no stack. Its exit code is Incomplete.
func TestWatchRefusesWrongCommandLines(t *testing.T) {
	for _, args := range []string{"", "disk", "redis --interval 10ms", "redis --count 0", "redis --count 1000000", "redis"} {
		c := WatchCommand(func(context.Context) (stackoutput.Outputs, error) {
			return stackoutput.Outputs{}, stackoutput.ErrNoOutputs
		})
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(strings.Fields(args))
		code, _ := exitcode.FromError(c.Execute())
		want := exitcode.Usage
		if args == "redis" {
			want = exitcode.Incomplete
		}
		require.Equal(t, want, code, args)
	}
}
