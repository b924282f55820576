package vpa

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/scaling"
)

// WebhookPort is the port of the webhook's pod. It must be among the ports that the control
// plane of EKS may call (package cluster, controlPlanePorts).
const WebhookPort = 9443

const (
	// webhookName is the webhook's name in its configuration.
	webhookName = "vpa.k8s.io"
	// certificateFolder is the folder of the webhook's certificate and key.
	certificateFolder = "/certs"
	// webhookTimeout is the longest time, in seconds, that the creation of a pod waits for
	// the webhook. The webhook needs no other request to respond. With VPA's default, a
	// webhook that does not respond would delay each new pod by 30 s.
	webhookTimeout = 2
)

// configurationName returns the name of the MutatingWebhookConfiguration. It must be unique
// in the cluster.
func configurationName(args *Args) string { return args.Namespace.Name }

// newWebhook creates the configuration of the webhook, for pods of the watched namespace
// only. If the webhook does not respond, Kubernetes creates the pod without a recommendation.
// The updater resizes the pod afterwards.
func newWebhook(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) (pulumi.Resource, error) {
	webhook, err := apiextensions.NewCustomResource(ctx, name+"-webhook", &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("admissionregistration.k8s.io/v1"),
		Kind:       pulumi.String("MutatingWebhookConfiguration"),
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String(configurationName(args))},
		OtherFields: kubernetes.UntypedArgs{"webhooks": pulumi.Array{pulumi.Map{
			"name":                    pulumi.String(webhookName),
			"admissionReviewVersions": pulumi.ToStringArray([]string{"v1"}),
			"clientConfig": pulumi.Map{"service": pulumi.Map{
				"name": pulumi.String(admissionApp), "namespace": args.Namespace.Created, "port": pulumi.Int(443),
			}},
			"rules": pulumi.Array{pulumi.Map{
				"apiGroups": pulumi.ToStringArray([]string{""}), "apiVersions": pulumi.ToStringArray([]string{"v1"}),
				"resources": pulumi.ToStringArray([]string{"pods"}), "operations": pulumi.ToStringArray([]string{"CREATE"}),
				"scope": pulumi.String("Namespaced"),
			}},
			"namespaceSelector": pulumi.Map{"matchLabels": pulumi.StringMap{"kubernetes.io/metadata.name": args.Watched.Created}},
			"failurePolicy":     pulumi.String("Ignore"),
			"sideEffects":       pulumi.String("None"),
			"timeoutSeconds":    pulumi.Int(webhookTimeout),
		}}},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("webhook of %s: %w", name, err)
	}
	return webhook, nil
}

// certificateFiles returns the volume in memory with the webhook's key and certificate, its
// mount, and the init container that writes the files.
func certificateFiles(args *Args) (corev1.VolumeArray, corev1.VolumeMountArray, corev1.ContainerArray) {
	const writable, readOnly = false, true
	mount := func(isReadOnly bool) corev1.VolumeMountArray {
		return corev1.VolumeMountArray{&corev1.VolumeMountArgs{
			Name: pulumi.String("certificates"), MountPath: pulumi.String(certificateFolder), ReadOnly: pulumi.Bool(isReadOnly),
		}}
	}
	resources := scaling.CertificateResources()
	writer := &corev1.ContainerArgs{
		Name:  pulumi.String("certificate"),
		Image: args.CertificateImage,
		Args: pulumi.ToStringArray([]string{
			"-host", admissionApp + "." + args.Namespace.Name + ".svc", "-dir", certificateFolder,
			"-configuration", configurationName(args), "-webhook", webhookName,
		}),
		SecurityContext: podsecurity.Container(),
		VolumeMounts:    mount(writable),
		Resources:       podresources.Requirements(resources),
	}
	volume := &corev1.VolumeArgs{Name: pulumi.String("certificates"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{
		Medium: pulumi.String("Memory"), SizeLimit: pulumi.String("1Mi"),
	}}
	return corev1.VolumeArray{volume}, mount(readOnly), corev1.ContainerArray{writer}
}
