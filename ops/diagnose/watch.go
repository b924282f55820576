package diagnose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// Bounds of the flags: the interval between two readings, and the number of readings.
const (
	minInterval, maxInterval = time.Second, time.Minute
	maxReadings              = 10_000
)

// monitor reads the platform and returns a table, as a monitor script of the design document prints
// it.
type monitor func(ctx context.Context, p platform) (string, error)

var monitors = map[string]monitor{"redis": renderRedis, "scaling": renderScaling}

// WatchCommand returns the subcommand watch. readOutputs reads the stack's outputs.
func WatchCommand(readOutputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	var (
		interval time.Duration
		count    int
	)
	c := &cobra.Command{
		Use:   "watch [redis|scaling]",
		Short: "Show Redis' nodes, or the scaling of pods and nodes, live",
		Long: "The design document's monitors as live screens; q ends them. Without a terminal each\n" +
			"reading is printed below the last one. Nothing is changed.",
		Example:   "  pf watch redis\n  pf watch scaling --interval 10s --count 6 | tee scaling.txt",
		ValidArgs: sortedKeys(monitors),
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(c *cobra.Command, args []string) error {
			if interval < minInterval || interval > maxInterval || count < 1 || count > maxReadings {
				return fmt.Errorf("--interval is %s and --count %d, must be %s to %s and 1 to %d", interval, count, minInterval, maxInterval, maxReadings)
			}
			stack, err := readOutputs(c.Context())
			if err != nil {
				return &exitcode.Error{Code: exitcode.Incomplete, Err: err}
			}
			p, err := newPlatform(stack, "", nil)
			if err != nil {
				return &exitcode.Error{Code: exitcode.Incomplete, Err: err}
			}
			s := screen{
				interval: interval, remaining: count,
				read: func() (string, error) { return monitors[args[0]](c.Context(), p) },
			}
			return s.run(c.Context(), c.OutOrStdout())
		},
	}
	c.Flags().DurationVar(&interval, "interval", 2*time.Second, "time between two readings")
	c.Flags().IntVar(&count, "count", 1800, "number of readings")
	return c
}

// screen shows the readings of a monitor.
type screen struct {
	interval time.Duration
	// remaining is how many readings are still to be shown.
	remaining int
	read      func() (string, error)
	// height is the height of the terminal in lines. It is 0 until bubbletea reports it.
	height int
	text   string
	err    error
}

// run shows a live screen if out is a terminal. Otherwise it prints each reading.
func (s *screen) run(ctx context.Context, out io.Writer) error {
	if file, isFile := out.(*os.File); isFile && term.IsTerminal(int(file.Fd())) {
		return s.runLive(ctx, file)
	}
	for ; ; s.remaining-- {
		text, err := s.read()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return &exitcode.Error{Code: exitcode.Incomplete, Err: err}
		}
		if _, err := fmt.Fprintf(out, "%s\n", text); err != nil {
			return &exitcode.Error{Code: exitcode.Incomplete, Err: err} // the reader closed the pipe
		}
		if s.remaining <= 1 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.interval):
		}
	}
}

// runLive shows the latest reading until a key, a signal, an error or the last reading ends it.
func (s *screen) runLive(ctx context.Context, terminal *os.File) error {
	// A signal ends ctx, and that ends the program. bubbletea's own signal handler could then wait
	// forever, because it reports the signal to the ended program.
	_, err := tea.NewProgram(s, tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithOutput(terminal), tea.WithAltScreen()).Run()
	switch {
	case errors.Is(err, tea.ErrProgramPanic):
		return err
	case errors.Is(err, tea.ErrProgramKilled), errors.Is(err, tea.ErrInterrupted): // a signal
		return nil
	case err == nil && s.err != nil:
		return &exitcode.Error{Code: exitcode.Incomplete, Err: s.err}
	}
	return err
}

// reading is the result of one reading.
type reading struct {
	text string
	err  error
}

// Init implements tea.Model.
func (s *screen) Init() tea.Cmd { return s.readNext }

// readNext reads the platform once. It is a tea.Cmd.
func (s *screen) readNext() tea.Msg {
	text, err := s.read()
	return reading{text, err}
}

// Update implements tea.Model.
func (s *screen) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch m := message.(type) {
	case tea.WindowSizeMsg:
		s.height = m.Height
	case tea.KeyMsg:
		if key := m.String(); key == "q" || key == "ctrl+c" || key == "esc" {
			return s, tea.Quit
		}
	case reading:
		s.text, s.err = m.text, m.err
		if s.remaining--; s.remaining < 1 || s.err != nil {
			return s, tea.Quit
		}
		return s, tea.Tick(s.interval, func(time.Time) tea.Msg { return s.readNext() })
	}
	return s, nil
}

