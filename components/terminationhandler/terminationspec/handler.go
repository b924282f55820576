package terminationspec

import (
	"strconv"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// Image is the handler's image. The tag is the newest that was found in public code
// (openshift/hypershift, 2026). Its digest was not found in a public source.
const Image = "public.ecr.aws/aws-ec2/aws-node-termination-handler:v1.25.3"

// User is the id of the user in the image, as in the chart of aws/aws-node-termination-handler.
const User = 1000

// ProbePort is the port of /healthz.
const ProbePort = 8080

// ProbePath is the path of the liveness probe.
const ProbePath = "/healthz"

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// Environment returns the handler's settings for one cluster, except the queue's URL. The
// variables have the order of the chart (aws/aws-node-termination-handler,
// config/helm/aws-node-termination-handler/templates/deployment.yaml).
func Environment(d scaling.DrainOptions, region, managedTag string) []Variable {
	formatSeconds := func(t time.Duration) string { return strconv.Itoa(int(t.Seconds())) }
	return []Variable{
		{"ENABLE_PROBES_SERVER", "true"},
		{"PROBES_SERVER_PORT", strconv.Itoa(ProbePort)},
		{"PROBES_SERVER_ENDPOINT", ProbePath},
		{"JSON_LOGGING", "true"},
		// EC2 sends events of all instances of the account. The handler drains only
		// instances with the tag of this cluster.
		{"CHECK_TAG_BEFORE_DRAINING", "true"},
		{"MANAGED_TAG", managedTag},
		{"DELETE_LOCAL_DATA", "true"}, // services keep caches in emptyDir volumes
		{"IGNORE_DAEMON_SETS", "true"},
		{"POD_TERMINATION_GRACE_PERIOD", "-1"}, // -1 means each pod's own grace period
		{"NODE_TERMINATION_GRACE_PERIOD", formatSeconds(d.DrainTimeout)},
		{"ENABLE_SQS_TERMINATION_DRAINING", "true"},
		{"AWS_REGION", region},
		// A node that has left the cluster needs no drain. Without this setting the
		// node's event would stay in the queue until the event expires.
		{"DELETE_SQS_MSG_IF_NODE_NOT_FOUND", "true"},
		{"WORKERS", strconv.Itoa(d.Workers)},
	}
}

// Rule is a rule of a Kubernetes ClusterRole.
type Rule struct{ Groups, Resources, Verbs []string }

// ClusterRules returns the handler's permissions in the cluster. They are the
// permissions in the same chart (templates/clusterrole.yaml), without the API group "extensions",
// which no longer exists.
func ClusterRules() []Rule {
	return []Rule{
		{Groups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get", "list", "patch", "update"}}, // the handler cordons and taints nodes
		{Groups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list"}},
		{Groups: []string{""}, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}}, // an eviction respects disruption budgets
		{Groups: []string{"apps"}, Resources: []string{"daemonsets"}, Verbs: []string{"get"}},
	}
}

// The actions below are from the README of aws/aws-node-termination-handler, "Create an IAM Role for
// the Pods". Each function returns the actions for one kind of resource.

// ReadActions returns the actions that AWS can't limit to some resources.
func ReadActions() []string {
	return []string{"autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeTags", "ec2:DescribeInstances"}
}

// GroupActions returns the actions on the Auto Scaling Groups.
func GroupActions() []string { return []string{"autoscaling:CompleteLifecycleAction"} }

// QueueActions returns the actions on the queue.
func QueueActions() []string { return []string{"sqs:DeleteMessage", "sqs:ReceiveMessage"} }
