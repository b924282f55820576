// Metrics-server serves the resource metrics API (metrics.k8s.io) that
// `kubectl top` and HorizontalPodAutoscalers read.
//
// It is sigs.k8s.io/metrics-server with another main package. Upstream's main
// package links generated OpenAPI definitions that need Kubernetes 1.35 or later.
// The other packages compile with 1.34, the cluster's version. So this main package
// links the definitions of 1.34, and shares compiled packages with the cluster.
package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	generatedopenapi "k8s.io/kubernetes/pkg/generated/openapi"
	"sigs.k8s.io/metrics-server/pkg/api"
	"sigs.k8s.io/metrics-server/pkg/scraper/client"
	"sigs.k8s.io/metrics-server/pkg/server"
)

// settings are the flags of this command, with the names of metrics-server's
// flags.
type settings struct {
	resolution   time.Duration
	kubeletCA    string
	addressTypes []string
}

// scrapeTimeout is how long one kubelet may take to answer, as by default in
// metrics-server. It must be less than nine tenths of the resolution.
const scrapeTimeout = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		slog.Error("metrics-server", "error", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	s := settings{}
	serving := options.NewSecureServingOptions().WithLoopback()
	flags := pflag.NewFlagSet("metrics-server", pflag.ContinueOnError)
	flags.DurationVar(&s.resolution, "metric-resolution", 15*time.Second, "interval between two scrapes of the kubelets, at least 12s")
	flags.StringVar(&s.kubeletCA, "kubelet-certificate-authority", "", "file with the CA that the kubelets' serving certificates are checked against")
	flags.StringSliceVar(&s.addressTypes, "kubelet-preferred-address-types", []string{string(corev1.NodeInternalIP), string(corev1.NodeHostName)},
		"types of node addresses, in order of preference")
	serving.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.resolution*9/10 < scrapeTimeout {
		return fmt.Errorf("--metric-resolution %s: a kubelet may take %s to answer, so at least 12s are needed", s.resolution, scrapeTimeout)
	}
	config, err := s.serverConfig(serving)
	if err != nil {
		return err
	}
	ms, err := config.Complete()
	if err != nil {
		return err
	}
	return ms.RunUntil(genericapiserver.SetupSignalHandler())
}

// serverConfig returns the configuration of metrics-server. It reads the pod's
// service account, and the kubelets' address types and CA are from the flags.
func (s settings) serverConfig(serving *options.SecureServingOptionsWithLoopback) (*server.Config, error) {
	apiserver, err := apiserverConfig(serving)
	if err != nil {
		return nil, err
	}
	cluster, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("service account of the pod: %w", err)
	}
	cluster.ContentType = "application/vnd.kubernetes.protobuf"
	if err := rest.SetKubernetesDefaults(cluster); err != nil {
		return nil, err
	}
	kubelet := &client.KubeletClientConfig{
		Scheme: "https",
		// The port is in the node's status.
		UseNodeStatusPort: true,
		Client:            *rest.CopyConfig(cluster),
	}
	for _, t := range s.addressTypes {
		kubelet.AddressTypePriority = append(kubelet.AddressTypePriority, corev1.NodeAddressType(t))
	}
	if s.kubeletCA != "" {
		kubelet.Client.TLSClientConfig.CAFile, kubelet.Client.TLSClientConfig.CAData = s.kubeletCA, nil
	}
	return &server.Config{
		Apiserver: apiserver, Rest: cluster, Kubelet: kubelet,
		MetricResolution: s.resolution, ScrapeTimeout: scrapeTimeout,
	}, nil
}

// apiserverConfig returns the configuration of an aggregated API server. It
// delegates authentication and authorization to the cluster's API server.
func apiserverConfig(serving *options.SecureServingOptionsWithLoopback) (*genericapiserver.Config, error) {
	if err := serving.MaybeDefaultWithSelfSignedCerts("localhost", nil, []net.IP{net.IPv4(127, 0, 0, 1)}); err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	c := genericapiserver.NewConfig(api.Codecs)
	if err := serving.ApplyTo(&c.SecureServing, &c.LoopbackClientConfig); err != nil {
		return nil, fmt.Errorf("secure serving: %w", err)
	}
	c.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(generatedopenapi.GetOpenAPIDefinitions, openapi.NewDefinitionNamer(api.Scheme))
	c.OpenAPIConfig.Info.Title = "metrics-server"
	c.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(generatedopenapi.GetOpenAPIDefinitions, openapi.NewDefinitionNamer(api.Scheme))
	c.OpenAPIV3Config.Info.Title = "metrics-server"
	c.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	if err := options.NewDelegatingAuthenticationOptions().ApplyTo(&c.Authentication, c.SecureServing, c.OpenAPIConfig); err != nil {
		return nil, fmt.Errorf("authentication: %w", err)
	}
	if err := options.NewDelegatingAuthorizationOptions().ApplyTo(&c.Authorization); err != nil {
		return nil, fmt.Errorf("authorization: %w", err)
	}
	return c, nil
}
