// Package podidentity gives pods the permissions of an IAM role through EKS Pod Identity. The
// pods store no credentials.
package podidentity

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
)

// Args configure the role of the pods of one service account.
type Args struct {
	// Account is the account of the role.
	Account *account.Account
	// Description names the pods that use the role.
	Description string
	// ClusterName is the name of the EKS cluster in which the pods run.
	ClusterName pulumi.StringInput
	// Namespace and ServiceAccount are the namespace and the service account of the pods.
	Namespace      pulumi.StringInput
	ServiceAccount string
	// Statements are the role's policy.
	Statements []iam.Statement
	// Association is the name of the association in Pulumi. Empty means the name of the role.
	Association string
}

func (a *Args) validate() error {
	if a == nil || a.ClusterName == nil || a.Namespace == nil || a.ServiceAccount == "" {
		return errors.New("pod identity: ClusterName, Namespace and ServiceAccount must be set")
	}
	return nil
}

// New creates the role and associates it with the pods. The pods must depend on the returned
// resources: a pod that starts earlier has no permissions until its next start.
func New(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Account:     args.Account,
		Description: args.Description,
		Trust:       iam.Pod(args.ClusterName, args.Namespace, args.ServiceAccount),
		Statements:  args.Statements,
	}, parent)
	if err != nil {
		return nil, err
	}
	association, err := eks.NewPodIdentityAssociation(ctx, cmp.Or(args.Association, name), &eks.PodIdentityAssociationArgs{
		ClusterName:    args.ClusterName,
		Namespace:      args.Namespace,
		ServiceAccount: pulumi.String(args.ServiceAccount),
		RoleArn:        role.ARN,
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("pod identity of %s: %w", name, err)
	}
	return append(role.Policies, association), nil
}
