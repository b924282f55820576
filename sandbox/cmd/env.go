package cmd

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

func (a *app) env() *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print shell lines that set the sandbox's environment",
		Long: "Print lines for bash and zsh after which plain pulumi, kubectl and aws work on\n" +
			"the sandbox and on nothing else.",
		Example: `  eval "$(make env)"`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := a.open()
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.OutOrStdout(), shellLines(toolchain.Within(c.Context(), l, os.Environ()), l))
			return err
		},
	}
}

// shellLines returns the export lines for the sandbox's variables, and unset
// lines for the variables that lead to a real cloud account.
func shellLines(within []string, l *layout.Layout) string {
	wanted := map[string]bool{"PATH": true, "GOFLAGS": true, "CGO_ENABLED": true}
	for _, kv := range l.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		wanted[name] = true
	}
	var b strings.Builder
	b.WriteString("# In this shell AWS is a stand-in: pulumi, kubectl and aws reach the sandbox and nothing else.\n")
	for _, name := range layout.CloudVariables {
		fmt.Fprintf(&b, "unset %s\n", name)
	}
	for _, kv := range within {
		if name, value, _ := strings.Cut(kv, "="); wanted[name] {
			fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
		}
	}
	return b.String()
}

// quote returns s as one word for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
