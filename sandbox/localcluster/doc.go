// Package localcluster owns the Kubernetes of a sandbox: its processes, their
// certificates, configuration and node network. It starts the processes, starts killed
// ones again, and stops them without residue.
//
// The processes are those of a real cluster. Except for containerd they are this
// executable, started as `sandbox run NAME`. Their code is in package components, so
// that this package and its tests do not link Kubernetes. The table in components.go has
// each process with its kinds of cluster, dependencies, ports, flags and health check.
// Start, stop, status and the search for residue work on that table.
//
// The three kinds of cluster are layout.ClusterLocal (real pods, needs root),
// layout.ClusterSimulated (real control plane, nodes simulated by kwok) and
// layout.ClusterExisting (the user's own; the sandbox runs only a registry).
//
// # Addresses
//
// Pods have addresses in 100.64.0.0/16 and services in 100.65.0.0/16. The one node has
// 100.66.0.1, which is an additional address of the loopback device.
//
// The API server listens on 127.0.0.1, but refuses to announce a loopback address to
// pods. So its process also forwards connections from the node's address, which pods use.
//
// Pods have point-to-point links instead of a bridge. So every packet is routed, and
// services work without the kernel module br_netfilter.
//
// # Version
//
// The executable must be linked with
//
//	-X k8s.io/component-base/version.gitVersion=$(KubernetesVersion)
//
// because Kubernetes reads its version from that variable. Without it kubectl
// and Pulumi's provider cannot parse the API server's version.
package localcluster

// KubernetesVersion is the version of k8s.io/kubernetes in go.mod. The linker must write
// the same version into the executable. Otherwise package components starts no component.
//
// 1.36 is the last minor version with Debian 12's containerd: from 1.37 on the
// kubelet needs the call RuntimeConfig, which containerd has since 2.0
// (kubernetes, cmd/kubelet/app/server.go, getCgroupDriverFromCRI).
const KubernetesVersion = "v1.36.5"
