// Package vpa owns the Vertical Pod Autoscaler, which adapts the requests and limits of pods
// to their usage: its CustomResourceDefinitions, recommender, updater and admission webhook.
// VPA runs in its own namespace and acts only in the platform's namespace. Package podscaling
// creates the VerticalPodAutoscalers, which select the pods and set the bounds.
//
// An init container creates the webhook's certificate when the pod starts
// (agents/webhookcert). It also writes the certificate authority into the webhook's
// configuration. The Pulumi program never sets that field.
package vpa

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/manifestfile"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/rbac"
	"github.com/progressive-framework/platform/components/scaling"
)

// Names of the Deployments, and values of the label app.
const (
	recommenderApp = "vpa-recommender"
	updaterApp     = "vpa-updater"
	admissionApp   = "vpa-admission-controller"
)

// Ports of the metrics: VPA's defaults.
const (
	recommenderPort = 8942
	updaterPort     = 8943
	admissionPort   = 8944
)

// ScrapeEgress returns the egress rules of a pod that scrapes VPA's three Deployments in a namespace.
func ScrapeEgress(namespace string) []podnetwork.Rule {
	return []podnetwork.Rule{
		podnetwork.TCPRule(recommenderPort, podnetwork.AppIn(namespace, recommenderApp)),
		podnetwork.TCPRule(updaterPort, podnetwork.AppIn(namespace, updaterApp)),
		podnetwork.TCPRule(admissionPort, podnetwork.AppIn(namespace, admissionApp)),
	}
}

// The bounds of Args.Interval. With a shorter interval, metrics-server has no newer values.
// With a longer interval, a pod that needs more memory waits for too long.
const (
	MinInterval = 10 * time.Second
	MaxInterval = time.Hour
)

