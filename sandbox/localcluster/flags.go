package cluster

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/sandbox/home"
)

// setting is one flag of a Kubernetes command. The tables below keep a reason
// beside each that is not plain wiring.
type setting struct{ name, value string }

func render(settings ...setting) []string {
	out := make([]string, len(settings))
	for i, f := range settings {
		out[i] = "--" + f.name + "=" + f.value
	}
	return out
}

// serviceAccountIssuer is who the tokens of service accounts say they are from.
const serviceAccountIssuer = "https://kubernetes.default.svc." + ClusterDomain

func apiServerFlags(h *home.Home) []string {
	p := pki{dir: h.PKI()}
	flags := render(
		setting{"bind-address", "127.0.0.1"},
		setting{"secure-port", strconv.Itoa(h.Ports.APIServer)},
		setting{"tls-cert-file", p.cert("apiserver")},
		setting{"tls-private-key-file", p.key("apiserver")},
		setting{"client-ca-file", p.cert("ca")},
		setting{"anonymous-auth", "false"},
		setting{"authorization-mode", "Node,RBAC"},
		setting{"enable-admission-plugins", "NodeRestriction"},
		setting{"etcd-servers", fmt.Sprintf("https://127.0.0.1:%d", h.Ports.EtcdClient)},
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
		// Straight to the pod: a machine without a default route cannot reach a
		// service's address.
		setting{"enable-aggregator-routing", "true"},
		setting{"profiling", "false"},
	)
	if h.Cluster == home.ClusterLocal {
		return append(flags, render(setting{"advertise-address", NodeAddress})...)
	}
	// Without pods nobody asks for the API server's address, and without an
	// address of its own (which takes root) it must not announce one.
	return append(flags, render(
		setting{"advertise-address", "127.0.0.1"},
		setting{"endpoint-reconciler-type", "none"},
	)...)
}

func controllerManagerFlags(h *home.Home) []string {
	p, kubeconfig := pki{dir: h.PKI()}, kubeconfigPath(h, "controller-manager")
	return render(
		setting{"bind-address", "127.0.0.1"},
		setting{"secure-port", strconv.Itoa(h.Ports.ControllerManager)},
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
		// There is one of each: an election would only delay a restart.
		setting{"leader-elect", "false"},
		setting{"profiling", "false"},
	)
}

func schedulerFlags(h *home.Home) []string {
	p, kubeconfig := pki{dir: h.PKI()}, kubeconfigPath(h, "scheduler")
	return render(
		setting{"bind-address", "127.0.0.1"},
		setting{"secure-port", strconv.Itoa(h.Ports.Scheduler)},
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

func kubeletFlags(h *home.Home) []string {
	l := layout{h}
	labels := []string{
		"topology.kubernetes.io/region=" + Region,
		"topology.kubernetes.io/zone=" + Zone,
	}
	return render(
		setting{"config", l.config(kubeletConfig)},
		setting{"kubeconfig", kubeconfigPath(h, "kubelet")},
		setting{"root-dir", l.kubelet()},
		setting{"cert-dir", h.PKI()},
		setting{"hostname-override", NodeName},
		setting{"node-ip", NodeAddress},
		setting{"node-labels", strings.Join(labels, ",")},
	)
}

func proxyFlags(h *home.Home) []string {
	return render(
		setting{"kubeconfig", kubeconfigPath(h, "kube-proxy")},
		setting{"hostname-override", NodeName},
		setting{"proxy-mode", "iptables"},
		setting{"cluster-cidr", PodCIDR},
		setting{"bind-address", "127.0.0.1"},
		setting{"healthz-bind-address", fmt.Sprintf("127.0.0.1:%d", h.Ports.ProxyHealth)},
		setting{"metrics-bind-address", fmt.Sprintf("127.0.0.1:%d", h.Ports.ProxyMetrics)},
		// By default rules follow the endpoints a second later, which only pays
		// with thousands of services.
		setting{"iptables-min-sync-period", "100ms"},
		// Node ports answer on the machine itself and nowhere else.
		setting{"nodeport-addresses", "127.0.0.0/8"},
		setting{"iptables-localhost-nodeports", "true"},
		// The connection tracking limits of the machine are not ours to change.
		setting{"conntrack-max-per-core", "0"},
		setting{"conntrack-tcp-timeout-established", "0"},
		setting{"conntrack-tcp-timeout-close-wait", "0"},
	)
}
