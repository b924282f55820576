package cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// LiveVersion returns the Kubernetes version that a cluster has at EKS now, or "" if the
// cluster does not exist. The stack's state may have an older version, because EKS can
// upgrade a cluster by itself. LiveVersion lists the clusters first, because a lookup of
// a missing cluster is an error.
func LiveVersion(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) (string, error) {
	clusters, err := eks.GetClusters(ctx, opts...)
	if err != nil {
		return "", fmt.Errorf("list the EKS clusters of the region: %w", err)
	}
	if !slices.Contains(clusters.Names, name) {
		return "", nil
	}
	eksCluster, err := eks.LookupCluster(ctx, &eks.LookupClusterArgs{Name: name}, opts...)
	if err != nil {
		return "", fmt.Errorf("look up the version of cluster %s: %w", name, err)
	}
	return eksCluster.Version, nil
}
