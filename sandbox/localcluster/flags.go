package localcluster

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// flagValue is one flag of a Kubernetes command.
type flagValue struct{ name, value string }

// renderFlags returns the flags as arguments of a command line.
func renderFlags(flags ...flagValue) []string {
	args := make([]string, len(flags))
	for i, f := range flags {
		args[i] = "--" + f.name + "=" + f.value
	}
	return args
}

// serviceAccountIssuer is the issuer in the tokens of service accounts.
const serviceAccountIssuer = "https://kubernetes.default.svc." + ClusterDomain

func apiServerFlags(l *layout.Layout) []string {
	p := pki{dir: l.PKI()}
	flags := renderFlags(
		flagValue{"bind-address", "127.0.0.1"},
		flagValue{"secure-port", strconv.Itoa(l.Ports.APIServer)},
		flagValue{"tls-cert-file", p.cert("apiserver")},
		flagValue{"tls-private-key-file", p.key("apiserver")},
		flagValue{"client-ca-file", p.cert("ca")},
		flagValue{"anonymous-auth", "false"},
		flagValue{"authorization-mode", "Node,RBAC"},
		flagValue{"enable-admission-plugins", "NodeRestriction"},
		flagValue{"etcd-servers", fmt.Sprintf("https://127.0.0.1:%d", l.Ports.EtcdClient)},
		flagValue{"etcd-cafile", p.cert("etcd-ca")},
		flagValue{"etcd-certfile", p.cert("apiserver-etcd-client")},
		flagValue{"etcd-keyfile", p.key("apiserver-etcd-client")},
		flagValue{"service-cluster-ip-range", ServiceCIDR},
		flagValue{"service-account-issuer", serviceAccountIssuer},
		flagValue{"service-account-key-file", p.key(serviceAccountKey)},
		flagValue{"service-account-signing-key-file", p.key(serviceAccountKey)},
		flagValue{"kubelet-certificate-authority", p.cert("ca")},
		flagValue{"kubelet-client-certificate", p.cert("apiserver-kubelet-client")},
		flagValue{"kubelet-client-key", p.key("apiserver-kubelet-client")},
		flagValue{"kubelet-preferred-address-types", "InternalIP"},
		// The aggregation layer needs these flags. It serves the metrics APIs.
		flagValue{"requestheader-client-ca-file", p.cert("front-proxy-ca")},
		flagValue{"requestheader-allowed-names", frontProxyUser},
		flagValue{"requestheader-extra-headers-prefix", "X-Remote-Extra-"},
		flagValue{"requestheader-group-headers", "X-Remote-Group"},
		flagValue{"requestheader-username-headers", "X-Remote-User"},
		flagValue{"proxy-client-cert-file", p.cert("front-proxy-client")},
		flagValue{"proxy-client-key-file", p.key("front-proxy-client")},
		// The API server sends requests to the pod's address, because a machine without
		// a default route cannot reach a service's address.
		flagValue{"enable-aggregator-routing", "true"},
		flagValue{"profiling", "false"},
	)
	if l.Cluster == layout.ClusterLocal {
		return append(flags, renderFlags(flagValue{"advertise-address", NodeAddress})...)
	}
	// A simulated cluster has no pods that need the API server's address. Only root can
	// add the node's address to the machine, so the API server announces none.
	return append(flags, renderFlags(
		flagValue{"advertise-address", "127.0.0.1"},
		flagValue{"endpoint-reconciler-type", "none"},
	)...)
}

func controllerManagerFlags(l *layout.Layout) []string {
	p, kubeconfig := pki{dir: l.PKI()}, kubeconfigPath(l, "controller-manager")
	return renderFlags(
		flagValue{"bind-address", "127.0.0.1"},
		flagValue{"secure-port", strconv.Itoa(l.Ports.ControllerManager)},
		flagValue{"tls-cert-file", p.cert("controller-manager")},
		flagValue{"tls-private-key-file", p.key("controller-manager")},
		flagValue{"kubeconfig", kubeconfig},
		flagValue{"authentication-kubeconfig", kubeconfig},
		flagValue{"authorization-kubeconfig", kubeconfig},
		flagValue{"use-service-account-credentials", "true"},
		flagValue{"service-account-private-key-file", p.key(serviceAccountKey)},
		flagValue{"root-ca-file", p.cert("ca")},
		flagValue{"cluster-signing-cert-file", p.cert("ca")},
		flagValue{"cluster-signing-key-file", p.key("ca")},
		flagValue{"requestheader-client-ca-file", p.cert("front-proxy-ca")},
		// There is only one instance, and an election would delay its restart.
		flagValue{"leader-elect", "false"},
		flagValue{"profiling", "false"},
	)
}

func schedulerFlags(l *layout.Layout) []string {
	p, kubeconfig := pki{dir: l.PKI()}, kubeconfigPath(l, "scheduler")
	return renderFlags(
		flagValue{"bind-address", "127.0.0.1"},
		flagValue{"secure-port", strconv.Itoa(l.Ports.Scheduler)},
		flagValue{"tls-cert-file", p.cert("scheduler")},
		flagValue{"tls-private-key-file", p.key("scheduler")},
		flagValue{"kubeconfig", kubeconfig},
		flagValue{"authentication-kubeconfig", kubeconfig},
		flagValue{"authorization-kubeconfig", kubeconfig},
		flagValue{"requestheader-client-ca-file", p.cert("front-proxy-ca")},
		flagValue{"leader-elect", "false"},
		flagValue{"profiling", "false"},
	)
}

func kubeletFlags(l *layout.Layout) []string {
	paths := nodePaths{l}
	labels := []string{
		"topology.kubernetes.io/region=" + Region,
		"topology.kubernetes.io/zone=" + Zone,
	}
	return renderFlags(
		flagValue{"config", paths.config(kubeletConfig)},
		flagValue{"kubeconfig", kubeconfigPath(l, "kubelet")},
		flagValue{"root-dir", paths.kubeletDir()},
		flagValue{"cert-dir", l.PKI()},
		flagValue{"hostname-override", NodeName},
		flagValue{"node-ip", NodeAddress},
		// cAdvisor, which is a part of the kubelet, reads the names of containers from containerd.
		flagValue{"containerd", paths.containerdSocket()},
		flagValue{"node-labels", strings.Join(labels, ",")},
	)
}

func proxyFlags(l *layout.Layout) []string {
	return renderFlags(
		flagValue{"kubeconfig", kubeconfigPath(l, "kube-proxy")},
		flagValue{"hostname-override", NodeName},
		flagValue{"proxy-mode", "iptables"},
		flagValue{"cluster-cidr", PodCIDR},
		flagValue{"bind-address", "127.0.0.1"},
		flagValue{"healthz-bind-address", fmt.Sprintf("127.0.0.1:%d", l.Ports.ProxyHealth)},
		flagValue{"metrics-bind-address", fmt.Sprintf("127.0.0.1:%d", l.Ports.ProxyMetrics)},
		// The default of one second delays every change of endpoints. Only a cluster with
		// thousands of services needs such a delay.
		flagValue{"iptables-min-sync-period", "100ms"},
		// Node ports answer on the loopback device only.
		flagValue{"nodeport-addresses", "127.0.0.0/8"},
		flagValue{"iptables-localhost-nodeports", "true"},
		// 0 leaves the machine's limits for connection tracking unchanged.
		flagValue{"conntrack-max-per-core", "0"},
		flagValue{"conntrack-tcp-timeout-established", "0"},
		flagValue{"conntrack-tcp-timeout-close-wait", "0"},
	)
}