// Args configure VPA.
type Args struct {
	// Namespace is VPA's namespace. Watched is the namespace of the pods that VPA resizes.
	Namespace, Watched controller.Namespace
	// RecommenderImage, UpdaterImage and AdmissionImage are the references of VPA's
	// images. CertificateImage is the reference of the image of CertificateProgram.
	RecommenderImage, UpdaterImage, AdmissionImage, CertificateImage pulumi.StringInput
	// Cluster has the addresses of the API server.
	Cluster podnetwork.ClusterAddresses
	// Readers are the pods that scrape VPA's metrics.
	Readers []podnetwork.Peer
	// Interval is the interval at which the recommender reads the usage, and at which the
	// updater resizes pods: MinInterval to MaxInterval, whole seconds.
	Interval time.Duration
	// RequestShare is the percentage of scaling.VPAResources that the pods request, 1 to
	// 100. The smallest recommendation for memory shrinks by the same percentage.
	RequestShare scaling.Percent
	// NodeSelector are labels that the pods' nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Created == nil || a.Watched.Created == nil:
		return errors.New("vpa: Namespace and Watched must be set")
	case a.RecommenderImage == nil || a.UpdaterImage == nil || a.AdmissionImage == nil || a.CertificateImage == nil:
		return errors.New("vpa: RecommenderImage, UpdaterImage, AdmissionImage and CertificateImage must be set")
	case a.Cluster.ServiceCIDR == nil:
		return errors.New("vpa: Cluster must be set")
	case a.Namespace.Name == a.Watched.Name:
		return fmt.Errorf("vpa: Namespace is %s, must not be Watched: a webhook must not need itself to start", a.Namespace.Name)
	case a.Interval < MinInterval || a.Interval > MaxInterval || a.Interval%time.Second != 0:
		return fmt.Errorf("vpa: Interval is %s, must be whole seconds from %s to %s", a.Interval, MinInterval, MaxInterval)
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("vpa: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// VPA is a running Vertical Pod Autoscaler.
type VPA struct {
	pulumi.ResourceState

	// Ready are VPA's CustomResourceDefinitions, Deployments and webhook. A
	// VerticalPodAutoscaler must depend on Ready, and not on the VPA (see
	// network.Network.Ready).
	Ready []pulumi.Resource
}

// NewVPA creates VPA.
func NewVPA(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*VPA, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	v := &VPA{}
	if err := ctx.RegisterComponentResource("progressive:vpa:VPA", name, v, opts...); err != nil {
		return nil, fmt.Errorf("vpa %s: %w", name, err)
	}
	parent := pulumi.Parent(v)
	definitions, err := manifestfile.Read(Module, kindsFile)
	if err != nil {
		return nil, err
	}
	if v.Ready, err = controller.NewCustomResourceDefinitions(ctx, name, definitions, parent); err != nil {
		return nil, err
	}
	definedKinds := v.Ready
	webhook, err := newWebhook(ctx, name, args, parent)
	if err != nil {
		return nil, err
	}
	v.Ready = append(v.Ready, webhook)
	for _, program := range []struct {
		name         string
		spec         *controller.Args
		grant        func(*pulumi.Context, string, *Args, rbac.Account, pulumi.ResourceOption) ([]pulumi.Resource, error)
		dependencies []pulumi.Resource
	}{
		{name + "-recommender", recommenderArgs(args), grantRecommender, definedKinds},
		{name + "-updater", updaterArgs(args), grantUpdater, definedKinds},
		// The pod of the webhook writes into the webhook's configuration when it starts.
		{name + "-admission", admissionArgs(args), grantAdmission, append([]pulumi.Resource{webhook}, definedKinds...)},
	} {
		granted, err := program.grant(ctx, program.name, args, program.spec.Account(), parent)
		if err != nil {
			return nil, err
		}
		deployed, err := controller.New(ctx, program.name, program.spec, append(granted, program.dependencies...), parent)
		if err != nil {
			return nil, err
		}
		v.Ready = append(v.Ready, deployed.Ready)
	}
	return v, ctx.RegisterResourceOutputs(v, pulumi.Map{})
}

// minMemoryMiB is the recommender's default for the smallest recommendation of memory.
const minMemoryMiB = 250

// recommenderArgs returns the args of the recommender, which computes recommendations from the
// usage of pods. The recommender stores its histograms in VerticalPodAutoscalerCheckpoints.
func recommenderArgs(args *Args) *controller.Args {
	return commonArgs(args, recommenderApp, args.RecommenderImage, recommenderPort,
		"--recommender-interval="+args.Interval.String(),
		// If RequestShare reduces the requests of the services, the smallest recommendation is
		// reduced by the same share.
		"--pod-recommendation-min-memory-mb="+strconv.Itoa(max(1, minMemoryMiB*int(args.RequestShare)/100)),
	)
}

// updaterArgs returns the args of the updater. The updater resizes pods with requests that differ
// from the recommendation. The updater evicts a pod only if the pod's node has too few free
// resources, and never while the webhook does not respond.
func updaterArgs(args *Args) *controller.Args {
	return commonArgs(args, updaterApp, args.UpdaterImage, updaterPort, "--updater-interval="+args.Interval.String())
}

// admissionArgs returns the args of the webhook, which sets the requests of new pods.
func admissionArgs(args *Args) *controller.Args {
	spec := commonArgs(args, admissionApp, args.AdmissionImage, admissionPort,
		"--port="+strconv.Itoa(WebhookPort),
		"--register-webhook=false", // the Pulumi program registers the webhook
		"--tls-cert-file="+certificateFolder+"/tls.crt", "--tls-private-key="+certificateFolder+"/tls.key",
		"--min-tls-version=tls1_3",
	)
	spec.Ports = append(spec.Ports, controller.Port{Name: "webhook", Number: WebhookPort, Service: 443, From: args.Cluster.APIServerPeers()})
	spec.Volumes, spec.Mounts, spec.InitContainers = certificateFiles(args)
	return spec
}

// commonArgs returns the args that the recommender, the updater and the webhook have in common.
// metricsPort is the port of the metrics, and flags are further flags.
func commonArgs(args *Args, app string, image pulumi.StringInput, metricsPort int, flags ...string) *controller.Args {
	probe := corev1.HTTPGetActionArgs{Path: pulumi.String("/health-check"), Port: pulumi.String("metrics"), Scheme: pulumi.String("HTTP")}
	return &controller.Args{
		Namespace: args.Namespace, App: app, Image: image,
		ContainerArgs: append([]string{"--v=2", "--vpa-object-namespace=" + args.Watched.Name}, flags...),
		// NAMESPACE is the namespace of the webhook's Lease. The updater reads the Lease
		// to find out whether the webhook works.
		Env:          []scaling.EnvVar{{Name: "NAMESPACE", Value: args.Namespace.Name}},
		Ports:        []controller.Port{{Name: "metrics", Number: metricsPort, From: args.Readers}},
		Egress:       args.Cluster.APIServerEgress(),
		Ready:        probe,
		Alive:        probe,
		Resources:    scaling.VPAResources().WithRequests(args.RequestShare),
		NodeSelector: args.NodeSelector,
	}
}
