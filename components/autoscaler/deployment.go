package autoscaler

import (
	"fmt"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/poddisruption"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/scaling"
)

// userID is the id of the user nobody, as in kubernetes/autoscaler's example.
const userID = 65534

// createDisruptionBudget creates the PodDisruptionBudget of the autoscaler. A drain may evict
// one pod at a time.
func (b *builder) createDisruptionBudget() error {
	_, err := policyv1.NewPodDisruptionBudget(b.ctx, b.name, &policyv1.PodDisruptionBudgetArgs{
		Metadata: objectMeta(),
		Spec:     poddisruption.OneAtATime(labels()),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("disruption budget of %s: %w", b.name, err)
	}
	return nil
}

// createDeployment creates a Deployment with one pod. During a rollout two autoscalers
// run, and only the one that holds the lease acts.
func (b *builder) createDeployment(image pulumi.StringInput, command []string) error {
	policy, err := podnetwork.New(b.ctx, b.name, b.networkPolicy(), b.parent)
	if err != nil {
		return err
	}
	_, err = appsv1.NewDeployment(b.ctx, b.name, &appsv1.DeploymentArgs{
		Metadata: objectMeta(),
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(1),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: labels()},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{
					Labels: labels(),
					// The autoscaler must not remove the node that it runs on.
					Annotations: pulumi.StringMap{"cluster-autoscaler.kubernetes.io/safe-to-evict": pulumi.String("false")},
				},
				Spec: b.podSpec(image, command),
			},
		},
	}, b.parent, pulumi.DependsOn(append(b.dependencies, policy)))
	if err != nil {
		return fmt.Errorf("deployment of %s: %w", b.name, err)
	}
	return nil
}

// networkPolicy returns the arguments of the network policy. The autoscaler may call the
// Kubernetes and AWS APIs, and no pod may call the autoscaler.
func (b *builder) networkPolicy() *podnetwork.Args {
	return &podnetwork.Args{Name: appName, Namespace: pulumi.String(namespace), Selector: labels(), Access: podnetwork.Access{Egress: podnetwork.AWSAndAPIServerEgress()}}
}

// podSpec returns the spec of the autoscaler's pod.
func (b *builder) podSpec(image pulumi.StringInput, command []string) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		ServiceAccountName: pulumi.String(appName),
		PriorityClassName:  pulumi.String("system-cluster-critical"),
		SecurityContext:    podsecurity.Pod(userID),
		// The application tier runs the agents, so it always has nodes.
		NodeSelector: pulumi.StringMap{scaling.NodeLabel: pulumi.String(string(scaling.ApplicationTier))},
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:    pulumi.String(appName),
			Image:   image,
			Command: pulumi.ToStringArray(command),
			// Pods can't read the region from the instance metadata service.
			Env: corev1.EnvVarArray{&corev1.EnvVarArgs{Name: pulumi.String("AWS_REGION"), Value: pulumi.String(b.args.Account.Region)}},
			Ports: corev1.ContainerPortArray{&corev1.ContainerPortArgs{
				Name: pulumi.String("metrics"), ContainerPort: pulumi.Int(manifest.MetricsPort), Protocol: pulumi.String("TCP"),
			}},
			LivenessProbe:   newProbe(),
			ReadinessProbe:  newProbe(),
			Resources:       podresources.Requirements(b.args.Options.Resources),
			SecurityContext: podsecurity.Container(),
		}},
	}
}

// newProbe returns the probe that checks that the autoscaler's main loop runs. The probe also
// succeeds if the pod is not the leader.
func newProbe() *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		HttpGet: &corev1.HTTPGetActionArgs{Path: pulumi.String("/health-check"), Port: pulumi.String("metrics")},
	}
}
