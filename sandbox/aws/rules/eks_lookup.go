package rules

import (
	"slices"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// getClusters implements the Pulumi function aws:eks/getClusters. It returns the names of
// the region's clusters.
func getClusters(c *Call, _ Object) (Object, error) {
	names := []any{}
	for _, name := range c.clusterNames() {
		names = append(names, name)
	}
	return Object{"id": c.Region, "names": names}, nil
}

// clusterNames returns the sorted names of the region's EKS clusters.
func (c *Call) clusterNames() []string {
	var names []string
	c.Tx.Each(c.scope(rows[clusterType]), clusterType, func(o store.Object) bool {
		names = append(names, o.ID)
		return true
	})
	slices.Sort(names)
	return names
}

// getCluster implements the Pulumi function aws:eks/getCluster. Each block of the
// resource, such as accessConfig, is a list in the result.
func getCluster(c *Call, in Object) (Object, error) {
	name := in.String("name")
	found, ok := c.Tx.Get(store.Key{Scope: c.scope(rows[clusterType]), Type: clusterType, ID: name})
	if !ok {
		return nil, refuse("ResourceNotFoundException", "No cluster found for name: %s.", name)
	}
	c.ID, c.Out = name, found.State
	if err := refreshCluster(c); err != nil {
		return nil, err
	}
	out := Object{"id": name, "clusterId": ""}
	for _, property := range []string{"arn", "createdAt", "enabledClusterLogTypes", "endpoint", "identities", "platformVersion", "roleArn", "status",
		"version", "vpcConfig", "certificateAuthorities"} {
		out[property] = c.Out[property]
	}
	for list, block := range map[string]string{
		"accessConfigs": "accessConfig", "computeConfigs": "computeConfig", "kubernetesNetworkConfigs": "kubernetesNetworkConfig",
		"outpostConfigs": "outpostConfig", "remoteNetworkConfigs": "remoteNetworkConfig", "storageConfigs": "storageConfig",
		"upgradePolicies": "upgradePolicy", "zonalShiftConfigs": "zonalShiftConfig",
	} {
		out[list] = []any{}
		if v, set := c.Out[block]; set {
			out[list] = []any{v}
		}
	}
	out["tags"] = c.Out["tagsAll"]
	return out, nil
}
