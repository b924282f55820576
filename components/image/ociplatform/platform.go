// Package ociplatform lists the platforms that images are built for. It is
// pure.
package ociplatform

// Platform is an OCI platform as OS/ARCH.
type Platform string

// The platforms are those that EKS nodes have: x86 and Graviton. The
// instruction set of each is the lowest of its architecture, so that one image
// runs on every instance type.
const (
	AMD64 Platform = "linux/amd64"
	ARM64 Platform = "linux/arm64"
)

// Default is the platform of an image that names none.
const Default = AMD64

// Values lists the platforms.
func (Platform) Values() []string { return []string{string(AMD64), string(ARM64)} }
