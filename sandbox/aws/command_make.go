package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/layout"
)

func makeCommand() *cobra.Command {
	region := rules.DefaultRegion
	cmd := &cobra.Command{
		Use:   "make TYPE [PROPERTY=VALUE...]",
		Short: "Create something outside of every stack",
		Long: "Create something outside of every stack, by the same rules as in one, and print its id:\n" +
			"what an account has before the platform comes.\n\n" +
			"  sandbox aws make Zone name=example.com\n\n" +
			"VALUE is JSON, or text where it is none. A property inside another is written with dots, as in\n" +
			"tags.Owner=me; a list as JSON.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := rules.FindToken(args[0])
			if err != nil {
				return err
			}
			if !rules.KnownRegion(region) {
				return fmt.Errorf("--region %s: the stand-in knows %s", region, strings.Join(rules.Regions(), ", "))
			}
			list, err := assignments(args[1:])
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
			id, err := cloud.Make(cmd.Context(), token, list)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), id)
			return err
		},
	}
	cmd.Flags().StringVar(&region, "region", region, "where to create it; global things are in none")
	return cmd
}

// EnsureAccount creates what the account of a sandbox has before any stack,
// unless it exists.
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

func openCloud(l *layout.Layout, region string) (*rules.Cloud, error) {
	st, err := store.Open(l.AWS())
	if err != nil {
		return nil, err
	}
	return &rules.Cloud{Layout: l, Store: st, Account: rules.Account, Region: region, Partition: rules.Partition, Now: time.Now}, nil
}
