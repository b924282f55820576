// Package eksspec owns the rules of an EKS cluster: the allowed Kubernetes
// versions, the add-on versions of each, the zones of the control plane, and the
// administrators. It imports no SDK. The resources are in package cluster.
package eksspec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The add-ons of every cluster, by their names in EKS. The first three run on
// every node and are created before the nodes. The others need nodes.
const (
	VPCCNI           = "vpc-cni"
	KubeProxy        = "kube-proxy"
	PodIdentityAgent = "eks-pod-identity-agent"

	CoreDNS       = "coredns"
	EBSCSIDriver  = "aws-ebs-csi-driver"
	MetricsServer = "metrics-server"
	SecretsStore  = "aws-secrets-store-csi-driver-provider"
)

// Release has the versions that fit one Kubernetes minor version.
type Release struct {
	// Addons are the versions of the add-ons, by name.
	Addons map[string]string
	// ClusterAutoscaler is the version of the Cluster Autoscaler.
	ClusterAutoscaler string
}

// releases pins the versions that EKS offered in 2026. An add-on changes its version
// only if this table changes. `aws eks describe-addon-versions
// --kubernetes-version MINOR` lists the current versions.
//
// Sources:
//   - Add-ons: AWS CDK examples of July and August 2026 for each minor version. For
//     1.35 and 1.36 also the output of the command above, of 2026-10-02 and 2026-09-22.
//   - Secrets Store provider: published stacks of autumn 2026, for 1.35 and 1.36.
//     The rows of 1.33 and 1.34 assume that the same version works there.
//   - Cluster Autoscaler: releases of kubernetes/autoscaler, as listed in
//     aws-ia/terraform-aws-eks-blueprints-addons, pull request 516. For 1.36 the
//     release cluster-autoscaler-1.36.1 of 2026-07-23.
//
// EKS offers 1.37 since 2026-10-01. Version 1.37 has no row, because no published stack
// names its add-on versions.
var releases = map[string]Release{
	"1.33": {
		Addons: map[string]string{
			VPCCNI: "v1.22.3-eksbuild.1", KubeProxy: "v1.33.10-eksbuild.18", PodIdentityAgent: "v1.3.10-eksbuild.3",
			CoreDNS: "v1.13.2-eksbuild.11", EBSCSIDriver: "v1.63.1-eksbuild.1", MetricsServer: "v0.8.1-eksbuild.10",
			SecretsStore: "v3.1.3-eksbuild.1",
		},
		ClusterAutoscaler: "v1.33.5",
	},
	"1.34": {
		Addons: map[string]string{
			VPCCNI: "v1.22.4-eksbuild.3", KubeProxy: "v1.34.6-eksbuild.18", PodIdentityAgent: "v1.3.10-eksbuild.3",
			CoreDNS: "v1.13.2-eksbuild.11", EBSCSIDriver: "v1.63.1-eksbuild.1", MetricsServer: "v0.8.1-eksbuild.10",
			SecretsStore: "v3.1.3-eksbuild.1",
		},
		ClusterAutoscaler: "v1.34.4",
	},
	"1.35": {
		Addons: map[string]string{
			VPCCNI: "v1.22.4-eksbuild.3", KubeProxy: "v1.35.3-eksbuild.18", PodIdentityAgent: "v1.3.10-eksbuild.3",
			CoreDNS: "v1.13.2-eksbuild.11", EBSCSIDriver: "v1.63.1-eksbuild.1", MetricsServer: "v0.8.1-eksbuild.10",
			SecretsStore: "v3.1.3-eksbuild.1",
		},
		ClusterAutoscaler: "v1.35.1",
	},
	"1.36": {
		Addons: map[string]string{
			VPCCNI: "v1.22.4-eksbuild.3", KubeProxy: "v1.36.0-eksbuild.25", PodIdentityAgent: "v1.3.10-eksbuild.3",
			CoreDNS: "v1.14.3-eksbuild.23", EBSCSIDriver: "v1.66.0-eksbuild.1", MetricsServer: "v0.9.0-eksbuild.11",
			SecretsStore: "v3.1.3-eksbuild.1",
		},
		ClusterAutoscaler: "v1.36.1",
	},
}

// Version is a Kubernetes minor version such as "1.34".
type Version string

// Values lists the allowed versions.
func (Version) Values() []string { return Versions() }

// Versions lists the allowed Kubernetes minor versions, oldest first.
func Versions() []string { return slices.Sorted(maps.Keys(releases)) }

// ForVersion returns the release of a Kubernetes minor version such as "1.34".
func ForVersion(minor string) (Release, error) {
	r, ok := releases[minor]
	if !ok {
		return Release{}, fmt.Errorf("Kubernetes version %q: must be one of %s", minor, strings.Join(Versions(), ", "))
	}
	return r, nil
}
