package service

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/podidentity"
	"github.com/progressive-framework/platform/components/podnetwork"
)

// Role has the AWS permissions of a service's pods. The pods get credentials of the role from EKS
// Pod Identity, and store none.
type Role struct {
	// Account is the account of the role.
	Account *account.Account
	// ClusterName is the name of the EKS cluster in which the pods run.
	ClusterName pulumi.StringInput
	// Statements are the role's policy.
	Statements []iam.Statement
}

// associate creates the role and associates it with the pods of one service account. The
// pods must depend on the returned resources. A pod that starts earlier has no permissions
// until its next start. For a nil role, associate creates nothing.
func (r *Role) associate(ctx *pulumi.Context, name, serviceAccount string, namespace pulumi.StringInput, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	if r == nil {
		return nil, nil
	}
	return podidentity.New(ctx, name, &podidentity.Args{
		Account:     r.Account,
		Description: "Pods of service " + serviceAccount,
		ClusterName: r.ClusterName, Namespace: namespace, ServiceAccount: serviceAccount,
		Statements:  r.Statements,
		Association: name + "-identity",
	}, parent)
}

// newIdentity creates the service account of the pods, and associates the role with it. The pods
// get no service account token. newIdentity returns the name of the service account as an output.
// The pods must depend on the returned permissions.
func (p *Pod) newIdentity(ctx *pulumi.Context, name, objectName string, labels pulumi.StringMap, parent pulumi.ResourceOption) (serviceAccount pulumi.StringOutput, permissions []pulumi.Resource, err error) {
	accountResource, err := corev1.NewServiceAccount(ctx, name+"-account", &corev1.ServiceAccountArgs{
		Metadata:                     &metav1.ObjectMetaArgs{Name: pulumi.String(objectName), Namespace: p.Namespace, Labels: labels},
		AutomountServiceAccountToken: pulumi.Bool(false),
	}, parent)
	if err != nil {
		return serviceAccount, nil, fmt.Errorf("service account of %s: %w", name, err)
	}
	serviceAccount = accountResource.Metadata.Name().Elem()
	permissions, err = p.Role.associate(ctx, name, objectName, p.Namespace, parent)
	return serviceAccount, permissions, err
}

// newNetworkPolicy creates the network policy of the pods with the labels.
func (p *Pod) newNetworkPolicy(ctx *pulumi.Context, name, objectName string, labels pulumi.StringMap, parent pulumi.ResourceOption) (pulumi.Resource, error) {
	return podnetwork.New(ctx, name, &podnetwork.Args{Name: objectName, Namespace: p.Namespace, Selector: labels, Access: p.Access}, parent)
}
