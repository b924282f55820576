package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/prometheus"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
)

const workspaceARN = "arn:aws:aps:us-east-1:123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef"

// newWritingPrometheus returns a program that creates a Prometheus that writes to a workspace.
func newWritingPrometheus(change func(*prometheus.Workspace)) program {
	return newProgram(prometheus.NewPrometheus, func(stackAccount *account.Account) *prometheus.Args {
		args := prometheusArgs()
		workspace, err := scrape.ParseWorkspace(workspaceARN)
		if err != nil {
			return nil
		}
		args.Workspace = &prometheus.Workspace{Account: stackAccount, ClusterName: "app", Cluster: pulumi.String("app"), Workspace: workspace}
		change(args.Workspace)
		return args
	})
}

// At AWS, the pods may only write to the workspace. POD_NAME distinguishes the samples of the two
// pods.
func TestPrometheusMayOnlyWriteToItsWorkspace(t *testing.T) {
	d := deploy(t, newWritingPrometheus(func(*prometheus.Workspace) {}))
	statefulSet := d.find(t, "kubernetes:apps/v1:StatefulSet")
	statefulSet.requireInputs(t, map[string]any{
		"spec.template.spec.containers[0].env": []any{map[string]any{
			"name": "POD_NAME", "valueFrom": map[string]any{"fieldRef": map[string]any{"fieldPath": "metadata.name"}},
		}},
	})
	statefulSet.requireDependsOn(t, d.find(t, podIdentityAssociation), d.find(t, rolePolicy))
	d.find(t, podIdentityAssociation).requireInputs(t, map[string]any{"namespace": "app-prometheus", "serviceAccount": "prometheus", "clusterName": "app"})
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"Write","Effect":"Allow","Action":["aps:RemoteWrite"],"Resource":["`+workspaceARN+`"]}]}`,
		d.find(t, rolePolicy).input("policy").(string))
	require.Contains(t, d.find(t, "kubernetes:core/v1:ConfigMap", "app-config").input(`data["prometheus.json"]`), "/api/v1/remote_write")

	egressRules := func(d deployment) []any {
		return d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").input("spec.egress").([]any)
	}
	require.Len(t, egressRules(d), len(egressRules(deploy(t, newPrometheus(func(*prometheus.Args) {}))))+2, "two more rules: AWS on port 443, and the Pod Identity agent")
}

// Without a workspace, Prometheus has no permission at AWS.
func TestPrometheusWithoutWorkspaceHasNoRole(t *testing.T) {
	d := deploy(t, newPrometheus(func(*prometheus.Args) {}))
	require.Empty(t, d.ofType(podIdentityAssociation))
	require.Empty(t, d.ofType(rolePolicy))
	require.NotContains(t, d.find(t, "kubernetes:core/v1:ConfigMap", "app-config").input(`data["prometheus.json"]`), "remote_write")
}

func TestWorkspaceRefusesMissingFields(t *testing.T) {
	for reason, change := range map[string]func(*prometheus.Workspace){
		"no cluster":   func(w *prometheus.Workspace) { w.ClusterName = "" },
		"no account":   func(w *prometheus.Workspace) { w.Account = nil },
		"no workspace": func(w *prometheus.Workspace) { w.Workspace = scrape.Workspace{} },
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := run(newWritingPrometheus(change))
			require.ErrorContains(t, err, "Workspace must have Account, ClusterName, Cluster and ARN")
		})
	}
}
