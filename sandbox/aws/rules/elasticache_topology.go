package rules

import (
	"fmt"
	"strings"
)

// Limits of a replication group: AmazonElastiCache/latest/dg/
// quota-limits.html (500 shards with Redis 5.0.6 and later) and
// API_CreateReplicationGroup.html.
const (
	maxShards   = 500
	maxNodes    = 500
	maxReplicas = 5
)

// cacheEngine returns the engine and the version in the inputs, or the present ones.
func (c *Call) cacheEngine() (engine, version string) {
	engine, version = c.In.String("engine"), c.In.String("engineVersion")
	if version == "" && engine == c.Old.String("engine") {
		version = c.Old.String("engineVersion")
	}
	if version == "" {
		version = latestCache(engine)
	}
	return engine, version
}

// clusterOn says whether a group is sharded. Its parameter group decides that, or
// clusterMode if there is none.
func (c *Call) clusterOn() bool {
	name := c.In.String("parameterGroupName")
	if name == "" {
		name = c.Old.String("parameterGroupName")
	}
	if group, ok := c.resolve(toCacheParameters, name); ok && group.ID != "" {
		return clusterParameter(group.State) == "yes"
	}
	if _, on, ok := defaultCacheGroup(name); ok && (on || c.In.String("parameterGroupName") != "") {
		return on
	}
	return c.In.String("clusterMode") == "enabled" || c.In.String("clusterMode") == "compatible"
}

// shape returns the number of shards and the number of replicas in each.
func (c *Call) shape() (shards, replicas int) {
	shards = 1
	for _, from := range []Object{c.Old, c.In} {
		if from.Has("numNodeGroups") {
			shards = from.Int("numNodeGroups")
		}
		if from.Has("replicasPerNodeGroup") {
			replicas = from.Int("replicasPerNodeGroup")
		}
	}
	if c.In.Has("numCacheClusters") {
		shards, replicas = 1, c.In.Int("numCacheClusters")-1
	}
	return shards, replicas
}

// verifyReplicationGroup returns ElastiCache's error for a creation or a change. The
// text about failover is from public logs.
func verifyReplicationGroup(c *Call) error {
	engine, version := c.cacheEngine()
	if err := unknownCache(engine, version); err != nil {
		return err
	}
	if err := c.verifyCacheFamily(cacheVersions[engine][version].family); err != nil {
		return err
	}
	if err := c.verifyShape(); err != nil {
		return err
	}
	if err := c.verifyCacheEncryption(); err != nil {
		return err
	}
	if err := verifyUsers(c, engine); err != nil {
		return err
	}
	if err := verifyWindows(c, "snapshotWindow", "maintenanceWindow"); err != nil {
		return err
	}
	return c.verifyGroupsOfVPC("securityGroupIds", "subnetGroupName", "replication group")
}

func (c *Call) verifyCacheFamily(family string) error {
	name := c.In.String("parameterGroupName")
	if name == "" {
		return nil
	}
	theirs, _, _ := defaultCacheGroup(name)
	if group, ok := c.target("parameterGroupName"); ok {
		theirs = Object(group.State).String("family")
	}
	if theirs != family {
		return refuse("InvalidParameterCombination", "Expected a parameter group of family %s but found one of family %s: %s", family, theirs, name)
	}
	return nil
}

func (c *Call) verifyShape() error {
	shards, replicas := c.shape()
	on := c.clusterOn()
	switch mode := c.In.String("clusterMode"); {
	case on && !c.In.Bool("automaticFailoverEnabled"):
		return refuse("InvalidParameterCombination", "Redis with cluster mode enabled cannot be created with auto failover turned off.")
	case !on && shards > 1:
		return refuse("InvalidParameterCombination", "%d node groups need cluster mode: a parameter group with cluster-enabled yes, "+
			"such as default.redis7.cluster.on", shards)
	case (mode == "enabled" || mode == "compatible") && !on, mode == "disabled" && on:
		return refuse("InvalidParameterCombination", "clusterMode %s does not fit the parameter group's cluster-enabled", mode)
	case c.In.Bool("automaticFailoverEnabled") && !on && replicas < 1:
		return refuse("InvalidParameterCombination", "Automatic failover is not supported for replication groups with less than 2 cache clusters")
	case c.In.Bool("multiAzEnabled") && replicas < 1:
		return refuse("InvalidParameterCombination", "Multi-AZ needs a replica in each node group: replicasPerNodeGroup is 0")
	case shards*(1+replicas) > maxNodes:
		return refuse("InvalidParameterValue", "%d nodes are more than %d", shards*(1+replicas), maxNodes)
	case c.Old != nil && c.Old.Bool("clusterEnabled") && !on:
		return refuse("InvalidParameterCombination", "Cluster mode can't be turned off")
	}
	return nil
}

