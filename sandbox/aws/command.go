package aws

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/aws/faults"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// Command returns the command `sandbox aws`. The command lists, creates, changes and deletes
// objects of the stand-in. It can also make calls fail or take longer. The environment defines
// which sandbox it uses.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:          "aws",
		Short:        "List the objects of the AWS stand-in; make it drift, fail or slow down",
		SilenceUsage: true, SilenceErrors: true,
		Long: "List the objects of the AWS stand-in; make it drift, fail or slow down.\n\n" +
			"TYPE is a Pulumi type, such as aws:ec2/subnet:Subnet, or its last part, such as Subnet.",
	}
	cmd.AddCommand(newListCommand(), newCreateCommand(), newSetCommand(), newDeleteCommand(), newFailCommand(), newSlowCommand(), newFaultsCommand(), newClearFaultsCommand())
	return cmd
}

// openStore opens the store of the sandbox that the environment defines.
func openStore() (*store.Store, error) {
	l, err := layout.FromEnv()
	if err != nil {
		return nil, err
	}
	return store.Open(l.AWS())
}

// faultsFile returns the file with the configured faults of the sandbox that the environment
// defines.
func faultsFile() (faults.File, error) {
	l, err := layout.FromEnv()
	if err != nil {
		return faults.File{}, err
	}
	return faults.NewFile(l.AWS()), nil
}

// newListCommand returns the command `sandbox aws list`.
func newListCommand() *cobra.Command {
	var asJSON, includeOwned bool
	var notIn string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the objects",
		Long: "List the objects.\n\n" +
			"With --not-in FILE, the output of `pulumi stack export`, list only objects that are not in that stack,\n" +
			"for example after a response was lost.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := openStore()
			if err != nil {
				return err
			}
			var inStack map[string]bool
			if notIn != "" {
				if inStack, err = readStackObjects(notIn); err != nil {
					return err
				}
			}
			return st.View(cmd.Context(), func(tx *store.Tx) error {
				objects := tx.All()
				if !includeOwned || inStack != nil {
					objects = rules.Orphans(tx, inStack)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), objects)
				}
				return printTable(cmd.OutOrStdout(), objects)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all properties as JSON, without secrets")
	cmd.Flags().BoolVar(&includeOwned, "owned", false, "also list objects that AWS creates itself, such as a VPC's default security group")
	cmd.Flags().StringVar(&notIn, "not-in", "", "list objects that are not in this export of a stack")
	return cmd
}

// printJSON prints the objects as a JSON list, without secret values.
func printJSON(out io.Writer, objects []store.Object) error {
	redacted := make([]store.Object, len(objects))
	for i, o := range objects {
		var err error
		if redacted[i], err = rules.Redact(o); err != nil {
			return err
		}
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(redacted)
}

// printTable prints a table with a row for each object.
func printTable(out io.Writer, objects []store.Object) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "REGION\tTYPE\tID\tNAME")
	for _, o := range objects {
		state := rules.Object(o.State)
		name := state.String("name")
		if name == "" {
			name = state.Object("tagsAll").String("Name")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", o.Region, o.Type, o.ID, name)
	}
	return w.Flush()
}

