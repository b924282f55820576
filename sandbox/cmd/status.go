package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/mirror"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/stack"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

func (a *app) newStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show the processes, the tools and the stack of the sandbox",
		Example: "  sandbox status\n  sandbox status --json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := a.open()
			if err != nil {
				return err
			}
			r, err := newReport(c, l)
			if err != nil {
				return err
			}
			if !asJSON {
				r.write(c.OutOrStdout())
				return nil
			}
			encoder := json.NewEncoder(c.OutOrStdout())
			encoder.SetIndent("", "  ")
			return encoder.Encode(r)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// report is the state of a sandbox.
type report struct {
	Dir        string                         `json:"dir"`
	Cluster    string                         `json:"cluster"`
	Components []localcluster.ComponentStatus `json:"components"`
	Tools      []toolchain.Tool               `json:"tools"`
	// Programs are programs of other projects, such as Prometheus, that run in the
	// cluster.
	Programs []mirror.Program `json:"programs"`
	// Stack is nil if the stack sandbox was not yet created.
	Stack *stackReport `json:"stack,omitempty"`
}

// stackReport is the part of a report about the stack sandbox.
type stackReport struct {
	Name string `json:"name"`
	// Resources is the number of resources, and Pending is the number of interrupted
	// operations.
	Resources int    `json:"resources"`
	Pending   int    `json:"pending"`
	URL       string `json:"url,omitempty"`
}

// newReport collects the state of the sandbox: its processes, tools, programs and stack.
func newReport(c *cobra.Command, l *layout.Layout) (*report, error) {
	r := &report{Dir: l.Dir, Cluster: l.Cluster, Components: localcluster.Status(c.Context(), l)}
	built, err := builtFolder()
	if err != nil {
		return nil, err
	}
	if r.Tools, err = toolchain.Resolve(c.Context(), l, built, os.Environ()); err != nil {
		return nil, err
	}
	if l.Cluster != layout.ClusterExisting { // an existing cluster uses no images of the mirror
		if r.Programs, err = mirror.Programs(c.Context(), l); err != nil {
			return nil, err
		}
	}
	if !stack.Exists(l, project.SandboxStack) {
		return r, nil
	}
	s, err := stack.Open(c.Context(), l, project.SandboxStack, terminal(c))
	if err != nil {
		return nil, err
	}
	state, err := s.Export(c.Context())
	if err != nil {
		return nil, err
	}
	r.Stack = &stackReport{Name: s.Name(), Resources: len(state.Resources), Pending: len(state.Operations), URL: state.Output("url")}
	return r, nil
}

// write prints the report as text for people.
func (r *report) write(out io.Writer) {
	fmt.Fprintf(out, "sandbox %s, cluster %s\n\n", r.Dir, r.Cluster)
	r.writeComponents(out)
	fmt.Fprintln(out)
	r.writeTools(out)
	r.writePrograms(out)
	fmt.Fprintln(out)
	if r.Stack == nil {
		fmt.Fprintf(out, "stack %s: not yet created; run make up\n", project.SandboxStack)
		return
	}
	fmt.Fprintf(out, "stack %s: %d resources, url %s\n", r.Stack.Name, r.Stack.Resources, orDash(r.Stack.URL))
	fmt.Fprint(out, dashboardsHint)
	if r.Stack.Pending > 0 {
		fmt.Fprintf(out, "  %d operations were interrupted; make up recovers them\n", r.Stack.Pending)
	}
}

func (r *report) writeComponents(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPID\tPORT\tHEALTH\tMEMORY")
	var total int64
	for _, s := range r.Components {
		health := "healthy"
		if !s.Healthy {
			health = firstLine(s.Reason)
		}
		total += s.PSS
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Name, formatNumber(s.PID), formatNumber(s.Port), health, formatMegabytes(s.PSS))
	}
	// PSS is the proportional set size. In the sum, memory that processes share counts once.
	fmt.Fprintf(table, "total\t\t\t\t%s\n", formatMegabytes(total))
	table.Flush()
}

// kindTexts has the text in the table for each kind of tool.
var kindTexts = map[toolchain.Kind]string{
	toolchain.Installed: "real, installed",
	toolchain.Built:     "real, built here",
	toolchain.StandIn:   "stand-in",
}

func (r *report) writeTools(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TOOL\tKIND\tVERSION\tPATH")
	for _, tool := range r.Tools {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", tool.Name, kindTexts[tool.Kind], orDash(tool.Version), tool.Path)
	}
	table.Flush()
	for _, tool := range r.Tools {
		if tool.Note != "" {
			fmt.Fprintf(out, "%s: not used: %s\n", tool.Name, tool.Note)
		}
	}
}

func (r *report) writePrograms(out io.Writer) {
	if len(r.Programs) == 0 {
		return
	}
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "IN THE CLUSTER\tKIND\tVERSION")
	for _, p := range r.Programs {
		fmt.Fprintf(table, "%s\t%s\t%s\n", p.Name, p.State, p.Version)
	}
	table.Flush()
}

// formatNumber formats a number for a table. A missing value, which is 0, is shown as "-".
func formatNumber(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// orDash returns s, or "-" for an empty string.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// formatMegabytes formats a number of bytes for a table. A missing value, which is 0, is shown
// as "-".
func formatMegabytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%d MB", n>>20)
}
