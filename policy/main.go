// Command policy applies the platform's rules to a stack. It owns the command
// line; the rules are in policy/ruleset, and one evaluator serves every command.
//
//	policy serve         the engine's plugin: pulumi preview --policy-pack bin/policy
//	policy check FILE    apply the rules to a state export or a preview's JSON
//	policy rules         print the rules as a Markdown table
//	policy record FILE   print a preview's JSON as a recording for tests
//
// Without a command the program serves, because the engine starts it without one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/report"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/server"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/policy/waiver"
)

// reportVariable is the environment variable with the path of the plugin's JSON report. The
// plugin writes one because the engine's own JSON has no policy results.
const reportVariable = "POLICY_REPORT"

// errViolations is the error of a report with mandatory violations. The report itself
// names the violations.
var errViolations = errors.New("mandatory rules are broken")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command of args. It returns the exit code: 0 for no mandatory violation, 1 for
// one or more, and 2 for an error of the command.
func run(ctx context.Context, args []string, out *os.File, messages io.Writer) int {
	command := "serve"
	// The engine passes its own address as the only argument, so an unknown argument means serve.
	if len(args) > 0 && slices.Contains([]string{"serve", "check", "rules", "record", "help", "-h", "--help"}, args[0]) {
		command, args = args[0], args[1:]
	}
	var err error
	switch command {
	case "serve":
		err = serve(ctx, out)
	case "check":
		err = check(args, out, messages)
	case "rules":
		err = report.WriteRulesTable(out, ruleset.All())
	case "record":
		err = record(args, out)
	default:
		fmt.Fprintln(messages, usage)
		return 2
	}
	switch {
	case errors.Is(err, errViolations):
		return 1
	case err != nil:
		fmt.Fprintln(messages, "error:", err)
		return 2
	}
	return 0
}

const usage = `usage:
  policy check [flags] FILE   apply the rules to a state export or a preview's JSON; exit code 1 on a mandatory violation
  policy rules                print the rules as a Markdown table
  policy record FILE          print a preview's JSON as a recording for tests
  policy serve                serve the Pulumi engine, which starts it with --policy-pack`

// serve serves the engine. It writes a JSON report if reportVariable is set.
func serve(ctx context.Context, out *os.File) error {
	options := server.Options{Rules: ruleset.All(), Now: time.Now, StackConfig: stackconfig.Find}
	if file := os.Getenv(reportVariable); file != "" {
		options.Report = func(stack, environment string, e *evaluate.Evaluator, g *graph.Graph, results []evaluate.Result) error {
			f, err := os.Create(file)
			if err != nil {
				return fmt.Errorf("%s: %w", reportVariable, err)
			}
			defer f.Close()
			return report.New(stack, environment, e, g, results).WriteJSON(f)
		}
	}
	return server.Serve(ctx, options, out)
}

// check applies the rules to a file and writes the report.
func check(args []string, out *os.File, messages io.Writer) error {
	flags := flag.NewFlagSet("policy check", flag.ContinueOnError)
	flags.SetOutput(messages)
	format := flags.String("format", "text", "text, json, sarif, junit or markdown")
	against := flags.String("against", "", "a state export of the stack; a violation that the export already has does not fail")
	config := flags.String("config", "", "the stack's configuration; default Pulumi.STACK.yaml")
	outFile := flags.String("out", "", "the file to write; default standard output")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w\n%s", err, usage)
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("policy check needs one file\n%s", usage)
	}
	render, ok := report.Formats[*format]
	if !ok {
		return fmt.Errorf("-format %q: must be text, json, sarif, junit or markdown", *format)
	}
	r, err := evaluateFile(flags.Arg(0), *config)
	if err != nil {
		return err
	}
	if *against != "" {
		earlier, err := evaluateFile(*against, *config)
		if err != nil {
			return err
		}
		r.Compare(earlier)
	}
	var rendered strings.Builder
	if err := render(r, &rendered); err != nil {
		return err
	}
	if err := write(*outFile, rendered.String(), out); err != nil {
		return err
	}
	if r.Fails() {
		return errViolations
	}
	return nil
}

// write writes text to a file, or to out if no file is named.
func write(file, text string, out io.Writer) error {
	if file == "" {
		_, err := io.WriteString(out, text)
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// record prints a preview's JSON as a recording.
func record(args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("policy record needs one file\n%s", usage)
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	recording, err := source.Record(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	_, err = out.Write(recording)
	return err
}

// evaluateFile evaluates the stack in file, in one of the forms that source.Read reads. The stack's
// configuration comes from the YAML file configFile. If configFile is empty, the configuration in
// file is used. If that one names no environment, Pulumi.STACK.yaml is used.
func evaluateFile(file, configFile string) (*report.Report, error) {
	s, err := source.Read(file)
	if err != nil {
		return nil, err
	}
	config := s.Config
	if configFile != "" {
		config, err = stackconfig.Read(configFile)
	} else if config[waiver.EnvironmentKey] == "" {
		config = stackconfig.Find(s.Name())
	}
	if err != nil {
		return nil, err
	}
	environment := config[waiver.EnvironmentKey]
	if environment == "" {
		environment = s.Name()
	}
	e := evaluate.New(ruleset.All(), environment, config[waiver.Key], time.Now())
	return report.New(s.Name(), environment, e, s.Graph, e.ApplyToStack(s.Graph)), nil
}
