// Package nodes owns the simulated nodes of a sandbox: which there are, and the
// process that plays their kubelets with the controllers of kwok. Pods on them
// are scheduled by the real scheduler and become ready without running, so a
// stack of any size stands on one machine; nothing answers at their addresses.
//
// Who starts that process is the business of package localcluster.
package nodes

// annotation and fake mark the nodes that kwok plays; the names are kwok's.
const (
	annotation = "kwok.x-k8s.io/node"
	fake       = "fake"
)

// label marks the nodes that Ensure made, and may delete.
const label = "sandbox.progressive-framework.dev/simulated"
