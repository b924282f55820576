// Package account owns the AWS account, partition and region of a stack, and the
// ARNs that are built from them. It creates no resource.
package account

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Account is the account, partition and region of the stack's resources.
type Account struct {
	// ID is the account's twelve digits.
	ID pulumi.StringOutput
	// Partition is "aws", or another partition such as "aws-us-gov".
	Partition pulumi.StringOutput
	// Region is the region's name, such as us-east-1.
	Region string
	// Profile is a profile of AWS's config file, which has the credentials. Empty
	// means the credentials of the environment.
	Profile string
	// RoleARN is the role that these credentials assume. Empty means none.
	RoleARN string
	// PermissionsBoundary is the ARN of the policy that bounds every role. Empty
	// means none.
	PermissionsBoundary string
}

// Lookup gets the account and the partition from AWS, with the credentials of the provider in
// opts. The region must be the region of this provider.
func Lookup(ctx *pulumi.Context, region string, opts ...pulumi.InvokeOption) *Account {
	identity := aws.GetCallerIdentityOutput(ctx, aws.GetCallerIdentityOutputArgs{}, opts...)
	partition := aws.GetPartitionOutput(ctx, aws.GetPartitionOutputArgs{}, opts...)
	return &Account{ID: identity.AccountId(), Partition: partition.Partition(), Region: region}
}

// ARN returns an ARN of the account and region. service is a name such as "logs".
// resource is the last part, such as "log-group:NAME:*".
func (a *Account) ARN(service string, resource pulumi.StringInput) pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, service, a.Region, a.ID, resource)
}

// Root returns the ARN of the account's root, which means every principal that the
// account's IAM policies allow.
func (a *Account) Root() pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:iam::%s:root", a.Partition, a.ID)
}

// ManagedPolicy returns the ARN of an AWS managed policy by its path, such as
// "service-role/AmazonRDSEnhancedMonitoringRole".
func (a *Account) ManagedPolicy(path string) pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:iam::aws:policy/%s", a.Partition, path)
}
