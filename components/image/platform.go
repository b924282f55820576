package image

import "slices"

// DefaultPlatform is built where a program names none.
const DefaultPlatform = "linux/amd64"

// platforms are those that EKS nodes have: x86 and Graviton. The instruction
// set of each is the lowest of its architecture, so that one image runs on
// every instance type.
var platforms = []string{"linux/amd64", "linux/arm64"}

// Platforms lists the platforms that an image can be built for, as OS/ARCH.
func Platforms() []string { return slices.Clone(platforms) }