// readStackObjects returns the resources of an exported stack as a set with keys "TYPE ID". path
// is a file with the output of `pulumi stack export`.
func readStackObjects(path string) (map[string]bool, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var export struct {
		Deployment struct {
			Resources []struct {
				Type string `json:"type"`
				ID   string `json:"id"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(raw, &export); err != nil {
		return nil, fmt.Errorf("%s is not the output of `pulumi stack export`: %w", path, err)
	}
	out := map[string]bool{}
	for _, r := range export.Deployment.Resources {
		out[r.Type+" "+r.ID] = true
	}
	return out, nil
}

// newSetCommand returns the command `sandbox aws set`.
func newSetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "set TYPE ID PROPERTY=VALUE...",
		Short: "Change properties outside of Pulumi",
		Long: "Change properties outside of Pulumi, as a user of the AWS console would.\n\n" +
			"A VALUE that is not valid JSON is a string; null removes the property. A nested property is written with\n" +
			"dots, as in tags.Owner=me.",
		Args: cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := rules.FindToken(args[0])
			if err != nil {
				return err
			}
			assignments, err := parseAssignments(args[2:])
			if err != nil {
				return err
			}
			st, err := openStore()
			if err != nil {
				return err
			}
			return rules.UpdateDirect(cmd.Context(), st, token, args[1], assignments)
		},
	}
}

// parseAssignments parses arguments of the form PROPERTY=VALUE. A value that is not JSON is
// a string.
func parseAssignments(args []string) ([]rules.Assignment, error) {
	var list []rules.Assignment
	for _, arg := range args {
		path, text, ok := strings.Cut(arg, "=")
		if !ok || path == "" {
			return nil, fmt.Errorf("%q: must be PROPERTY=VALUE", arg)
		}
		var value any = text
		var parsed any
		if json.Unmarshal([]byte(text), &parsed) == nil {
			value = parsed
		}
		list = append(list, rules.Assignment{Path: path, Value: value})
	}
	return list, nil
}

// newDeleteCommand returns the command `sandbox aws delete`.
func newDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "delete TYPE ID",
		Short: "Remove an object outside of Pulumi",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := rules.FindToken(args[0])
			if err != nil {
				return err
			}
			st, err := openStore()
			if err != nil {
				return err
			}
			return rules.DeleteDirect(cmd.Context(), st, token, args[1])
		},
	}
}

// resolveType returns the token for the name of a type. It returns the token of a function and
// faults.Any unchanged.
func resolveType(name string) (string, error) {
	if name == faults.Any || rules.HasFunction(name) {
		return name, nil
	}
	return rules.FindToken(name)
}

// newFailCommand returns the command `sandbox aws fail`.
func newFailCommand() *cobra.Command {
	fault := faults.Fault{Delay: 2 * time.Second}
	cmd := &cobra.Command{
		Use:   "fail",
		Short: "Make the n-th matching call from now fail",
		Long: "Make the n-th matching call from now fail:\n\n" +
			"  error       AWS refuses the call\n" +
			"  throttle    the call waits as the provider's retries do, then succeeds; with --permanent it fails\n" +
			"  lose-reply  AWS executes the call, but the response is lost\n" +
			"  crash       AWS executes the call, and the plugin is killed before it responds",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var err error
			if fault.Type, err = resolveType(fault.Type); err != nil {
				return err
			}
			file, err := faultsFile()
			if err != nil {
				return err
			}
			return file.AddFault(fault)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&fault.Op, "op", faults.Any, "create, read, update, delete, invoke, or * for any")
	flags.StringVar(&fault.Type, "type", faults.Any, "the type or function, or * for any")
	flags.IntVar(&fault.Nth, "nth", 1, "which matching call from now")
	flags.StringVar(&fault.Mode, "mode", faults.Error, strings.Join(faults.Modes, ", "))
	flags.BoolVar(&fault.Permanent, "permanent", false, "the n-th and every later matching call fail")
	flags.StringVar(&fault.Code, "code", "", "AWS's error code (InternalError)")
	flags.StringVar(&fault.Message, "message", "", "AWS's error message")
	flags.DurationVar(&fault.Delay, "delay", fault.Delay, "how long a throttled call waits")
	return cmd
}

// newSlowCommand returns the command `sandbox aws slow`.
func newSlowCommand() *cobra.Command {
	slow := faults.Slowdown{}
	cmd := &cobra.Command{
		Use:   "slow",
		Short: "Make every matching call take longer",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var err error
			if slow.Type, err = resolveType(slow.Type); err != nil {
				return err
			}
			file, err := faultsFile()
			if err != nil {
				return err
			}
			return file.AddSlowdown(slow)
		},
	}
	cmd.Flags().StringVar(&slow.Type, "type", faults.Any, "the type or function, or * for any")
	cmd.Flags().DurationVar(&slow.Delay, "delay", 200*time.Millisecond, "how much longer")
	return cmd
}

// newFaultsCommand returns the command `sandbox aws faults`.
func newFaultsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "faults",
		Short: "Show the configured faults",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := faultsFile()
			if err != nil {
				return err
			}
			plan, err := file.Read()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, fault := range plan.Faults {
				fmt.Fprintf(out, "%s at call %d of %s %s: %s\n", fault.Mode, fault.Nth, fault.Op, fault.Type, describeProgress(fault))
			}
			for _, slow := range plan.Slowdowns {
				fmt.Fprintf(out, "%s longer for every call of %s\n", slow.Delay, slow.Type)
			}
			return nil
		},
	}
}

// describeProgress returns "done", or the number of calls that the fault has counted.
func describeProgress(f faults.Fault) string {
	if f.Done() {
		return "done"
	}
	return fmt.Sprintf("%d calls so far", f.Seen)
}

// newClearFaultsCommand returns the command `sandbox aws clear-faults`.
func newClearFaultsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clear-faults",
		Short: "Remove all configured faults",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			file, err := faultsFile()
			if err != nil {
				return err
			}
			return file.Clear()
		},
	}
}
