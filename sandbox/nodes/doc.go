// Package nodes owns the simulated nodes of a sandbox, and the process that simulates
// their kubelets with the controllers of kwok. The real scheduler assigns pods to the
// nodes. The pods become ready without running, so a stack of any size fits on one
// machine. No process listens at the pods' addresses.
//
// Package localcluster starts the process.
package nodes

// kwok simulates the nodes that have this annotation with this value.
const (
	kwokAnnotation = "kwok.x-k8s.io/node"
	kwokValue      = "fake"
)

// simulatedLabel is the label of the nodes that Ensure has created. Ensure deletes only such nodes.
const simulatedLabel = "sandbox.progressive-framework.dev/simulated"
