package rules

import (
	"fmt"
	"strings"
)

// Limits of a replication group: AmazonElastiCache/latest/dg/quota-limits.html (500 shards
// with Redis 5.0.6 and later) and API_CreateReplicationGroup.html.
const (
	maxShards   = 500
	maxNodes    = 500
	maxReplicas = 5
)

// cacheEngineAndVersion returns the engine and the version in the inputs. If the inputs have no
// version, the result has the current version of the same engine, or else the latest
// version.
func (c *Call) cacheEngineAndVersion() (engine, version string) {
	engine, version = c.In.String("engine"), c.In.String("engineVersion")
	if version == "" && engine == c.Old.String("engine") {
		version = c.Old.String("engineVersion")
	}
	if version == "" {
		version = latestCacheVersion(engine)
	}
	return engine, version
}

// isSharded reports whether a replication group is in cluster mode. The parameter group decides
// this. If there is no parameter group, the property clusterMode decides this.
func (c *Call) isSharded() bool {
	name := c.In.String("parameterGroupName")
	if name == "" {
		name = c.Old.String("parameterGroupName")
	}
	if group, ok := c.resolve(toCacheParameters, name); ok && group.ID != "" {
		return clusterEnabledValue(group.State) == "yes"
	}
	// A default parameter group without cluster mode decides only if the program sets the
	// group. If only the state has the group, the program may have changed clusterMode.
	if _, sharded, ok := parseDefaultCacheGroup(name); ok && (sharded || c.In.String("parameterGroupName") != "") {
		return sharded
	}
	return c.In.String("clusterMode") == "enabled" || c.In.String("clusterMode") == "compatible"
}

// nodeCounts returns the number of shards and the number of replicas in each shard.
func (c *Call) nodeCounts() (shards, replicas int) {
	shards = 1
	for _, o := range []Object{c.Old, c.In} { // the inputs override the state
		if o.Has("numNodeGroups") {
			shards = o.Int("numNodeGroups")
		}
		if o.Has("replicasPerNodeGroup") {
			replicas = o.Int("replicasPerNodeGroup")
		}
	}
	if c.In.Has("numCacheClusters") {
		shards, replicas = 1, c.In.Int("numCacheClusters")-1
	}
	return shards, replicas
}

// verifyReplicationGroup returns ElastiCache's error for a creation or a change. The error
// text about automatic failover is from public logs.
func verifyReplicationGroup(c *Call) error {
	engine, version := c.cacheEngineAndVersion()
	if err := verifyCacheVersion(engine, version); err != nil {
		return err
	}
	if err := c.verifyCacheFamily(cacheVersions[engine][version].family); err != nil {
		return err
	}
	if err := c.verifyNodeCounts(); err != nil {
		return err
	}
	if err := c.verifyCacheEncryption(); err != nil {
		return err
	}
	if err := verifyUsableUserGroups(c, engine); err != nil {
		return err
	}
	if err := verifyWindows(c, "snapshotWindow", "maintenanceWindow"); err != nil {
		return err
	}
	if err := verifyRestoredCache(c); err != nil {
		return err
	}
	return c.verifySecurityGroupVPC("securityGroupIds", "subnetGroupName", "replication group")
}

// verifyCacheFamily returns an error if the parameter group in the inputs has another family.
func (c *Call) verifyCacheFamily(family string) error {
	name := c.In.String("parameterGroupName")
	if name == "" {
		return nil
	}
	groupFamily, _, _ := parseDefaultCacheGroup(name)
	if group, ok := c.referencedObject("parameterGroupName"); ok {
		groupFamily = Object(group.State).String("family")
	}
	if groupFamily != family {
		return refuse("InvalidParameterCombination", "Expected a parameter group of family %s but found one of family %s: %s", family, groupFamily, name)
	}
	return nil
}

// verifyNodeCounts returns an error for numbers of shards and replicas that the cluster
// mode or the automatic failover does not allow.
func (c *Call) verifyNodeCounts() error {
	shards, replicas := c.nodeCounts()
	sharded := c.isSharded()
	mode := c.In.String("clusterMode")
	modeConflicts := mode != "" && (mode != "disabled") != sharded
	switch {
	case sharded && !c.In.Bool("automaticFailoverEnabled"):
		return refuse("InvalidParameterCombination", "Redis with cluster mode enabled cannot be created with auto failover turned off.")
	case !sharded && shards > 1:
		return refuse("InvalidParameterCombination", "%d node groups need cluster mode: a parameter group with cluster-enabled yes, "+
			"such as default.redis7.cluster.on", shards)
	case modeConflicts:
		return refuse("InvalidParameterCombination", "clusterMode %s does not fit the parameter group's cluster-enabled", mode)
	case c.In.Bool("automaticFailoverEnabled") && !sharded && replicas < 1:
		return refuse("InvalidParameterCombination", "Automatic failover is not supported for replication groups with less than 2 cache clusters")
	case c.In.Bool("multiAzEnabled") && replicas < 1:
		return refuse("InvalidParameterCombination", "Multi-AZ needs a replica in each node group: replicasPerNodeGroup is 0")
	case shards*(1+replicas) > maxNodes:
		return refuse("InvalidParameterValue", "%d nodes are more than %d", shards*(1+replicas), maxNodes)
	case c.Old != nil && c.Old.Bool("clusterEnabled") && !sharded:
		return refuse("InvalidParameterCombination", "Cluster mode can't be turned off")
	}
	return nil
}

