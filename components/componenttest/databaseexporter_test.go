package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/databaseexporter"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus"
)

func newDatabaseExporter(change func(*databaseexporter.Args)) program {
	return newProgram(databaseexporter.NewExporter, func(stackAccount *account.Account) *databaseexporter.Args {
		args := &databaseexporter.Args{
			Account: stackAccount, ClusterName: pulumi.String("app"), Namespace: existingNamespace("app"), Image: pulumi.String("pgexporter" + digest),
			Settings:     pulumi.StringMap{"DATABASE_URL": pulumi.String("postgres://exporter_a@postgres/d?sslmode=disable")},
			Files:        []databaseexporter.Files{{Name: "postgres", MountPath: "/etc/platform/postgres", SecretName: pulumi.String("postgres-exporter-0")}},
			Reader:       podnetwork.AppIn("app-prometheus", prometheus.App),
			RequestShare: 50,
		}
		change(args)
		return args
	})
}

// The exporter has no service account token, and only Prometheus can connect to its metrics port.
func TestOnlyPrometheusReachesTheDatabaseExporter(t *testing.T) {
	d := deploy(t, newDatabaseExporter(func(*databaseexporter.Args) {}))
	pod := d.find(t, k8sDeployment)
	requireRestricted(t, pod, "spec.template.spec", 65532)
	pod.requireInputs(t, map[string]any{
		"metadata.name": "postgres-exporter", "spec.template.spec.automountServiceAccountToken": false,
		"spec.template.spec.containers[0].env[0].name":               "DATABASE_URL",
		"spec.template.spec.containers[0].ports[1].name":             "metrics",
		"spec.template.spec.volumes[0].secret.secretName":            "postgres-exporter-0",
		"spec.template.spec.containers[0].volumeMounts[0].mountPath": "/etc/platform/postgres",
	})
	d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").requireInputs(t, map[string]any{
		"spec.ingress[0].from[0].podSelector.matchLabels.app": "prometheus", "spec.ingress[0].ports[0].port": 9090,
	})
	require.Empty(t, d.ofType(podIdentityAssociation), "an exporter with a password needs no role")
}

// With IAM authentication, the pod starts after its permission to log in exists.
func TestDatabaseExporterLogsInWithItsRole(t *testing.T) {
	d := deploy(t, newDatabaseExporter(func(a *databaseexporter.Args) {
		a.Statements = []iam.Statement{{Sid: "Connect", Actions: []string{"rds-db:connect"}, Resources: iam.ARNs(pulumi.String("arn:aws:rds-db:us-east-1:123456789012:dbuser:db-1/exporter_iam"))}}
	}))
	d.find(t, podIdentityAssociation).requireInputs(t, map[string]any{"serviceAccount": "postgres-exporter", "namespace": "app", "clusterName": "app"})
	d.find(t, k8sDeployment).requireDependsOn(t, d.find(t, podIdentityAssociation), d.find(t, rolePolicy))
	require.Contains(t, d.find(t, rolePolicy).input("policy"), "dbuser:db-1/exporter_iam")
}
