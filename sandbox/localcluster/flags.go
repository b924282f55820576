package localcluster

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// setting is one flag of a Kubernetes command. The tables below give a reason
// for each flag that is not just a path, an address or a port.
type setting struct{ name, value string }

func renderFlags(settings ...setting) []string {
	out := make([]string, len(settings))
	for i, f := range settings {
		out[i] = "--" + f.name + "=" + f.value
	}
	return out
}

// serviceAccountIssuer is the issuer in the tokens of service accounts.
const serviceAccountIssuer = "https://kubernetes.default.svc." + ClusterDomain

func apiServerFlags(l *layout.Layout) []string {
	p := pki{dir: l.PKI()}
	flags := renderFlags(
		setting{"bind-address", "127.0.0.1"},
		setting{"secure-port", strconv.Itoa(l.Ports.APIServer)},
		setting{"tls-cert-file", p.cert("apiserver")},
		setting{"tls-private-key-file", p.key("apiserver")},
		setting{"client-ca-file", p.cert("ca")},
		setting{"anonymous-auth", "false"},
		setting{"authorization-mode", "Node,RBAC"},
		setting{"enable-admission-plugins", "NodeRestriction"},
		setting{"etcd-servers", fmt.Sprintf("https://127.0.0.1:%d", l.Ports.EtcdClient)},
		setting{"etcd-cafile", p.cert("etcd-ca")},
		setting{"etcd-certfile", p.cert("apiserver-etcd-client")},
		setting{"etcd-keyfile", p.key("apiserver-etcd-client")},
		setting{"service-cluster-ip-range", ServiceCIDR},
		setting{"service-account-issuer", serviceAccountIssuer},
		setting{"service-account-key-file", p.key(serviceAccountKey)},
		setting{"service-account-signing-key-file", p.key(serviceAccountKey)},
		setting{"kubelet-certificate-authority", p.cert("ca")},
		setting{"kubelet-client-certificate", p.cert("apiserver-kubelet-client")},
		setting{"kubelet-client-key", p.key("apiserver-kubelet-client")},
		setting{"kubelet-preferred-address-types", "InternalIP"},
		// The aggregation layer, for the metrics APIs.
		setting{"requestheader-client-ca-file", p.cert("front-proxy-ca")},
		setting{"requestheader-allowed-names", frontProxyUser},
		setting{"requestheader-extra-headers-prefix", "X-Remote-Extra-"},
		setting{"requestheader-group-headers", "X-Remote-Group"},
		setting{"requestheader-username-headers", "X-Remote-User"},
		setting{"proxy-client-cert-file", p.cert("front-proxy-client")},
		setting{"proxy-client-key-file", p.key("front-proxy-client")},
		// The API server sends requests to the pod's address, because a machine without
		// a default route cannot reach a service's address.
		setting{"enable-aggregator-routing", "true"},
		setting{"profiling", "false"},
	)
	if l.Cluster == layout.ClusterLocal {
		return append(flags, renderFlags(setting{"advertise-address", NodeAddress})...)
	}
	// A simulated cluster has no pods that need the API server's address. Only root can
	// add the node's address to the machine, so the API server announces none.
	return append(flags, renderFlags(
		setting{"advertise-address", "127.0.0.1"},
		setting{"endpoint-reconciler-type", "none"},
	)...)
}

func controllerManagerFlags(l *layout.Layout) []string {
	p, kubeconfig := pki{dir: l.PKI()}, kubeconfigPath(l, "controller-manager")
	return renderFlags(
		setting{"bind-address", "127.0.0.1"},
		setting{"secure-port", strconv.Itoa(l.Ports.ControllerManager)},
		setting{"tls-cert-file", p.cert("controller-manager")},
		setting{"tls-private-key-file", p.key("controller-manager")},
		setting{"kubeconfig", kubeconfig},
		setting{"authentication-kubeconfig", kubeconfig},
		setting{"authorization-kubeconfig", kubeconfig},
		setting{"use-service-account-credentials", "true"},
		setting{"service-account-private-key-file", p.key(serviceAccountKey)},
		setting{"root-ca-file", p.cert("ca")},
		setting{"cluster-signing-cert-file", p.cert("ca")},
		setting{"cluster-signing-key-file", p.key("ca")},
		setting{"requestheader-client-ca-file", p.cert("front-proxy-ca")},
		// There is only one instance; an election would delay its restart.
		setting{"leader-elect", "false"},
		setting{"profiling", "false"},
	)
}

func schedulerFlags(l *layout.Layout) []string {
	p, kubeconfig := pki{dir: l.PKI()}, kubeconfigPath(l, "scheduler")
	return renderFlags(
		setting{"bind-address", "127.0.0.1"},
		setting{"secure-port", strconv.Itoa(l.Ports.Scheduler)},
		setting{"tls-cert-file", p.cert("scheduler")},
		setting{"tls-private-key-file", p.key("scheduler")},
		setting{"kubeconfig", kubeconfig},
		setting{"authentication-kubeconfig", kubeconfig},
		setting{"authorization-kubeconfig", kubeconfig},
		setting{"requestheader-client-ca-file", p.cert("front-proxy-ca")},
		setting{"leader-elect", "false"},
		setting{"profiling", "false"},
	)
}

func kubeletFlags(l *layout.Layout) []string {
	paths := nodePaths{l}
	labels := []string{
		"topology.kubernetes.io/region=" + Region,
		"topology.kubernetes.io/zone=" + Zone,
	}
	return renderFlags(
		setting{"config", paths.config(kubeletConfig)},
		setting{"kubeconfig", kubeconfigPath(l, "kubelet")},
		setting{"root-dir", paths.kubelet()},
		setting{"cert-dir", l.PKI()},
		setting{"hostname-override", NodeName},
		setting{"node-ip", NodeAddress},
		setting{"node-labels", strings.Join(labels, ",")},
	)
}

func proxyFlags(l *layout.Layout) []string {
	return renderFlags(
		setting{"kubeconfig", kubeconfigPath(l, "kube-proxy")},
		setting{"hostname-override", NodeName},
		setting{"proxy-mode", "iptables"},
		setting{"cluster-cidr", PodCIDR},
		setting{"bind-address", "127.0.0.1"},
		setting{"healthz-bind-address", fmt.Sprintf("127.0.0.1:%d", l.Ports.ProxyHealth)},
		setting{"metrics-bind-address", fmt.Sprintf("127.0.0.1:%d", l.Ports.ProxyMetrics)},
		// The default of one second delays every change of endpoints. It only helps
		// with thousands of services.
		setting{"iptables-min-sync-period", "100ms"},
		// Node ports answer on the loopback device only.
		setting{"nodeport-addresses", "127.0.0.0/8"},
		setting{"iptables-localhost-nodeports", "true"},
		// 0 leaves the machine's limits for connection tracking unchanged.
		setting{"conntrack-max-per-core", "0"},
		setting{"conntrack-tcp-timeout-established", "0"},
		setting{"conntrack-tcp-timeout-close-wait", "0"},
	)
}