// verifyCacheEncryption returns an error for a property that requires encryption if the
// encryption is disabled. It also returns an error if the encryption in transit is not changed
// in two steps.
func (c *Call) verifyCacheEncryption() error {
	transitEncrypted, mode := c.effectiveBool("transitEncryptionEnabled"), c.In.String("transitEncryptionMode")
	switch {
	case c.In.Has("authToken") && !transitEncrypted:
		return refuse("InvalidParameterCombination", "The AUTH token is only supported when encryption-in-transit is enabled.")
	case c.In.Has("kmsKeyId") && !c.effectiveBool("atRestEncryptionEnabled"):
		return refuse("InvalidParameterCombination", "KmsKeyId is only supported when encryption-at-rest is enabled.")
	case mode != "" && !transitEncrypted:
		return refuse("InvalidParameterCombination", "TransitEncryptionMode needs encryption-in-transit")
	}
	if c.Old == nil || transitEncrypted == c.Old.Bool("transitEncryptionEnabled") {
		return nil
	}
	// AWS changes the encryption in two steps (dg/in-transit-encryption-enable.html and
	// in-transit-encryption-disable.html).
	if transitEncrypted && mode != "preferred" {
		return refuse("InvalidParameterCombination", "Encryption in transit is enabled in two steps: transitEncryptionMode preferred first, then required")
	}
	if !transitEncrypted && c.Old.String("transitEncryptionMode") != "preferred" {
		return refuse("InvalidParameterCombination", "Encryption in transit is disabled in two steps: transitEncryptionMode preferred first")
	}
	return nil
}

// effectiveBool returns a boolean input, or its current value if the program does not
// set it.
func (c *Call) effectiveBool(name string) bool {
	if c.In.Has(name) {
		return c.In.Bool(name)
	}
	return c.Old.Bool(name)
}

// fillReplicationGroup computes the outputs of a group: the values that AWS chooses, the
// endpoints and the names of the nodes.
func fillReplicationGroup(c *Call) error {
	engine, version := c.cacheEngineAndVersion()
	release := cacheVersions[engine][version]
	shards, replicas := c.nodeCounts()
	sharded := c.isSharded()
	group, _ := c.referencedObject("subnetGroupName")
	c.Out.setDefaults(map[string]any{
		"port": 6379.0, "applyImmediately": false, "atRestEncryptionEnabled": engine == "valkey", "transitEncryptionEnabled": false,
		"securityGroupIds": c.defaultGroupIDs(c.vpcOfSubnetGroup(group)), "networkType": "ipv4", "ipDiscovery": "ipv4", "snapshotWindow": "06:30-07:30",
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
	c.Out["engineVersion"], c.Out["engineVersionActual"] = version, release.fullVersion
	c.Out["numNodeGroups"], c.Out["replicasPerNodeGroup"] = float64(shards), float64(replicas)
	c.Out["numCacheClusters"] = float64(shards * (1 + replicas))
	c.Out["clusterEnabled"] = sharded
	clusterMode, groupSuffix := "disabled", ""
	if sharded {
		clusterMode, groupSuffix = "enabled", ".cluster.on"
	}
	c.Out.setDefaults(map[string]any{"clusterMode": clusterMode})
	if !c.In.Has("parameterGroupName") && !strings.HasPrefix(c.Out.String("parameterGroupName"), "default."+release.family) {
		c.Out["parameterGroupName"] = "default." + release.family + groupSuffix
	}
	c.setEndpoints(sharded)
	members := []any{}
	for shard := 1; shard <= shards; shard++ {
		for node := 1; node <= 1+replicas; node++ {
			if sharded {
				members = append(members, fmt.Sprintf("%s-%04d-%03d", c.ID, shard, node))
			} else {
				members = append(members, fmt.Sprintf("%s-%03d", c.ID, node))
			}
		}
	}
	c.Out["memberClusters"] = members
	return nil
}

// setEndpoints sets the endpoint addresses of a cache. A sharded cache has one address for all
// nodes. Any other cache has an address for the primary and an address for the readers.
func (c *Call) setEndpoints(sharded bool) {
	hash, domain := c.regionalHash("elasticache", 6), regions[c.Region].zoneIDPrefix+".cache.amazonaws.com"
	encrypted := c.Out.Bool("transitEncryptionEnabled")
	addresses := map[string]string{"configurationEndpointAddress": "", "primaryEndpointAddress": "", "readerEndpointAddress": ""}
	switch {
	case sharded && encrypted:
		addresses["configurationEndpointAddress"] = fmt.Sprintf("clustercfg.%s.%s.%s", c.ID, hash, domain)
	case sharded:
		addresses["configurationEndpointAddress"] = fmt.Sprintf("%s.%s.clustercfg.%s", c.ID, hash, domain)
	case encrypted:
		addresses["primaryEndpointAddress"] = fmt.Sprintf("master.%s.%s.%s", c.ID, hash, domain)
		addresses["readerEndpointAddress"] = fmt.Sprintf("replica.%s.%s.%s", c.ID, hash, domain)
	default:
		addresses["primaryEndpointAddress"] = fmt.Sprintf("%s.%s.ng.0001.%s", c.ID, hash, domain)
		addresses["readerEndpointAddress"] = fmt.Sprintf("%s-ro.%s.ng.0001.%s", c.ID, hash, domain)
	}
	for name, address := range addresses {
		c.Out[name] = address
	}
}
