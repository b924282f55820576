// Package vpa owns the Vertical Pod Autoscaler, which sets the requests and limits of
// pods to what they use: its kinds, recommender, updater and admission webhook. It runs
// in a namespace of its own and acts in the platform's namespace only. Which pods it
// resizes, and within which bounds, are the objects of package podscaling.
//
// The webhook's certificate is created when its pod starts, and ends with it
// (agents/webhookcert). The program registers the webhook without an authority, a field
// that the pod sets.
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

// Ports of the metrics, upstream's defaults.
const (
	recommenderPort = 8942
	updaterPort     = 8943
	admissionPort   = 8944
)

// Targets allows to scrape the three programs in a namespace.
func Targets(namespace string) []podnetwork.Rule {
	return []podnetwork.Rule{
		podnetwork.To(recommenderPort, podnetwork.AppIn(namespace, recommenderApp)),
		podnetwork.To(updaterPort, podnetwork.AppIn(namespace, updaterApp)),
		podnetwork.To(admissionPort, podnetwork.AppIn(namespace, admissionApp)),
	}
}

// The bounds of the interval: below, metrics-server has no newer values; above, a pod
// that needs memory waits for too long.
const (
	MinInterval = 10 * time.Second
	MaxInterval = time.Hour
)

// Args configure VPA.
type Args struct {
	// Namespace is VPA's own, and Watched the one with the pods that it resizes.
	Namespace, Watched controller.Namespace
	// RecommenderImage, UpdaterImage and AdmissionImage are the references of its
	// images, and CertificateImage the one of CertificateProgram.
	RecommenderImage, UpdaterImage, AdmissionImage, CertificateImage pulumi.StringInput
	// Cluster has the addresses of the API server.
	Cluster podnetwork.Cluster
	// Readers are the pods that scrape its metrics.
	Readers []podnetwork.Peer
	// Interval is how often usage is read, and how often pods are resized: MinInterval
	// to MaxInterval, whole seconds.
	Interval time.Duration
	// RequestShare is the size of the pods' resource requests in percent of the usual ones, and of the smallest
	// memory that it recommends, 1 to 100 %.
	RequestShare scaling.Percent
	// NodeSelector are labels that its nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Created == nil || a.Watched.Created == nil:
		return errors.New("vpa: Namespace and Watched must be set")
	case a.RecommenderImage == nil || a.UpdaterImage == nil || a.AdmissionImage == nil || a.CertificateImage == nil:
		return errors.New("vpa: RecommenderImage, UpdaterImage, AdmissionImage and CertificateImage must be set")
	case a.Cluster.Services == nil:
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

	// Settled are its kinds, Deployments and webhook. A VerticalPodAutoscaler must
	// depend on these, and not on the VPA, as on network.Network.Settled.
	Settled []pulumi.Resource
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
	definitions, err := manifestfile.Read(Module, kinds)
	if err != nil {
		return nil, err
	}
	if v.Settled, err = controller.NewKinds(ctx, name, definitions, parent); err != nil {
		return nil, err
	}
	after := v.Settled
	webhook, err := newWebhook(ctx, name, args, parent)
	if err != nil {
		return nil, err
	}
	v.Settled = append(v.Settled, webhook)
	for _, p := range []struct {
		name  string
		spec  *controller.Args
		grant func(*pulumi.Context, string, *Args, rbac.Account, pulumi.ResourceOption) ([]pulumi.Resource, error)
		after []pulumi.Resource
	}{
		{name + "-recommender", recommender(args), grantRecommender, after},
		{name + "-updater", updater(args), grantUpdater, after},
		// Its pod sets the authority of the webhook before it serves.
		{name + "-admission", admission(args), grantAdmission, append([]pulumi.Resource{webhook}, after...)},
	} {
		granted, err := p.grant(ctx, p.name, args, p.spec.Account(), parent)
		if err != nil {
			return nil, err
		}
		created, err := controller.New(ctx, p.name, p.spec, append(granted, p.after...), parent)
		if err != nil {
			return nil, err
		}
		v.Settled = append(v.Settled, created.Settled)
	}
	return v, ctx.RegisterResourceOutputs(v, pulumi.Map{})
}

// leastMemoryMiB is the smallest recommendation of the recommender, by its own default.
const leastMemoryMiB = 250

// recommender computes the requests from the pods' usage. It stores its histograms in
// objects of the kind VerticalPodAutoscalerCheckpoint.
func recommender(args *Args) *controller.Args {
	return program(args, recommenderApp, args.RecommenderImage, recommenderPort,
		"--recommender-interval="+args.Interval.String(),
		// Smaller requests are recommended where the services' are smaller, too.
		"--pod-recommendation-min-memory-mb="+strconv.Itoa(max(1, leastMemoryMiB*int(args.RequestShare)/100)),
	)
}

// updater resizes pods whose requests are not as recommended. It evicts one only if
// its node has no room for it, and never while the webhook does not answer.
func updater(args *Args) *controller.Args {
	return program(args, updaterApp, args.UpdaterImage, updaterPort, "--updater-interval="+args.Interval.String())
}

// admission sets the requests of new pods.
func admission(args *Args) *controller.Args {
	spec := program(args, admissionApp, args.AdmissionImage, admissionPort,
		"--port="+strconv.Itoa(WebhookPort),
		"--register-webhook=false", // the program registers it
		"--tls-cert-file="+certificates+"/tls.crt", "--tls-private-key="+certificates+"/tls.key",
		"--min-tls-version=tls1_3",
	)
	spec.Ports = append(spec.Ports, controller.Port{Name: "webhook", Number: WebhookPort, Service: 443, From: args.Cluster.APIServer()})
	spec.Volumes, spec.Mounts, spec.Before = certificateFiles(args)
	return spec
}

// program is what the three programs have in common.
func program(args *Args, app string, image pulumi.StringInput, metrics int, flags ...string) *controller.Args {
	probe := corev1.HTTPGetActionArgs{Path: pulumi.String("/health-check"), Port: pulumi.String("metrics"), Scheme: pulumi.String("HTTP")}
	return &controller.Args{
		Namespace: args.Namespace, App: app, Image: image,
		Command: append([]string{"--v=2", "--vpa-object-namespace=" + args.Watched.Name}, flags...),
		// The updater reads in the Lease of this namespace whether the webhook answers.
		Env:          []scaling.EnvVar{{Name: "NAMESPACE", Value: args.Namespace.Name}},
		Ports:        []controller.Port{{Name: "metrics", Number: metrics, From: args.Readers}},
		Egress:       args.Cluster.API(),
		Ready:        probe,
		Alive:        probe,
		Resources:    scaling.VPAResources().WithRequests(args.RequestShare),
		NodeSelector: args.NodeSelector,
	}
}
