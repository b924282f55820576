package prometheus

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
)

// Workspace is the workspace of Amazon Managed Service for Prometheus that gets the recorded
// series.
type Workspace struct {
	Account *account.Account
	// ClusterName is the name of the EKS cluster, and Cluster the same when the cluster
	// exists.
	ClusterName string
	Cluster     pulumi.StringInput
	scrape.Workspace
}

// role creates the permission of the pods to write to the workspace, and to read nothing. The
// pods start after the resources that it returns.
func (w *Workspace) role(ctx *pulumi.Context, name string, namespace pulumi.StringInput, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Account:     w.Account,
		Description: "Prometheus, which writes recorded series to " + w.ID,
		Trust:       iam.Pod(w.Cluster, namespace, app),
		Statements:  []iam.Statement{{Sid: "Write", Actions: []string{"aps:RemoteWrite"}, Resources: iam.ARNs(pulumi.String(w.ARN))}},
	}, parent)
	if err != nil {
		return nil, err
	}
	association, err := eks.NewPodIdentityAssociation(ctx, name, &eks.PodIdentityAssociationArgs{
		ClusterName: w.Cluster, Namespace: namespace, ServiceAccount: pulumi.String(app), RoleArn: role.ARN,
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("pod identity of %s: %w", name, err)
	}
	return append(role.Policies, association), nil
}
