package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
)

const ownContainer = "spec.template.spec.containers.0"

var podObjectExamples = []example{
	{rule: "cronjob-deadline", at: "CronJob migrate-schedule", path: "spec.startingDeadlineSeconds", bad: nil},
	{rule: "network-policy-selects-pods", at: "NetworkPolicy mca-policy", path: "spec.podSelector.matchLabels.app", bad: "another", absent: evaluate.Holds},
	{rule: "pod-disruption-unhealthy", at: "PodDisruptionBudget mca-pdb", path: "spec.unhealthyPodEvictionPolicy", bad: "IfHealthyBudget"},
	{rule: "pod-environment-once", at: deployment, path: ownContainer + ".env.0.name", bad: "METRICS_ADDRESS", absent: evaluate.Holds},
	{rule: "pod-probe-port", at: deployment, path: ownContainer + ".readinessProbe.httpGet.port", bad: 1.0, absent: evaluate.Holds},
	{rule: "pod-service-account-exists", at: deployment, path: "spec.template.spec.serviceAccountName", bad: "another", absent: evaluate.Holds},
	{rule: "scaler-has-target", at: "ScaledObject mca-scaledobject", path: "spec.scaleTargetRef.name", bad: "another", also: []string{"deployment-replicas @ Deployment mca-deployment"}},
	{rule: "scaler-has-target", at: "VerticalPodAutoscaler mca-vpa", path: "spec.targetRef.kind", bad: "StatefulSet", absent: evaluate.Holds},
	{rule: "scaler-two-pods", at: "ScaledObject mca-scaledobject", path: "spec.minReplicaCount", bad: 1.0},
	{rule: "statefulset-has-service", at: "StatefulSet prometheus-statefulset", path: "spec.serviceName", bad: "another"},
	{rule: "workload-selects-its-pods", at: "StatefulSet prometheus-statefulset", path: "spec.selector.matchLabels.app", bad: "another", absent: evaluate.Holds},
}

var callExamples = []example{
	{rule: "iam-calls-allowed", at: "RolePolicy mca-policy", on: "PodIdentityAssociation mca-identity", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":["arn:aws:rds-db:us-east-1:1:dbuser:d/u"]}]}`},
	{rule: "iam-calls-only", at: "RolePolicy mca-policy", on: "PodIdentityAssociation mca-identity", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["rds-db:connect","secretsmanager:GetSecretValue","s3:PutObject"],"Resource":["arn:aws:s3:::b/*"]}]}`, absent: evaluate.Holds},
	{rule: "key-of-store-kept", at: postgresInstance, path: "kmsKeyId", edits: []edit{unprotect("Key postgres-key")}, absent: evaluate.Holds},
	{rule: "postgres-version-supported", at: postgresInstance, path: "engineVersion", bad: "13"},
	{rule: "store-log-groups-managed", at: "LogGroup postgres-upgrade", on: postgresInstance, path: "name", bad: "/aws/rds/instance/another/upgrade"},
	{rule: "waf-log-name", at: "LogGroup waf", on: "WebAclLoggingConfiguration acl-log", path: "name", bad: "waf"},
}

// unprotect removes Pulumi's own protection of a resource.
func unprotect(name string) edit {
	return change(name, func(r *graph.Resource) { r.Protect = false })
}
