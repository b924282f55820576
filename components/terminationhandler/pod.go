package terminationhandler

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
)

// podSpec returns the spec of the handler's pods. The pods run on different nodes if possible, so
// that each pod can drain the node of the other.
func (b *builder) podSpec(image pulumi.StringInput) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		ServiceAccountName: pulumi.String(appName),
		PriorityClassName:  pulumi.String("system-cluster-critical"),
		SecurityContext:    podsecurity.Pod(terminationspec.User),
		// The tier of the agents always has nodes.
		NodeSelector: pulumi.StringMap{scaling.NodeLabel: pulumi.String(string(scaling.ApplicationTier))},
		TopologySpreadConstraints: corev1.TopologySpreadConstraintArray{&corev1.TopologySpreadConstraintArgs{
			MaxSkew: pulumi.Int(1), TopologyKey: pulumi.String("kubernetes.io/hostname"), WhenUnsatisfiable: pulumi.String("ScheduleAnyway"),
			LabelSelector: &metav1.LabelSelectorArgs{MatchLabels: labels()},
		}},
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:  pulumi.String(appName),
			Image: image,
			Env:   b.environment(),
			Ports: corev1.ContainerPortArray{&corev1.ContainerPortArgs{
				Name: pulumi.String("probe"), ContainerPort: pulumi.Int(terminationspec.ProbePort), Protocol: pulumi.String("TCP"),
			}},
			LivenessProbe:   newProbe(),
			ReadinessProbe:  newProbe(),
			Resources:       podresources.Requirements(b.drain.Resources),
			SecurityContext: podsecurity.Container(),
		}},
	}
}

// environment returns the handler's environment variables: those of the pod, the settings
// of terminationspec, and the queue.
func (b *builder) environment() corev1.EnvVarArray {
	var env corev1.EnvVarArray
	for _, f := range []struct{ name, path string }{
		{"NODE_NAME", "spec.nodeName"}, {"POD_NAME", "metadata.name"}, {"NAMESPACE", "metadata.namespace"},
	} {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String(f.name), ValueFrom: &corev1.EnvVarSourceArgs{
			FieldRef: &corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String(f.path)},
		}})
	}
	for _, v := range terminationspec.Environment(b.drain, b.args.Account.Region, b.args.Cluster.OwnedTag()) {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String(v.Name), Value: pulumi.String(v.Value)})
	}
	return append(env, &corev1.EnvVarArgs{Name: pulumi.String("QUEUE_URL"), Value: b.args.Queue.URL})
}

// newProbe returns a probe that gets the handler's probe path.
func newProbe() *corev1.ProbeArgs {
	return &corev1.ProbeArgs{HttpGet: &corev1.HTTPGetActionArgs{Path: pulumi.String(terminationspec.ProbePath), Port: pulumi.String("probe")}}
}
