package cmd

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

func (a *app) newEnvCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print shell lines that set the sandbox's environment",
		Long: "Print lines for bash and zsh after which plain pulumi, kubectl and aws work on\n" +
			"the sandbox and on nothing else. In the project, pulumi works on copies of the\n" +
			"stacks' files, so that it writes nothing into the project.",
		Example: `  eval "$(make env)"`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := a.open()
			if err != nil {
				return err
			}
			if err := writeShellPulumi(l); err != nil {
				return err
			}
			_, err = io.WriteString(c.OutOrStdout(), shellLines(toolchain.SandboxEnv(l, os.Environ()), l)+
				"export PATH="+quote(l.ShellBin())+`:"$PATH"`+"\n")
			return err
		},
	}
}

// newShellProjectCommand returns the command that prints the folder in which Pulumi works. The
// script shellPulumi runs this command.
func (a *app) newShellProjectCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "shell-project",
		Short:   "Update the copies of the project's files for pulumi in a shell, and print their folder",
		Example: `  cd "$(sandbox shell-project)"`,
		Args:    noArgs,
		Hidden:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := a.open()
			if err != nil {
				return err
			}
			dir, err := project.PrepareShell(l)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), dir)
			return err
		},
	}
}

// shellPulumi is the script that runs Pulumi in a shell. In the project it sets
// PULUMI_OPTION_CWD to the folder of the copies, so that Pulumi works on them. Pulumi
// reads its flag --cwd from that variable, and a flag of the user overrides it. The
// sandbox's folder may be inside the project, so the script tests for that folder first.
// There it does not set the variable.
const shellPulumi = `#!/bin/sh
# Written by "sandbox env". Pulumi writes into the folder that it works in: the
# salt of a stack, and what "pulumi config set" changes.
case "$(pwd -P)/" in
%s/*) ;;
%s/*)
	PULUMI_OPTION_CWD=$(%s shell-project) || exit
	export PULUMI_OPTION_CWD
	;;
esac
exec %s "$@"
`

// writeShellPulumi writes the script shellPulumi into the first folder on the PATH of a
// shell.
func writeShellPulumi(l *layout.Layout) error {
	sandboxDir, err := filepath.EvalSymlinks(l.Dir)
	if err != nil {
		return fmt.Errorf("write the script pulumi for a shell: %w", err)
	}
	projectDir, err := filepath.EvalSymlinks(l.Project)
	if err != nil {
		return fmt.Errorf("write the script pulumi for a shell: %w", err)
	}
	if err := os.MkdirAll(l.ShellBin(), 0o700); err != nil {
		return fmt.Errorf("write the script pulumi for a shell: %w", err)
	}
	script := fmt.Sprintf(shellPulumi, quote(sandboxDir), quote(projectDir), quote(filepath.Join(l.Bin(), "sandbox")), quote(filepath.Join(l.Bin(), "pulumi")))
	path := filepath.Join(l.ShellBin(), "pulumi")
	// The rename replaces the script at once, so that another shell never runs half of it.
	if err := os.WriteFile(path+".new", []byte(script), 0o700); err != nil {
		return fmt.Errorf("write the script pulumi for a shell: %w", err)
	}
	return os.Rename(path+".new", path)
}

// shellLines returns shell lines that export the sandbox's variables and unset the variables of
// a real cloud account. environment is the sandbox's whole environment, as NAME=VALUE.
func shellLines(environment []string, l *layout.Layout) string {
	exported := map[string]bool{"PATH": true}
	for _, kv := range append(l.Environ(), toolchain.BuildVariables()...) {
		name, _, _ := strings.Cut(kv, "=")
		exported[name] = true
	}
	var b strings.Builder
	b.WriteString("# In this shell AWS is a stand-in: pulumi, kubectl and aws reach the sandbox and nothing else.\n")
	for _, name := range layout.CloudVariables {
		fmt.Fprintf(&b, "unset %s\n", name)
	}
	for _, kv := range environment {
		if name, value, _ := strings.Cut(kv, "="); exported[name] {
			fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
		}
	}
	return b.String()
}

// quote returns s as one word for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
