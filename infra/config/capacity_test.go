package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The platforms of the images, and of the stores in the cluster, must cover the architecture of
// every tier.
func TestImagesCoverEveryTier(t *testing.T) {
	const (
		armWeb = `{"web":{"instanceTypes":["m7g.xlarge"]}}`
		arm    = `{"web":{"instanceTypes":["m7g.xlarge"]},"application":{"instanceTypes":["c6gn.2xlarge","c7gn.2xlarge"]}}`
		redis  = `{"kind":"inCluster","image":"ecr://debian/redis:7"`
	)
	for _, tc := range []struct {
		reason  string
		changes map[string]string
		want    string
	}{
		{"arm64 nodes, amd64 images", map[string]string{"tiers": armWeb}, "images.platforms: Invalid value: \"linux/amd64\": must have linux/arm64, because tier web has m7g.xlarge"},
		{"arm64 images, amd64 nodes by default", map[string]string{"images": `{"platforms":["linux/arm64"]}`}, "must have linux/amd64, because tier web has m7i.xlarge"},
		{"images of the architecture of one tier of two", map[string]string{"tiers": armWeb, "images": `{"platforms":["linux/arm64"]}`}, "because tier application has"},
		{"images of both architectures", map[string]string{"tiers": armWeb, "images": `{"platforms":["linux/amd64","linux/arm64"]}`}, ""},
		{"images and nodes of one architecture", map[string]string{"tiers": arm, "images": `{"platforms":["linux/arm64"]}`}, ""},
		{"a store's image of another architecture than the nodes", map[string]string{"tiers": arm, "images": `{"platforms":["linux/arm64"]}`, "redis": redis + `}`}, "redis.platforms: Invalid value: \"linux/amd64\": must have linux/arm64"},
		{"a store's image of the architecture of the nodes", map[string]string{"tiers": arm, "images": `{"platforms":["linux/arm64"]}`, "redis": redis + `,"platforms":["linux/arm64"]}`}, ""},
		{"a store may run on either tier", map[string]string{"tiers": armWeb, "images": `{"platforms":["linux/amd64","linux/arm64"]}`, "redis": redis + `}`}, "redis.platforms"},
		{"instances with a GPU and an arm64 processor", map[string]string{"tiers": `{"web":{"instanceTypes":["g5g.xlarge"]}}`}, "must have linux/arm64"},
		{"instances with a GPU and an amd64 processor", map[string]string{"tiers": `{"web":{"instanceTypes":["g5.xlarge"]}}`}, ""},
	} {
		t.Run(tc.reason, func(t *testing.T) { requireLoad(t, tc.changes, tc.want) })
	}
}

// requireLoad loads a valid configuration with changes of the project's keys. want is a part of the
// error. It is empty if there must be no error.
func requireLoad(t *testing.T, changes map[string]string, want string) {
	t.Helper()
	fullChanges := map[string]string{}
	for key, value := range changes {
		fullChanges[Project+":"+key] = value
	}
	_, err := Load("prod", validValuesWith(fullChanges))
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, want)
}

