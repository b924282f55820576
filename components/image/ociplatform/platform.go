// Package ociplatform owns the list of platforms for which images are built. It imports
// no SDK.
package ociplatform

// Platform is an OCI platform in the form OS/ARCH.
type Platform string

// The platforms of EKS nodes: x86 and Graviton. Builds use the lowest instruction
// set of each architecture, so that one image runs on every instance type.
const (
	AMD64 Platform = "linux/amd64"
	ARM64 Platform = "linux/arm64"
)

// Default is the platform of an image without a list of platforms.
const Default = AMD64

// Values lists the platforms.
func (Platform) Values() []string { return []string{string(AMD64), string(ARM64)} }
