// Package eksspec owns the rules for an EKS cluster: which Kubernetes versions
// it may have, which versions of the add-ons belong to each, which zones its
// control plane keeps, and who may be its administrator. It is pure; the
// resources are package cluster's.
package eksspec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Addons that every cluster has, by their names in EKS. Those up to
// PodIdentityAgent run on each node and come before the first of them; the
// rest need nodes to run on.
const (
	VPCCNI           = "vpc-cni"
	KubeProxy        = "kube-proxy"
	PodIdentityAgent = "eks-pod-identity-agent"

	CoreDNS       = "coredns"
	EBSCSIDriver  = "aws-ebs-csi-driver"
	MetricsServer = "metrics-server"
	SecretsStore  = "aws-secrets-store-csi-driver-provider"
)

// Release is what belongs to one Kubernetes minor version.
type Release struct {
	// Addons are the add-ons' versions, by name.
	Addons map[string]string
	// ClusterAutoscaler is the version of the autoscaler of the same minor.
	ClusterAutoscaler string
}

// releases pins what EKS offered for each version in the summer of 2026, so
// that nothing changes but by a change of this table. `aws eks
// describe-addon-versions --kubernetes-version MINOR` lists those of today.
//
// Add-ons: published stacks that name each version for each minor (AWS CDK
// examples of July and August 2026), and what that command printed on
// 2026-10-02 for 1.35; of the Secrets Store provider, stacks of autumn 2026, one
// of them for 1.35, and that it serves the other minors is assumed. Cluster Autoscaler:
// kubernetes/autoscaler's releases, as listed in
// aws-ia/terraform-aws-eks-blueprints-addons, pull request 516.
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
}

// Version is a Kubernetes minor version such as "1.34".
type Version string

// Values lists the versions that a cluster may have.
func (Version) Values() []string { return Versions() }

// Versions are the Kubernetes minor versions that a cluster may have, oldest
// first.
func Versions() []string { return slices.Sorted(maps.Keys(releases)) }

// ForVersion gives what belongs to a Kubernetes minor version such as "1.34".
func ForVersion(minor string) (Release, error) {
	r, ok := releases[minor]
	if !ok {
		return Release{}, fmt.Errorf("Kubernetes version %q: must be one of %s", minor, strings.Join(Versions(), ", "))
	}
	return r, nil
}
