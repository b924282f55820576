package terminationspec

import (
	"strconv"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// Image is the handler's image. The tag is of the last release that a public program uses
// (openshift/hypershift, 2026). No public source of its digest was found.
const Image = "public.ecr.aws/aws-ec2/aws-node-termination-handler:v1.25.3"

// User is the user of the image, as in upstream's chart.
const User = 1000

// ProbePort is the port of /healthz.
const ProbePort = 8080

// ProbePath is the path of the liveness probe.
const ProbePath = "/healthz"

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// Environment returns the handler's settings for one cluster, without the address of its
// queue, in the order of upstream's chart
// (config/helm/aws-node-termination-handler/templates/deployment.yaml).
func Environment(d scaling.Drain, region, managedTag string) []Variable {
	seconds := func(t time.Duration) string { return strconv.Itoa(int(t.Seconds())) }
	return []Variable{
		{"ENABLE_PROBES_SERVER", "true"},
		{"PROBES_SERVER_PORT", strconv.Itoa(ProbePort)},
		{"PROBES_SERVER_ENDPOINT", ProbePath},
		{"JSON_LOGGING", "true"},
		// EC2's events are those of the whole account. The handler acts on instances with
		// the tag of this cluster.
		{"CHECK_TAG_BEFORE_DRAINING", "true"},
		{"MANAGED_TAG", managedTag},
		{"DELETE_LOCAL_DATA", "true"}, // services keep caches in emptyDir volumes
		{"IGNORE_DAEMON_SETS", "true"},
		{"POD_TERMINATION_GRACE_PERIOD", "-1"}, // the pod's own
		{"NODE_TERMINATION_GRACE_PERIOD", seconds(d.Limit)},
		{"ENABLE_SQS_TERMINATION_DRAINING", "true"},
		{"AWS_REGION", region},
		// A node that has left the cluster needs no drain. Else its event comes again until
		// the queue drops it.
		{"DELETE_SQS_MSG_IF_NODE_NOT_FOUND", "true"},
		{"WORKERS", strconv.Itoa(d.Workers)},
	}
}

// Rule is a rule of a Kubernetes ClusterRole.
type Rule struct{ Groups, Resources, Verbs []string }

// ClusterRules returns the handler's permissions in the cluster, as in upstream's chart
// (templates/clusterrole.yaml) without the API group extensions, which is gone.
func ClusterRules() []Rule {
	return []Rule{
		{Groups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get", "list", "patch", "update"}}, // it cordons and taints
		{Groups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list"}},
		{Groups: []string{""}, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}}, // disruption budgets apply
		{Groups: []string{"apps"}, Resources: []string{"daemonsets"}, Verbs: []string{"get"}},
	}
}

// The actions below are the policy of upstream's README, "Create an IAM Role for the Pods",
// by the resources that AWS can limit them to.

// ReadActions returns the actions that AWS can't limit to some resources.
func ReadActions() []string {
	return []string{"autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeTags", "ec2:DescribeInstances"}
}

// GroupActions returns the actions on the Auto Scaling Groups.
func GroupActions() []string { return []string{"autoscaling:CompleteLifecycleAction"} }

// QueueActions returns the actions on the queue.
func QueueActions() []string { return []string{"sqs:DeleteMessage", "sqs:ReceiveMessage"} }
