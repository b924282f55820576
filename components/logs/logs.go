// Package logs owns the CloudWatch log groups of the data stores and of the containers, and
// how long logs are kept. AWS creates missing groups by itself, but without our KMS key and
// without expiry.
package logs

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Days is how long logs are kept: logs of stores, of containers, of the control plane, and access
// logs. 90 days cover a quarter, the usual range of an audit. CloudWatch Logs
// allows only some numbers, and 90 is one of them.
const Days = 90

// NewGroups creates a log group FOLDER/KIND for each kind of log, in their order.
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
