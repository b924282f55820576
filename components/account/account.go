// Package account says in which AWS account, partition and region a stack's
// resources lie. It makes nothing; policies and ARNs are written with it.
package account

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Account is where the stack's resources lie.
type Account struct {
	// ID is the account's twelve digits.
	ID pulumi.StringOutput
	// Partition is "aws", or that of another of AWS's clouds.
	Partition pulumi.StringOutput
	// Region is the region's name, such as us-east-1.
	Region string
}

// Lookup asks AWS whose credentials the provider in opts has. The region is
// the provider's.
func Lookup(ctx *pulumi.Context, region string, opts ...pulumi.InvokeOption) *Account {
	identity := aws.GetCallerIdentityOutput(ctx, aws.GetCallerIdentityOutputArgs{}, opts...)
	partition := aws.GetPartitionOutput(ctx, aws.GetPartitionOutputArgs{}, opts...)
	return &Account{ID: identity.AccountId(), Partition: partition.Partition(), Region: region}
}

// ARN writes an ARN of the account and region: service is such as "logs",
// resource what follows the account, such as "log-group:NAME:*".
func (a *Account) ARN(service string, resource pulumi.StringInput) pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, service, a.Region, a.ID, resource)
}

// Root is the ARN that stands for the account itself: whoever its IAM
// policies allow.
func (a *Account) Root() pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:iam::%s:root", a.Partition, a.ID)
}

// ManagedPolicy is the ARN of one of AWS's own IAM policies by its path, such
// as "service-role/AmazonRDSEnhancedMonitoringRole".
func (a *Account) ManagedPolicy(path string) pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:iam::aws:policy/%s", a.Partition, path)
}
