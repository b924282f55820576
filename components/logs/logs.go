// Package logs owns the CloudWatch log groups that data stores write to, and how
// long logs are kept. AWS would create the groups by itself, kept for ever and
// under no key of ours.
package logs

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Days is how long logs of stores, of access and of the control plane are kept,
// in days: a quarter, which audits and inquiries look back on. It is one of the
// numbers that CloudWatch Logs allows.
const Days = 90

// NewGroups makes a group FOLDER/KIND for each kind of log, in their order.
// The key's policy must let CloudWatch Logs use it (key.Logs).
func NewGroups(ctx *pulumi.Context, name, folder string, kinds []string, keyARN pulumi.StringInput, opts ...pulumi.ResourceOption) ([]*cloudwatch.LogGroup, error) {
	groups := make([]*cloudwatch.LogGroup, len(kinds))
	for i, kind := range kinds {
		group, err := cloudwatch.NewLogGroup(ctx, name+"-"+kind, &cloudwatch.LogGroupArgs{
			Name:            pulumi.String(folder + "/" + kind),
			KmsKeyId:        keyARN,
			RetentionInDays: pulumi.Int(Days),
		}, opts...)
		if err != nil {
			return nil, fmt.Errorf("log group %s of %s: %w", kind, name, err)
		}
		groups[i] = group
	}
	return groups, nil
}
