package service

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
)

// Role is what a service's pods may do in AWS. They get it by EKS Pod Identity
// and hold no credentials of their own.
type Role struct {
	// Account is where the role is made.
	Account *account.Account
	// ClusterName is the EKS cluster that the pods run on.
	ClusterName pulumi.StringInput
	// Statements are the role's policy.
	Statements []iam.Statement
}

// give makes the role and hands it to the pods of one service account. What it
// returns must be there before a pod starts, which else runs without rights
// until it is started again. A nil role gives nothing.
func (r *Role) give(ctx *pulumi.Context, name, serviceAccount string, namespace pulumi.StringInput, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	if r == nil {
		return nil, nil
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Account:     r.Account,
		Description: "Pods of service " + serviceAccount,
		Trust:       iam.Pod(r.ClusterName, namespace, serviceAccount),
		Statements:  r.Statements,
	}, parent)
	if err != nil {
		return nil, err
	}
	association, err := eks.NewPodIdentityAssociation(ctx, name+"-identity", &eks.PodIdentityAssociationArgs{
		ClusterName:    r.ClusterName,
		Namespace:      namespace,
		ServiceAccount: pulumi.String(serviceAccount),
		RoleArn:        role.ARN,
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("pod identity of %s: %w", name, err)
	}
	return append(role.Policies, association), nil
}

// identity makes the pods' own service account, which says nothing to the API
// server, and gives it their role. A pod needs what is returned as its rights.
func (p *Pod) identity(ctx *pulumi.Context, name, accountName string, labels pulumi.StringMap, parent pulumi.ResourceOption) (account pulumi.StringOutput, rights []pulumi.Resource, err error) {
	made, err := corev1.NewServiceAccount(ctx, name+"-account", &corev1.ServiceAccountArgs{
		Metadata:                     &metav1.ObjectMetaArgs{Name: pulumi.String(accountName), Namespace: p.Namespace, Labels: labels},
		AutomountServiceAccountToken: pulumi.Bool(false),
	}, parent)
	if err != nil {
		return account, nil, fmt.Errorf("service account of %s: %w", name, err)
	}
	account = made.Metadata.Name().Elem()
	rights, err = p.Role.give(ctx, name, accountName, p.Namespace, parent)
	return account, rights, err
}
