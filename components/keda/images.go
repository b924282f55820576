package keda

import "github.com/progressive-framework/platform/components/gomodule"

// Version is KEDA's release.
const Version = "2.20.2"

// The images that the KEDA project publishes. The digests are those of the indexes for amd64 and
// arm64 of release 2.20.2 of 2026-07-31.
const (
	OperatorImage = "ghcr.io/kedacore/keda:" + Version + "@sha256:fe74c7b8849586a67ad2201bcb89e7f5ac221ff90399ecaa8fd28427f1ef11e6"
	AdapterImage  = "ghcr.io/kedacore/keda-metrics-apiserver:" + Version + "@sha256:27286536a8a775aeeee37a7e343f8ecebb27ebf680ee1181a4f99e82eefb253b"
)

// The names of the images' repositories in the stack's mirror.
const (
	OperatorRepository = "keda"
	AdapterRepository  = "keda-metrics-apiserver"
)

// Module is KEDA's Go module, which has the manifests of its CustomResourceDefinitions.
var Module = gomodule.Module{
	Path: "github.com/kedacore/keda/v2", Version: "v" + Version,
	Sum: "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
}
