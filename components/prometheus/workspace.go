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
	// ClusterName is the name of the EKS cluster. Cluster is the same name as an output, which
	// is known when the cluster exists.
	ClusterName string
	Cluster     pulumi.StringInput
	scrape.Workspace
}

// newRole creates the IAM role of the pods, which may only write to the workspace. The pods must
// depend on the returned resources.
func (w *Workspace) newRole(ctx *pulumi.Context, name string, namespace pulumi.StringInput, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	return podidentity.New(ctx, name, &podidentity.Args{
		Account:     w.Account,
		Description: "Prometheus, which writes recorded series to " + w.ID,
		ClusterName: w.Cluster, Namespace: namespace, ServiceAccount: app,
		Statements: []iam.Statement{{Sid: "Write", Actions: []string{"aps:RemoteWrite"}, Resources: iam.ARNs(pulumi.String(w.ARN))}},
	}, parent)
}
