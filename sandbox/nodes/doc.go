// Package nodes owns the simulated nodes of a sandbox, and the process that
// simulates their kubelets with the controllers of kwok. The real scheduler
// assigns pods to the nodes, and the pods become ready without running. So a stack
// of any size fits on one machine, but nothing answers at the pods' addresses.
//
// Package localcluster starts the process.
package nodes

// annotation and fake mark the nodes that kwok simulates; the names are kwok's.
const (
	annotation = "kwok.x-k8s.io/node"
	fake       = "fake"
)

// label marks the nodes that Ensure created and may delete.
const label = "sandbox.progressive-framework.dev/simulated"
