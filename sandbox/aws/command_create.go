package aws

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// newCreateCommand returns the command `sandbox aws create`.
func newCreateCommand() *cobra.Command {
	region := rules.DefaultRegion
	cmd := &cobra.Command{
		Use:     "create TYPE [PROPERTY=VALUE...]",
		Aliases: []string{"make"},
		Short:   "Create an object outside of every stack",
		Long: "Create an object outside of every stack, by the same rules as in a stack, and print its id.\n" +
			"An account has such objects before the platform is deployed.\n\n" +
			"  sandbox aws create Zone name=example.com\n\n" +
			"A VALUE that is not valid JSON is a string. A nested property is written with dots, as in tags.Owner=me; a\n" +
			"list is written as JSON.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := rules.FindToken(args[0])
			if err != nil {
				return err
			}
			if !rules.HasRegion(region) {
				return fmt.Errorf("--region %s: the stand-in supports %s", region, strings.Join(rules.Regions(), ", "))
			}
			assignments, err := parseAssignments(args[1:])
			if err != nil {
				return err
			}
			l, err := layout.FromEnv()
			if err != nil {
				return err
			}
			cloud, err := openCloud(l, region)
			if err != nil {
				return err
			}
			id, err := cloud.CreateDirect(cmd.Context(), token, assignments)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), id)
			return err
		},
	}
	cmd.Flags().StringVar(&region, "region", region, "the region; ignored for global types")
	return cmd
}

// EnsureAccount creates the objects that the account of a sandbox has before any stack is
// deployed. It does not create objects that already exist.
func EnsureAccount(ctx context.Context, l *layout.Layout) error {
	cloud, err := openCloud(l, rules.DefaultRegion)
	if err != nil {
		return err
	}
	if err := cloud.EnsureAccount(ctx); err != nil {
		return fmt.Errorf("account of the AWS stand-in: %w", err)
	}
	return nil
}

// openCloud returns the stand-in of a sandbox for the default account and one region.
func openCloud(l *layout.Layout, region string) (*rules.Cloud, error) {
	st, err := store.Open(l.AWS())
	if err != nil {
		return nil, err
	}
	now, err := clockFromEnv()
	if err != nil {
		return nil, err
	}
	return &rules.Cloud{Layout: l, Store: st, Account: rules.Account, Region: region, Partition: rules.Partition, Now: now}, nil
}
