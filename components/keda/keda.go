// Package keda owns KEDA, which scales pods by external metrics: its
// CustomResourceDefinitions, operator and metrics adapter. KEDA runs in its own
// namespace, where it keeps the Secret of its certificates. It watches only the
// platform's namespace. It reads no Secret there, because the ScaledObjects need no
// credentials.
//
// The operator renews its certificates itself, and writes their certificate authority into
// the APIService. The Pulumi program never sets that field.
package keda

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/scaling"
)

// Names of KEDA's objects. The operator and the adapter expect these names.
const (
	operatorApp       = "keda-operator"
	adapterApp        = "keda-metrics-apiserver"
	certificateSecret = "kedaorg-certs"
	apiServiceName    = "v1beta1.external.metrics.k8s.io"
)

// OperatorApp is the value of the label app of the operator's pod. The operator sends the
// queries of the ScaledObjects.
const OperatorApp = operatorApp

// KEDA's default ports. On metricsPort the operator and the adapter publish metrics for
// Prometheus. On operatorPort the adapter gets the external metrics from the operator.
const (
	metricsPort  = 8080
	operatorPort = 9666
)

// ScrapeEgress returns the egress rule of a pod that scrapes KEDA's operator and adapter in a
// namespace.
func ScrapeEgress(namespace string) podnetwork.Rule {
	return podnetwork.TCPRule(metricsPort, podnetwork.AppIn(namespace, operatorApp), podnetwork.AppIn(namespace, adapterApp))
}

// Args configure KEDA.
type Args struct {
	// Namespace is KEDA's namespace. Watched is the namespace of the Deployments that
	// KEDA scales.
	Namespace, Watched controller.Namespace
	// OperatorImage and AdapterImage are the references of KEDA's images.
	OperatorImage, AdapterImage pulumi.StringInput
	// Cluster has the addresses of the API server. Triggers are the egress rules to the
	// servers that the triggers of ScaledObjects query.
	Cluster  podnetwork.ClusterAddresses
	Triggers []podnetwork.Rule
	// Readers are the pods that scrape KEDA's metrics.
	Readers []podnetwork.Peer
	// RequestShare is the percentage of scaling.KEDAResources that the pods request, 1 to
	// 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that the pods' nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Created == nil || a.Watched.Created == nil || a.OperatorImage == nil || a.AdapterImage == nil || a.Cluster.ServiceCIDR == nil:
		return errors.New("keda: Namespace, Watched, OperatorImage, AdapterImage and Cluster must be set")
	case a.Namespace.Name == a.Watched.Name:
		return fmt.Errorf("keda: Namespace is %s, must not be Watched: KEDA lists every Secret of its namespace", a.Namespace.Name)
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("keda: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// KEDA is the component that runs KEDA in the cluster.
type KEDA struct {
	pulumi.ResourceState

	// Ready are KEDA's CustomResourceDefinitions, Deployments and APIService. A
	// ScaledObject must depend on Ready, and not on the KEDA (see
	// network.Network.Ready).
	Ready []pulumi.Resource
}

// NewKEDA creates KEDA.
func NewKEDA(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*KEDA, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	k := &KEDA{}
	if err := ctx.RegisterComponentResource("progressive:keda:KEDA", name, k, opts...); err != nil {
		return nil, fmt.Errorf("keda %s: %w", name, err)
	}
	parent := pulumi.Parent(k)
	definitions, err := newCustomResourceDefinitions(ctx, name, parent)
	if err != nil {
		return nil, err
	}
	operator, err := newOperator(ctx, name, args, definitions, parent)
	if err != nil {
		return nil, err
	}
	// The adapter's pod starts once the operator has written its certificate.
	adapter, err := newAdapter(ctx, name, args, append(definitions, operator.Ready), parent)
	if err != nil {
		return nil, err
	}
	apiService, err := apiextensions.NewCustomResource(ctx, name+"-metrics", &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("apiregistration.k8s.io/v1"),
		Kind:       pulumi.String("APIService"),
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String(apiServiceName)},
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"group": pulumi.String("external.metrics.k8s.io"), "version": pulumi.String("v1beta1"),
			"groupPriorityMinimum": pulumi.Int(100), "versionPriority": pulumi.Int(100),
			"service": pulumi.Map{"name": adapter.ServiceName, "namespace": args.Namespace.Created, "port": pulumi.Int(443)},
		}},
	}, parent, pulumi.DependsOn([]pulumi.Resource{adapter.Ready}))
	if err != nil {
		return nil, fmt.Errorf("APIService of %s: %w", name, err)
	}
	k.Ready = append(definitions, operator.Ready, adapter.Ready, apiService)
	return k, ctx.RegisterResourceOutputs(k, pulumi.Map{})
}

