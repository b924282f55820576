// Package logs owns the CloudWatch log groups of the data stores and of the containers, and
// their retention time. AWS creates missing groups by itself, but without the stack's KMS key
// and without a retention time.
package logs

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Days is the retention time in days of access logs, and of the logs of stores, containers and
// the control plane. 90 days are a quarter, the usual period of an audit. CloudWatch
// Logs allows only some numbers, and 90 is one of them.
const Days = 90

// NewGroups creates a log group PREFIX/KIND for each kind of log, and returns the groups in the
// order of kinds. The key's policy must let CloudWatch Logs use the key (key.Logs).
func NewGroups(ctx *pulumi.Context, name, prefix string, kinds []string, keyARN pulumi.StringInput, opts ...pulumi.ResourceOption) ([]*cloudwatch.LogGroup, error) {
	groups := make([]*cloudwatch.LogGroup, len(kinds))
	for i, kind := range kinds {
		group, err := cloudwatch.NewLogGroup(ctx, name+"-"+kind, &cloudwatch.LogGroupArgs{
			Name:            pulumi.String(prefix + "/" + kind),
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
