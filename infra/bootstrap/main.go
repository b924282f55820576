// Command bootstrap is the Pulumi program that creates the IAM roles of the GitHub workflows. It is
// a separate project, because the workflows deploy the stacks with these roles. A person deploys it
// once in each account; docs/ci.md says how.
package main

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings, err := readSettings(ctx)
		if err != nil {
			return err
		}
		provider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{
			Region:            pulumi.String(settings.region),
			AllowedAccountIds: pulumi.StringArray{pulumi.String(settings.account)},
			DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{
				"Project": pulumi.String("progressive-framework-ci"), "Environment": pulumi.String(ctx.Stack()),
			}},
		})
		if err != nil {
			return fmt.Errorf("AWS provider: %w", err)
		}
		return deploy(ctx, settings, pulumi.Provider(provider))
	})
}

// readSettings reads and validates the configuration. A key that is not set has the empty value,
// which validate refuses.
func readSettings(ctx *pulumi.Context) (settings, error) {
	get := func(key string) string {
		value, _ := ctx.GetConfig(key)
		return value
	}
	const project = "progressive-framework-ci:"
	s := settings{region: get("aws:region"), account: get(project + "account"), repository: get(project + "repository")}
	if stacks := get(project + "stacks"); stacks != "" {
		if err := json.Unmarshal([]byte(stacks), &s.stacks); err != nil {
			return s, fmt.Errorf("stacks must be a list of objects with environment and hostedZone: %w", err)
		}
	}
	return s, s.validate()
}
