// Package k8sview holds typed views of Kubernetes objects. They are generated from
// the source of the pulumi-kubernetes SDK, so that a rule that names a property
// which does not exist does not compile.
package k8sview

//go:generate go run ../gen -package k8sview
