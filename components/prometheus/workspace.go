package prometheus

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/podidentity"
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
	return podidentity.New(ctx, name, &podidentity.Args{
		Account:     w.Account,
		Description: "Prometheus, which writes recorded series to " + w.ID,
		ClusterName: w.Cluster, Namespace: namespace, ServiceAccount: app,
		Statements: []iam.Statement{{Sid: "Write", Actions: []string{"aps:RemoteWrite"}, Resources: iam.ARNs(pulumi.String(w.ARN))}},
	}, parent)
}
