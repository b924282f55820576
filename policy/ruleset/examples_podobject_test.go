package ruleset_test

import (
	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/containerlogs/fluentbit"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
)

// ownContainer is the path of a Deployment's first container.
const ownContainer = "spec.template.spec.containers.0"

var podObjectExamples = []example{
	{rule: "cronjob-deadline", resource: "CronJob migrate-schedule", path: "spec.startingDeadlineSeconds", bad: nil},
	{rule: "network-policy-selects-pods", resource: "NetworkPolicy mca-policy", path: "spec.podSelector.matchLabels.app", bad: "another", ifAbsent: evaluate.Holds},
	{rule: "pod-disruption-unhealthy", resource: "PodDisruptionBudget mca-pdb", path: "spec.unhealthyPodEvictionPolicy", bad: "IfHealthyBudget"},
	{rule: "pod-environment-once", resource: deployment, path: ownContainer + ".env.0.name", bad: "METRICS_ADDRESS", ifAbsent: evaluate.Holds},
	{rule: "pod-probe-port", resource: deployment, path: ownContainer + ".readinessProbe.httpGet.port", bad: 1.0, ifAbsent: evaluate.Holds},
	{rule: "pod-service-account-exists", resource: deployment, path: "spec.template.spec.serviceAccountName", bad: "another", ifAbsent: evaluate.Holds},
	{rule: "scaler-has-target", resource: "ScaledObject mca-scaledobject", path: "spec.scaleTargetRef.name", bad: "another", alsoBroken: []string{"deployment-replicas @ Deployment mca-deployment"}},
	{rule: "scaler-has-target", resource: "VerticalPodAutoscaler mca-vpa", path: "spec.targetRef.kind", bad: "StatefulSet", ifAbsent: evaluate.Holds},
	{rule: "scaler-two-pods", resource: "ScaledObject mca-scaledobject", path: "spec.minReplicaCount", bad: 1.0},
	{rule: "statefulset-has-service", resource: "StatefulSet prometheus-statefulset", path: "spec.serviceName", bad: "another"},
	{rule: "workload-selects-its-pods", resource: "StatefulSet prometheus-statefulset", path: "spec.selector.matchLabels.app", bad: "another", ifAbsent: evaluate.Holds},
}

var callExamples = []example{
	{rule: "iam-calls-allowed", resource: "RolePolicy mca-policy", subject: "PodIdentityAssociation mca-identity", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":["arn:aws:rds-db:us-east-1:1:dbuser:d/u"]}]}`},
	{rule: "iam-calls-allowed", resource: "RolePolicy termination-policy", subject: "PodIdentityAssociation termination", path: "policy", bad: allowPolicy(terminationspec.ReadActions())},
	{rule: "iam-calls-allowed", resource: "RolePolicy policy", subject: "PodIdentityAssociation prod", path: "policy", bad: allowPolicy(manifest.ReadActions())},
	{rule: "iam-calls-allowed", resource: "RolePolicy logs-policy", subject: "PodIdentityAssociation logs", path: "policy", bad: allowPolicy(fluentbit.WriteActions()[:1])},
	{rule: "iam-calls-allowed", resource: "RolePolicy ebs-csi-policy", subject: "Addon aws-ebs-csi-driver", path: "policy", bad: goodPolicy},
	{rule: "iam-calls-allowed", resource: "RolePolicyAttachment ebs-csi-amazonebscsidriverpolicyv2", subject: "Addon aws-ebs-csi-driver", path: "policyArn", bad: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	{rule: "iam-calls-only", resource: "RolePolicy mca-policy", subject: "PodIdentityAssociation mca-identity", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["rds-db:connect","secretsmanager:GetSecretValue","s3:PutObject"],"Resource":["arn:aws:s3:::b/*"]}]}`, ifAbsent: evaluate.Holds},
	{rule: "key-of-store-kept", resource: postgresInstance, path: "kmsKeyId", edits: []edit{unprotect("Key postgres-key")}, ifAbsent: evaluate.Holds},
	{rule: "postgres-version-supported", resource: postgresInstance, path: "engineVersion", bad: "13"},
	{rule: "store-log-groups-managed", resource: "LogGroup postgres-upgrade", subject: postgresInstance, path: "name", bad: "/aws/rds/instance/another/upgrade"},
	{rule: "waf-log-name", resource: "LogGroup waf", subject: "WebAclLoggingConfiguration acl-log", path: "name", bad: "waf"},
}

// unprotect returns an edit that removes Pulumi's own protection of a resource.
func unprotect(name string) edit {
	return change(name, func(r *graph.Resource) { r.Protect = false })
}
