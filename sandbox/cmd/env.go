package cmd

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

func (a *app) env() *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print the shell lines that lead into the sandbox",
		Long: "Print lines for bash and zsh after which plain pulumi, kubectl and aws work on\n" +
			"the sandbox and on nothing else.",
		Example: `  eval "$(make env)"`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := a.open()
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.OutOrStdout(), shellLines(toolchain.Within(c.Context(), h, os.Environ()), h))
			return err
		},
	}
}

// shellLines renders what of the sandbox's environment a shell has to take
// over, and what it has to forget.
func shellLines(within []string, h *home.Home) string {
	wanted := map[string]bool{"PATH": true, "GOFLAGS": true, "CGO_ENABLED": true}
	for _, kv := range h.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		wanted[name] = true
	}
	var b strings.Builder
	b.WriteString("# In this shell AWS is a stand-in: pulumi, kubectl and aws reach the sandbox and nothing else.\n")
	for _, name := range home.CloudVariables {
		fmt.Fprintf(&b, "unset %s\n", name)
	}
	for _, kv := range within {
		if name, value, _ := strings.Cut(kv, "="); wanted[name] {
			fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
		}
	}
	return b.String()
}

// quote makes one word of any text for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