// View implements tea.Model. If the terminal has too few lines, it cuts the end of the text.
// bubbletea would cut the beginning of the text, which has the headings.
func (s *screen) View() string {
	const footer = "q ends"
	lines := strings.Split(strings.TrimRight(s.text, "\n"), "\n")
	if maxLines := s.height - 2; s.height > 0 && len(lines) > max(maxLines, 1) {
		hidden := len(lines) - max(maxLines, 1)
		return strings.Join(append(lines[:max(maxLines, 1)], fmt.Sprintf("%d more lines", hidden), footer), "\n")
	}
	return strings.Join(append(lines, "", footer), "\n")
}

// formatTable returns a heading and rows in aligned columns.
func formatTable(heading string, rows [][]string) string {
	var b strings.Builder
	fmt.Fprintln(&b, heading)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
	return b.String()
}

// formatMissing returns the missing items of the checks, one in each line.
func formatMissing(missing []Missing, checks ...Check) (text string) {
	for _, m := range missing {
		if slices.Contains(checks, m.Check) {
			text += "not read: " + m.What + ": " + m.Reason + "\n"
		}
	}
	return text
}

// renderRedis returns the table of the design document's Redis monitor, for all nodes.
func renderRedis(ctx context.Context, p platform) (string, error) {
	o, _, _ := p.readObjects(ctx)
	m, missing, _ := readMetrics(ctx, o, p.clients)
	nodes := m.podsOfApp(redisApp)
	if len(nodes) == 0 {
		return "", fmt.Errorf("no node of Redis responds in %s: %s", o.namespace, strings.TrimSpace(formatMissing(missing, Database)+"none is ready, or Redis is ElastiCache"))
	}
	rows := [][]string{{"NODE", "CLUSTER", "REPLICAS", "COMMANDS/S", "HIT RATE", "EVICTED", "MEMORY", "FRAGMENTATION", "CLIENTS", "SLOW"}}
	for _, n := range nodes {
		sum := func(name string) float64 { return n.sum(name, nil) }
		state := "down"
		if sum("redis_cluster_state") == 1 {
			state = "ok"
		}
		if linkUp, isReplica := n.value("redis_master_link_up"); isReplica {
			state += ", replica"
			if linkUp != 1 {
				state += " without primary"
			}
		}
		hits, misses := sum("redis_keyspace_hits_total"), sum("redis_keyspace_misses_total")
		rows = append(rows, []string{
			n.pod, state, fmt.Sprintf("%.0f", sum("redis_connected_slaves")), fmt.Sprintf("%.0f", sum("redis_instantaneous_ops_per_sec")), fmt.Sprintf("%.0f %%", 100*hits/max(hits+misses, 1)), fmt.Sprintf("%.0f", sum("redis_evicted_keys_total")),
			fmt.Sprintf("%.0f of %.0f MiB", sum("redis_memory_used_bytes")/(1<<20), sum("redis_memory_max_bytes")/(1<<20)), fmt.Sprintf("%.2f", sum("redis_mem_fragmentation_ratio")), fmt.Sprintf("%.0f", sum("redis_connected_clients")), fmt.Sprintf("%.0f", sum("redis_slowlog_last_id")),
		})
	}
	return formatTable(fmt.Sprintf("Redis at %s; hits, evictions and slow commands %s", time.Now().UTC().Format(time.TimeOnly), nodes[0].period()), rows) + formatMissing(missing, Database), nil
}

// renderScaling returns the tables of the design document's scaling monitor: Deployments with their
// autoscalers, and nodes.
func renderScaling(ctx context.Context, p platform) (string, error) {
	o, missing, _ := p.readObjects(ctx)
	if len(o.deployments) == 0 {
		return "", fmt.Errorf("no Deployment in %s: %s", o.namespace, strings.TrimSpace(formatMissing(missing, Resources)))
	}
	rows := [][]string{{"DEPLOYMENT", "WANTED", "READY", "ALLOWED", "METRICS"}}
	for _, d := range o.deployments {
		row := []string{d.Name, fmt.Sprint(replicasOrDefault(d.Spec.Replicas)), fmt.Sprint(d.Status.ReadyReplicas), "fixed", ""}
		for _, hpa := range o.horizontalAutoscalers {
			if hpa.Spec.ScaleTargetRef.Name == d.Name {
				row[3], row[4] = fmt.Sprintf("%d to %d", replicasOrDefault(hpa.Spec.MinReplicas), hpa.Spec.MaxReplicas), strings.Join(currentMetrics(hpa), ", ")
			}
		}
		rows = append(rows, row)
	}
	text := formatTable("Scaling at "+time.Now().UTC().Format(time.TimeOnly), rows)
	for _, evaluate := range []func(objects) ([]Finding, []Figure){nodeGroupFindings, clusterAutoscalerFindings} {
		_, figures := evaluate(o)
		for _, f := range figures {
			text += f.Name + ": " + f.Value + "\n"
		}
	}
	return text + formatMissing(missing, Scaling, Resources), nil
}
