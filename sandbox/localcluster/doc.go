// Package cluster owns the Kubernetes of a sandbox: which processes it is made
// of, their certificates, configuration and node network; it starts them,
// repairs what was killed, and stops them without leaving a trace.
//
// The processes are those of a real cluster. All but containerd are this very
// executable, run as `sandbox run NAME`; what happens then is in package
// components, apart from this one, so that whoever starts and stops a cluster
// (and its tests) need not link Kubernetes. One table, components.go, says of
// each process which kinds of cluster it belongs to, what it needs, its ports,
// its flags and how to tell that it is healthy; start, stop, status and the
// search for leftovers only walk that table.
//
// The three kinds of cluster are home.ClusterLocal (real pods, needs root),
// home.ClusterSimulated (real control plane, nodes played by kwok) and
// home.ClusterExisting (the person's own; only the registry is ours).
//
// # Addresses
//
// Pods have 100.64.0.0/16, services 100.65.0.0/16, and the one node 100.66.0.1,
// an additional address of the loopback device. The API server itself listens
// on 127.0.0.1; pods reach it at the node's address, where the process forwards
// (it refuses to announce a loopback address to pods). Pods are attached by
// point-to-point links, not by a bridge: every packet is routed, so services
// work without the kernel module br_netfilter.
//
// # Version
//
// The executable must be linked with
//
//	-X k8s.io/component-base/version.gitVersion=$(KubernetesVersion)
//
// because Kubernetes reads its version from that variable; without it kubectl
// and Pulumi's provider cannot parse what the API server answers.
package cluster

// KubernetesVersion is the version of k8s.io/kubernetes in go.mod, which the
// linker has to write into the executable. Package components compares the two
// and refuses to start where they differ.
const KubernetesVersion = "v1.34.2"
