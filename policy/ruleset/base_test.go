package ruleset_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/containerlogs/fluentbit"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/value"
)

const (
	imageByDigest    = "registry.example/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	goodPolicy       = `{"Statement":[{"Effect":"Allow","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::b/*"]}]}`
	goodTrust        = `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"pods.eks.amazonaws.com"}}]}`
	goodBucket       = `{"Statement":[{"Effect":"Deny","Action":"s3:*","Principal":"*","Resource":["*"],"Condition":{"Bool":{"aws:SecureTransport":["false"]}}}]}`
	deployment       = "Deployment mca-deployment"
	postgresInstance = "Instance postgres-instance"
	mongoCluster     = "Cluster mongo-cluster"
	redisGroup       = "ReplicationGroup redis-cluster"
	cdnDistribution  = "Distribution distribution"
	loadBalancer     = "LoadBalancer alb"
	eksCluster       = "Cluster cluster"
)

// compliantPolicy returns the IAM policy that compliantProd has for a RolePolicy. The policy of a pod's
// role allows the actions that the pod calls.
func compliantPolicy(name string) string {
	switch name {
	case "RolePolicy termination-policy":
		return allowPolicy(slices.Concat(terminationspec.ReadActions(), terminationspec.GroupActions(), terminationspec.QueueActions()))
	case "RolePolicy logs-policy":
		return allowPolicy(fluentbit.WriteActions())
	case "RolePolicy policy":
		return allowPolicy(slices.Concat(manifest.ReadActions(), manifest.ScaleActions()))
	case "RolePolicy ebs-csi-policy":
		return allowPolicy([]string{"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"})
	case "RolePolicy mca-policy", "RolePolicy npa-policy", "RolePolicy wpa-policy", "RolePolicy web-policy", "RolePolicy migrate-policy", "RolePolicy postgres-exporter-policy":
		return `{"Statement":[{"Effect":"Allow","Action":["rds-db:connect","secretsmanager:GetSecretValue"],"Resource":["arn:aws:rds-db:us-east-1:1:dbuser:d/u"]}]}`
	}
	return goodPolicy
}

// allowPolicy returns an IAM policy that allows actions.
func allowPolicy(actions []string) string {
	return `{"Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":["arn:aws:s3:::b/*"]}]}`
}

// compliantProd returns the recorded prod, edited so that every rule holds. The edits set the values
// that only AWS has, and fix the violations that prod waives. For each rule that would check no
// resource, they add a resource.
func compliantProd(t testing.TB) *environment {
	t.Helper()
	if environments["compliant prod"] == nil {
		environments["compliant prod"] = newCompliantProd(t)
	}
	return &environment{resources: slices.Clone(environments["compliant prod"].resources)}
}

// newCompliantProd builds the environment that compliantProd returns.
func newCompliantProd(t testing.TB) *environment {
	t.Helper()
	env := readRecording(t, "prod")

	for i, r := range slices.Clone(env.resources) {
		switch r.Type {
		case awsview.IamRolePolicy{}.Token():
			env.resources[i] = withInput(r, "policy", compliantPolicy(shortName(r)))
		case awsview.IamRole{}.Token():
			env.resources[i] = withInput(r, "assumeRolePolicy", goodTrust)
		case awsview.S3BucketPolicy{}.Token():
			env.resources[i] = withInput(r, "policy", goodBucket)
		case awsview.S3BucketOwnershipControls{}.Token():
			env.resources[i] = withInput(r, "rule.objectOwnership", "BucketOwnerEnforced")
		case k8sview.Deployment{}.Token(), k8sview.Job{}.Token(), k8sview.StatefulSet{}.Token(), k8sview.DaemonSet{}.Token():
			for _, list := range []string{"spec.template.spec.containers", "spec.template.spec.initContainers"} {
				if containers, _ := r.View().At(list).Raw().([]any); len(containers) > 0 {
					r = withInput(r, list+".0.image", imageByDigest)
				}
			}
			env.resources[i] = r
		case k8sview.CronJob{}.Token():
			env.resources[i] = withInput(r, "spec.jobTemplate.spec.template.spec.containers.0.image", imageByDigest)
		case awsview.CloudwatchLogGroup{}.Token():
			env.resources[i] = withInput(r, "retentionInDays", 400.0)
		case awsview.Ec2VpcEndpoint{}.Token():
			env.resources[i] = withInput(r, "policy", goodPolicy)
		case awsview.AutoscalingGroup{}.Token():
			env.resources[i] = withInput(r, "healthCheckType", "ELB")
		case awsview.CloudwatchMetricAlarm{}.Token():
			env.resources[i] = withInput(r, "alarmActions", []any{"arn:aws:sns:us-east-1:1:alarms"})
		}
	}
	edits := []edit{
		set("aws aws", "allowedAccountIds", []any{"111111111111"}),
		set(cdnDistribution, "originGroups", []any{map[string]any{"originId": "both"}}),
		set(eksCluster, "accessConfig.bootstrapClusterCreatorAdminPermissions", false),
		set("SecurityGroupEgressRule node-out", "ipProtocol", "tcp"),
		set("Deployment prod", "spec.replicas", 2.0),
		set("Role keda-operator", "rules", []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": []any{"get"}}}),
		set("Deployment prod", "spec.template.spec.topologySpreadConstraints", []any{map[string]any{"maxSkew": 1.0}}),
		set("Deployment prod", "spec.template.spec.terminationGracePeriodSeconds", 60.0),
		set("Deployment termination", "spec.template.spec.terminationGracePeriodSeconds", 60.0),
		set("NetworkAcl private-data-acl", "ingress", []any{map[string]any{
			"action": "allow", "protocol": "tcp", "cidrBlock": "10.0.0.0/8", "fromPort": 0.0, "toPort": 65535.0,
		}}),
		add(k8sview.ConfigMap{}.Token(), "settings", map[string]any{"metadata": map[string]any{"name": "settings", "namespace": "n"}, "data": map[string]any{"LOG_LEVEL": "info"}}, nil),
		add(k8sview.Secret{}.Token(), "login", map[string]any{"metadata": map[string]any{"name": "login", "namespace": "n"}, "stringData": map[string]any{"password": value.Secret{Value: "p"}}}, nil),
		// The autoscalers have the name of a Deployment, and another kind.
		add(k8sview.HorizontalPodAutoscaler{}.Token(), "scaler", map[string]any{"metadata": map[string]any{"namespace": "kube-system"}, "spec": map[string]any{
			"scaleTargetRef": map[string]any{"kind": "Rollout", "name": "cluster-autoscaler"}, "minReplicas": 2.0, "maxReplicas": 9.0,
			"metrics": []any{map[string]any{"type": "Resource", "resource": map[string]any{"name": "cpu"}}},
		}}, nil),
		add("kubernetes:keda.sh/v1alpha1:ScaledObject", "keda-scaler", map[string]any{"metadata": map[string]any{"namespace": "kube-system"}, "spec": map[string]any{
			"scaleTargetRef": map[string]any{"kind": "Rollout", "name": "cluster-autoscaler"}, "minReplicaCount": 2.0, "maxReplicaCount": 9.0,
			"triggers": []any{map[string]any{"type": "cpu"}},
		}}, nil),
		add("kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler", "resizer", map[string]any{"metadata": map[string]any{"namespace": "kube-system"}, "spec": map[string]any{
			"targetRef": map[string]any{"kind": "Rollout", "name": "cluster-autoscaler"}, "updatePolicy": map[string]any{"updateMode": "InPlaceOrRecreate"},
			"resourcePolicy": map[string]any{"containerPolicies": []any{map[string]any{"containerName": "*", "mode": "Auto", "controlledResources": []any{"memory"}}}},
		}}, nil),
		add("kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler", "recommends", map[string]any{"metadata": map[string]any{"namespace": "kube-system"}, "spec": map[string]any{
			"targetRef": map[string]any{"kind": "Rollout", "name": "cluster-autoscaler"}, "updatePolicy": map[string]any{"updateMode": "Off"},
		}}, nil),
		set("Deployment postgres-exporter", "spec.replicas", 2.0),
		set("Deployment postgres-exporter", "spec.template.spec.topologySpreadConstraints", []any{map[string]any{"maxSkew": 1.0}}),
		add(k8sview.PodDisruptionBudget{}.Token(), "postgres-exporter", map[string]any{
			"metadata": map[string]any{"name": "postgres-exporter", "namespace": "progressive-framework-prod"},
			"spec":     map[string]any{"maxUnavailable": 1.0, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": map[string]any{"matchLabels": map[string]any{"app": "postgres-exporter"}}},
		}, nil),
		set("Deployment prod", "spec.template.spec.containers.0.image", imageByDigest),
		set("DaemonSet logs", "spec.template.spec.volumes.2.hostPath", nil),
	}
	thirdParty := []string{"Deployment prod", "Deployment termination", "StatefulSet prometheus-statefulset", "DaemonSet logs"}
	namespaces := map[string]string{"keda": "keda", "vpa": "vpa", "state": "prometheus"}
	for _, r := range env.resources { // Deployments of third-party programs, in namespaces of their own
		name, isDeployment := strings.CutPrefix(shortName(r), "Deployment ")
		component, _, _ := strings.Cut(name, "-")
		namespace, isThirdParty := namespaces[component]
		if !isDeployment || !isThirdParty {
			continue
		}
		thirdParty = append(thirdParty, shortName(r))
		deploymentName := r.View().At("metadata.name").Raw()
		edits = append(edits,
			set(shortName(r), "spec.replicas", 2.0),
			set(shortName(r), "spec.template.spec.topologySpreadConstraints", []any{map[string]any{"maxSkew": 1.0}}),
			add(k8sview.PodDisruptionBudget{}.Token(), name, map[string]any{
				"metadata": map[string]any{"name": deploymentName, "namespace": "progressive-framework-prod-" + namespace},
				"spec":     map[string]any{"maxUnavailable": 1.0, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": map[string]any{"matchLabels": map[string]any{"app": deploymentName}}},
			}, nil))
	}
	for _, name := range thirdParty {
		edits = append(edits, set(name, "spec.template.spec.automountServiceAccountToken", false), change(name, func(r *graph.Resource) {
			r.References["spec"] = append(append([]string{}, r.References["spec"]...), "urn:pulumi:prod::progressive-framework::ko:index:Image::progressive-framework-prod-web")
		}))
	}
	for _, e := range append(edgeEdits(env), edits...) {
		e(t, env)
	}
	for _, r := range env.resources { // the examples need an image that the stack builds or promotes
		if strings.HasPrefix(r.Type, "ko:") {
			return env
		}
	}
	t.Fatal("the recording has no image")
	return nil
}

// withInput returns a copy of a resource with newValue at the dotted path of its inputs.
func withInput(r *graph.Resource, path string, newValue any) *graph.Resource {
	changed := *r
	changed.Inputs = value.New(replaceValue(r.Inputs.Raw(), strings.Split(path, "."), newValue))
	return &changed
}
