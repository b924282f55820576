// Package k8sview holds typed views of Kubernetes objects. They are generated from
// the source of the pulumi-kubernetes SDK. So a rule with a wrong property name
// does not compile.
package k8sview

//go:generate go run ../gen -package k8sview