func (c *Call) verifyCacheEncryption() error {
	transit, mode := c.effective("transitEncryptionEnabled"), c.In.String("transitEncryptionMode")
	switch {
	case c.In.Has("authToken") && !transit:
		return refuse("InvalidParameterCombination", "The AUTH token is only supported when encryption-in-transit is enabled.")
	case c.In.Has("kmsKeyId") && !c.effective("atRestEncryptionEnabled"):
		return refuse("InvalidParameterCombination", "KmsKeyId is only supported when encryption-at-rest is enabled.")
	case mode != "" && !transit:
		return refuse("InvalidParameterCombination", "TransitEncryptionMode needs encryption-in-transit")
	}
	if c.Old == nil || transit == c.Old.Bool("transitEncryptionEnabled") {
		return nil
	}
	// AWS changes it in two steps: dg/in-transit-encryption-enable.html and
	// in-transit-encryption-disable.html.
	if transit && mode != "preferred" {
		return refuse("InvalidParameterCombination", "Encryption in transit is enabled in two steps: transitEncryptionMode preferred first, then required")
	}
	if !transit && c.Old.String("transitEncryptionMode") != "preferred" {
		return refuse("InvalidParameterCombination", "Encryption in transit is disabled in two steps: transitEncryptionMode preferred first")
	}
	return nil
}

// effective returns a boolean input, or its current value if the program does not give it.
func (c *Call) effective(name string) bool {
	if c.In.Has(name) {
		return c.In.Bool(name)
	}
	return c.Old.Bool(name)
}

func fillReplicationGroup(c *Call) error {
	engine, version := c.cacheEngine()
	v := cacheVersions[engine][version]
	shards, replicas := c.shape()
	on := c.clusterOn()
	group, _ := c.target("subnetGroupName")
	c.Out.fill(map[string]any{
		"port": 6379.0, "applyImmediately": false, "atRestEncryptionEnabled": engine == "valkey", "transitEncryptionEnabled": false,
		"securityGroupIds": c.defaultGroup(c.vpcOfGroup(group)), "networkType": "ipv4", "ipDiscovery": "ipv4", "snapshotWindow": "06:30-07:30",
		"maintenanceWindow": "sun:08:00-sun:09:00", "autoMinorVersionUpgrade": true, "dataTieringEnabled": false, "globalReplicationGroupId": "",
		"securityGroupNames": []any{},
	})
	mode := c.In.String("transitEncryptionMode")
	if c.Out.Bool("transitEncryptionEnabled") && mode == "" {
		if mode = c.Old.String("transitEncryptionMode"); mode == "" {
			mode = "required"
		}
	}
	c.Out["transitEncryptionMode"] = mode
	c.Out["maintenanceWindow"] = strings.ToLower(c.Out.String("maintenanceWindow"))
	c.Out["engineVersion"], c.Out["engineVersionActual"] = version, v.full
	c.Out["numNodeGroups"], c.Out["replicasPerNodeGroup"] = float64(shards), float64(replicas)
	c.Out["numCacheClusters"] = float64(shards * (1 + replicas))
	c.Out["clusterEnabled"] = on
	c.Out.fill(map[string]any{"clusterMode": map[bool]string{true: "enabled", false: "disabled"}[on]})
	if !c.In.Has("parameterGroupName") && !strings.HasPrefix(c.Out.String("parameterGroupName"), "default."+v.family) {
		c.Out["parameterGroupName"] = "default." + v.family + map[bool]string{true: ".cluster.on"}[on]
	}
	c.endpoints(on)
	members := []any{}
	for shard := 1; shard <= shards; shard++ {
		for node := 1; node <= 1+replicas; node++ {
			if on {
				members = append(members, fmt.Sprintf("%s-%04d-%03d", c.ID, shard, node))
			} else {
				members = append(members, fmt.Sprintf("%s-%03d", c.ID, node))
			}
		}
	}
	c.Out["memberClusters"] = members
	return nil
}

// endpoints sets the addresses. A sharded cache has one for all nodes, another has one
// for the primary and one for the readers.
func (c *Call) endpoints(on bool) {
	hash, site := c.siteHash("elasticache", 6), regions[c.Region].code+".cache.amazonaws.com"
	secure := c.Out.Bool("transitEncryptionEnabled")
	addresses := map[string]string{"configurationEndpointAddress": "", "primaryEndpointAddress": "", "readerEndpointAddress": ""}
	switch {
	case on && secure:
		addresses["configurationEndpointAddress"] = fmt.Sprintf("clustercfg.%s.%s.%s", c.ID, hash, site)
	case on:
		addresses["configurationEndpointAddress"] = fmt.Sprintf("%s.%s.clustercfg.%s", c.ID, hash, site)
	case secure:
		addresses["primaryEndpointAddress"] = fmt.Sprintf("master.%s.%s.%s", c.ID, hash, site)
		addresses["readerEndpointAddress"] = fmt.Sprintf("replica.%s.%s.%s", c.ID, hash, site)
	default:
		addresses["primaryEndpointAddress"] = fmt.Sprintf("%s.%s.ng.0001.%s", c.ID, hash, site)
		addresses["readerEndpointAddress"] = fmt.Sprintf("%s-ro.%s.ng.0001.%s", c.ID, hash, site)
	}
	for name, address := range addresses {
		c.Out[name] = address
	}
}