// newOperator creates the operator, which queries the triggers of ScaledObjects and
// maintains their HPAs.
func newOperator(ctx *pulumi.Context, name string, args *Args, dependencies []pulumi.Resource, parent pulumi.ResourceOption) (*controller.Controller, error) {
	spec := &controller.Args{
		Namespace: args.Namespace, App: operatorApp, Image: args.OperatorImage,
		ContainerArgs: []string{
			"--leader-elect",
			"--enable-cert-rotation=true",
			"--enable-webhook-patching=false", // KEDA's webhooks are not installed
			"--zap-log-level=info", "--zap-encoder=json", "--zap-time-encoding=rfc3339",
		},
		Env: append(environment(args), scaling.EnvVar{Name: "KEDA_RESTRICT_SECRET_ACCESS", Value: "true"}),
		Ports: []controller.Port{
			{Name: "metrics", Number: metricsPort, From: args.Readers},
			{Name: "health", Number: 8081},
			{Name: "metricsservice", Number: operatorPort, Service: operatorPort, From: []podnetwork.Peer{podnetwork.App(adapterApp)}},
		},
		Egress: append(args.Cluster.APIServerEgress(), args.Triggers...),
		Ready:  newHTTPGet("/readyz", "health", "HTTP"), Alive: newHTTPGet("/healthz", "health", "HTTP"),
		Resources:    scaling.KEDAResources().WithRequests(args.RequestShare),
		Volumes:      corev1.VolumeArray{certificateVolume(optional)},
		Mounts:       corev1.VolumeMountArray{certificateMount()},
		NodeSelector: args.NodeSelector,
	}
	permissions, err := grantOperator(ctx, name, args, spec.Account(), parent)
	if err != nil {
		return nil, err
	}
	return controller.New(ctx, name+"-operator", spec, append(permissions, dependencies...), parent)
}

// newAdapter creates the metrics adapter, from which HPAs read external metrics.
func newAdapter(ctx *pulumi.Context, name string, args *Args, dependencies []pulumi.Resource, parent pulumi.ResourceOption) (*controller.Controller, error) {
	spec := &controller.Args{
		Namespace: args.Namespace, App: adapterApp, Image: args.AdapterImage,
		ContainerArgs: []string{
			"--secure-port=6443",
			"--client-ca-file=/certs/ca.crt", "--tls-cert-file=/certs/tls.crt", "--tls-private-key-file=/certs/tls.key", "--cert-dir=/certs",
			"--zap-log-level=info", "--zap-encoder=json", "--zap-time-encoding=rfc3339",
		},
		Env: environment(args),
		Ports: []controller.Port{
			{Name: "metrics", Number: metricsPort, From: args.Readers},
			{Name: "https", Number: 6443, Service: 443, From: args.Cluster.APIServerPeers()},
		},
		Egress: append(args.Cluster.APIServerEgress(), podnetwork.TCPRule(operatorPort, podnetwork.App(operatorApp))),
		Ready:  newHTTPGet("/readyz", "https", "HTTPS"), Alive: newHTTPGet("/healthz", "https", "HTTPS"),
		Resources: scaling.KEDAResources().WithRequests(args.RequestShare),
		Volumes: corev1.VolumeArray{
			certificateVolume(required),
			&corev1.VolumeArgs{Name: pulumi.String("temporary"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String("16Mi")}},
		},
		Mounts: corev1.VolumeMountArray{
			certificateMount(),
			&corev1.VolumeMountArgs{Name: pulumi.String("temporary"), MountPath: pulumi.String("/tmp")},
		},
		NodeSelector: args.NodeSelector,
	}
	permissions, err := grantAdapter(ctx, name, args, spec.Account(), parent)
	if err != nil {
		return nil, err
	}
	return controller.New(ctx, name+"-adapter", spec, append(permissions, dependencies...), parent)
}

// Arguments of certificateVolume.
const (
	optional = true
	required = false
)

// environment returns the environment variables of the operator and the adapter.
func environment(args *Args) []scaling.EnvVar {
	return []scaling.EnvVar{{Name: "POD_NAMESPACE", Value: args.Namespace.Name}, {Name: "WATCH_NAMESPACE", Value: args.Watched.Name}}
}

// certificateVolume returns the volume of the Secret that the operator writes. isOptional is
// true for the operator, which must start before the Secret has files. isOptional is false for
// the adapter: the adapter's pod starts only when the Secret has the files.
func certificateVolume(isOptional bool) *corev1.VolumeArgs {
	secret := &corev1.SecretVolumeSourceArgs{SecretName: pulumi.String(certificateSecret), DefaultMode: pulumi.Int(0o440)}
	if isOptional {
		secret.Optional = pulumi.Bool(true)
	} else {
		var files corev1.KeyToPathArray
		for _, file := range []string{"ca.crt", "tls.crt", "tls.key"} {
			files = append(files, &corev1.KeyToPathArgs{Key: pulumi.String(file), Path: pulumi.String(file)})
		}
		secret.Items = files
	}
	return &corev1.VolumeArgs{Name: pulumi.String("certificates"), Secret: secret}
}

// certificateMount returns the mount of certificateVolume.
func certificateMount() *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{Name: pulumi.String("certificates"), MountPath: pulumi.String("/certs"), ReadOnly: pulumi.Bool(true)}
}

// newHTTPGet returns the HTTP GET of a probe, which gets the path from a port.
func newHTTPGet(path, port, scheme string) corev1.HTTPGetActionArgs {
	return corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String(port), Scheme: pulumi.String(scheme)}
}
