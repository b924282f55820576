package vpa

import "github.com/progressive-framework/platform/components/gomodule"

// Version is VPA's release.
const Version = "1.8.1"

// The images that the VPA project publishes. They have exact versions but no digests, because no
// public source of the digests was found. The list of digests is
// registry.k8s.io/images/k8s-staging-autoscaling/images.yaml in the repository kubernetes/k8s.io.
// The copy of the list that was found ends at version 1.4.2.
const (
	RecommenderImage = "registry.k8s.io/autoscaling/vpa-recommender:" + Version
	UpdaterImage     = "registry.k8s.io/autoscaling/vpa-updater:" + Version
	AdmissionImage   = "registry.k8s.io/autoscaling/vpa-admission-controller:" + Version
)

// The names of the images' repositories in the stack's mirror.
const (
	RecommenderRepository = "vpa-recommender"
	UpdaterRepository     = "vpa-updater"
	AdmissionRepository   = "vpa-admission-controller"
)

// CertificateProgram is the Go main package of the image that creates the webhook's
// certificate.
const CertificateProgram = "github.com/progressive-framework/platform/agents/webhookcert"

// Module is VPA's Go module, which has the manifests of its CustomResourceDefinitions.
var Module = gomodule.Module{
	Path: "k8s.io/autoscaler/vertical-pod-autoscaler", Version: "v" + Version,
	Sum: "h1:Pe8bV1wozN4gOKO1rleiIY5alIyAXN+DnXDbXQcL4fI=",
}

// kindsFile is the file of the module with the CustomResourceDefinitions.
const kindsFile = "deploy/vpa-v1-crd-gen.yaml"
