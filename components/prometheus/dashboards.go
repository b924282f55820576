package prometheus

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/scaling/dashboards/consolepage"
	"github.com/progressive-framework/platform/components/scaling/dashboards/grafana"
)

// newDashboards creates two ConfigMaps: one with the page of Prometheus, and one that a Grafana in
// the cluster loads. It returns the name of the ConfigMap with the page. A changed dashboard
// restarts no pod, because the kubelet updates the files and Prometheus reads the page at each
// request.
func newDashboards(ctx *pulumi.Context, name string, args *Args, objects *datastore.Objects, parent pulumi.ResourceOption) (pulumi.StringOutput, error) {
	html, err := consolepage.Render(args.Dashboards)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	files, err := grafana.Files(args.Dashboards)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	consoles, err := corev1.NewConfigMap(ctx, name+"-consoles", &corev1.ConfigMapArgs{
		Metadata: objects.Meta(app + "-consoles"), Data: pulumi.StringMap{consolepage.Name: pulumi.String(html)},
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("page of %s: %w", name, err)
	}
	meta := objects.Meta(app + "-dashboards")
	meta.Labels = pulumi.StringMap{"app": pulumi.String(app), grafana.Label: pulumi.String(grafana.LabelValue)}
	if _, err := corev1.NewConfigMap(ctx, name+"-dashboards", &corev1.ConfigMapArgs{Metadata: meta, Data: pulumi.ToStringMap(files)}, parent); err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("dashboards of %s: %w", name, err)
	}
	return consoles.Metadata.Name().Elem(), nil
}