// Pods fit on nodes, connections on the database, and addresses in the network.
func TestLoadRefusesMorePodsConnectionsOrAddressesThanFit(t *testing.T) {
	const (
		sixZones = `"zones":["us-east-1a","us-east-1b","us-east-1c","us-east-1d","us-east-1e","us-east-1f"]`
		manyPods = `{"web":{"min":50},"mca":{"min":50,"max":50},"npa":{"min":50,"max":50},"wpa":{"min":50,"max":50}}`
	)
	for _, tc := range []struct {
		reason  string
		changes map[string]string
		want    string
	}{
		{"nodes that are too small for a pod", map[string]string{"tiers": `{"web":{"instanceTypes":["t3.nano"]}}`}, "tiers.web.instanceTypes: Invalid value: \"t3.nano\": a node has"},
		{"nodes that are too small for a pod with the smallest requests", map[string]string{"tiers": `{"application":{"instanceTypes":["t3.nano"]}}`, "cluster": `{"requestPercent":1}`}, "tiers.application.instanceTypes"},
		{"nodes with capacity for one pod", map[string]string{"tiers": `{"web":{"instanceTypes":["t3.medium"]}}`}, ""},
		{"a type without prefix delegation", map[string]string{"tiers": `{"web":{"instanceTypes":["m4.xlarge"]}}`}, "must be of a Nitro family"},
		{"a size that does not exist", map[string]string{"tiers": `{"web":{"instanceTypes":["m7i.3xlarge"]}}`}, "family m7i has the sizes"},
		{"fewer nodes than pods", map[string]string{"tiers": `{"web":{"instanceTypes":["t3.medium"],"min":1,"desired":1,"max":2}}`}, "tiers.web.max: Invalid value: 2: so many nodes do not hold all pods"},
		{"a store larger than a node", map[string]string{"postgres": `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":32768,"connections":200}`}, "a pod of postgres requests 500m and 32768 MiB: choose larger instances, or lower postgres.memoryMiB"},
		{"a cache that may outgrow a node", map[string]string{"redis": `{"kind":"inCluster","image":"ecr://debian/redis:7","memoryMiB":32768,"storageGiB":64}`},
			"redis.memoryMiB: Invalid value: 32768: a pod of redis may run on a node of tier web, m7i.xlarge, m6i.xlarge, m5.xlarge, which has 13098 MiB of memory for it"},
		{"a cache that outgrows its disk", map[string]string{"redis": `{"kind":"inCluster","image":"ecr://debian/redis:7","memoryMiB":8192,"storageGiB":15}`},
			"redis.memoryMiB: Invalid value: 8192: needs a volume of 16 GiB, and redis.storageGiB is 15"},
		{"a cache that fits on its disk", map[string]string{"redis": `{"kind":"inCluster","image":"ecr://debian/redis:7","memoryMiB":8192,"storageGiB":16}`}, ""},
		{"the default cache on a small disk", map[string]string{"redis": `{"kind":"inCluster","image":"ecr://debian/redis:7","storageGiB":7}`}, "redis.memoryMiB: Invalid value: 4096: needs a volume of 8 GiB"},
		{"a cache that fits on its nodes", map[string]string{"redis": `{"kind":"inCluster","image":"ecr://debian/redis:7","memoryMiB":13000,"storageGiB":30}`}, ""},
		{"more cores than a node has", map[string]string{"postgres": `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":8192,"connections":200,"cores":8}`},
			"postgres.cores: Invalid value: 8: a pod of postgres may run on a node of tier web, m7i.xlarge, m6i.xlarge, m5.xlarge, which has 4 cores for it"},
		{"as many cores as a node has", map[string]string{"postgres": `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":8192,"connections":200,"cores":4}`}, ""},
		{"a store that fits", map[string]string{"postgres": `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":8192,"connections":200}`}, ""},

		{"more pods than connections", map[string]string{"services": manyPods}, "postgres.connections: Invalid value: 200: must be at least 240: up to 204 pods"},
		{"exactly enough connections", map[string]string{"services": manyPods, "postgres": `{"instanceClass":"db.r7g.4xlarge","connections":240}`}, ""},
		{"one connection too few", map[string]string{"services": manyPods, "postgres": `{"instanceClass":"db.r7g.4xlarge","connections":239}`}, "must be at least 240"},
		{"too few connections in the cluster", map[string]string{"services": manyPods, "postgres": `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":8192,"connections":200}`}, "postgres.connections"},

		{"a /20 with six zones", map[string]string{"network": `{"cidr":"10.20.0.0/20",` + sixZones + `}`}, "network.cidr: Invalid value: \"10.20.0.0/20\": has 251 addresses for private-app in each of 6 zones"},
		{"a /20 with six zones and few nodes", map[string]string{"network": `{"cidr":"10.20.0.0/20",` + sixZones + `}`, "tiers": `{"web":{"min":1,"desired":2,"max":6},"application":{"min":1,"desired":2,"max":6}}`}, ""},
		{"a /16 with a thousand nodes", map[string]string{"tiers": `{"web":{"max":500},"application":{"max":500}}`}, "network.cidr"},
		{"a /19 with two zones", map[string]string{"network": `{"cidr":"10.20.0.0/19","zones":["us-east-1a","us-east-1b"]}`}, "network.cidr"},
	} {
		t.Run(tc.reason, func(t *testing.T) { requireLoad(t, tc.changes, tc.want) })
	}
}
