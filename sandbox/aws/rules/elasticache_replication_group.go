package rules

const (
	replicationGroupType = "aws:elasticache/replicationGroup:ReplicationGroup"

	noCopies = "copies of other caches are not supported yet"
)

// toCacheKey is a reference to the KMS key of a cache. toCacheLogGroup is a reference to the
// log group for its logs.
var (
	toCacheKey      = &Ref{To: []string{keyType}, By: []string{"arn"}, Noun: "KMS key", Missing: "InvalidParameterValue"}
	toCacheLogGroup = &Ref{To: []string{logGroupType}, By: []string{"name"}, Noun: "log group", Missing: "InvalidParameterValue"}
)

var finalCacheSnapshot = finalSnapshot{cacheSnapshotType, "SnapshotAlreadyExistsFault"}

// checkAuthToken returns a message unless the value is a valid password of a cache
// (AmazonElastiCache/latest/dg/auth.html).
var checkAuthToken = hideValue(all(length(16, 128), pattern(`[A-Za-z0-9!&#$^<>-]+`, "letters, digits and ! & # $ ^ < > -")))

// The row has no deletion protection, because ElastiCache has none.
var _ = registerRows(&Row{
	Token:  replicationGroupType,
	Source: "elasticache/replication_group.go", Page: "AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html",
	Label: "ElastiCache Replication Group", ID: "{replicationGroupId}", NotFound: "ReplicationGroupNotFoundFault",
	ExistsCode: "ReplicationGroupAlreadyExists", ExistsText: "Replication group {replicationGroupId} already exists.",
	Naming: &Naming{Prop: "replicationGroupId", Max: 40, Lower: true},
	// AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html. The numbers of shards
	// and replicas change immediately, by other calls.
	Deferral: &Deferral{Props: []string{"nodeType", "engineVersion"}, Window: "maintenanceWindow"},
	Props: Props{
		"replicationGroupId": {Replace: true, Valid: checkCacheID},
		"description":        {Valid: length(1, 1024)},
		"engine":             {Default: "redis", Enum: []string{"redis", "valkey"}},
		"engineVersion":      {Computed: true, Valid: pattern(`\d\.\d`, "a version as in 7.1")},
		"nodeType":           {Required: true, Computed: true, Valid: cacheTypes.check},
		"port":               {Replace: true, Computed: true, Valid: numbers(1150, 65535)},
		"applyImmediately":   {Computed: true},

		"clusterMode":              {Computed: true},
		"numNodeGroups":            {Computed: true, Valid: numbers(1, maxShards)},
		"replicasPerNodeGroup":     {Computed: true, Valid: numbers(0, maxReplicas)},
		"numCacheClusters":         {Computed: true, Valid: numbers(1, maxReplicas+1)},
		"automaticFailoverEnabled": {Default: false},
		"multiAzEnabled":           {Default: false},

		"atRestEncryptionEnabled":  {Replace: true, Computed: true},
		"kmsKeyId":                 {Replace: true, Valid: checkARN, Ref: toCacheKey},
		"transitEncryptionEnabled": {Computed: true},
		"transitEncryptionMode":    {Computed: true},
		"authToken":                {Valid: checkAuthToken},
		"authTokenUpdateStrategy":  {Default: "ROTATE"},
		"userGroupIds":             {Set: true, Max: 1, Ref: toCacheUserGroup},

		"subnetGroupName":    {Required: true, Replace: true, Computed: true, Ref: toCacheSubnetGroup},
		"securityGroupIds":   {Set: true, Computed: true, Min: 1, Ref: toSecurityGroup},
		"parameterGroupName": {Computed: true, Ref: toCacheParameters},
		"networkType":        {Replace: true, Computed: true, Enum: []string{"ipv4"}},
		"ipDiscovery":        {Computed: true, Enum: []string{"ipv4"}},

		"snapshotRetentionLimit":  {Default: 0.0, Valid: numbers(0, 35)},
		"snapshotWindow":          {Computed: true, Valid: checkDailyWindow(minCacheWindow)},
		"maintenanceWindow":       {Computed: true, Valid: checkWeeklyWindow(minCacheWindow), Same: sameWindow},
		"finalSnapshotIdentifier": {Valid: snapshotName},
		"autoMinorVersionUpgrade": {Computed: true},

		"logDeliveryConfigurations":                 {Set: true, Max: 2},
		"logDeliveryConfigurations.destination":     {Ref: toCacheLogGroup},
		"logDeliveryConfigurations.destinationType": {Enum: []string{"cloudwatch-logs"}},
		"logDeliveryConfigurations.logFormat":       {},
		"logDeliveryConfigurations.logType":         {},

		"dataTieringEnabled":       {Replace: true, Computed: true, Refuse: "nodes with disks are not supported yet"},
		"globalReplicationGroupId": {Replace: true, Computed: true, Refuse: "global datastores are not supported"},
		"notificationTopicArn":     {Refuse: "notifications are not supported yet"},
		"preferredCacheClusterAzs": {Refuse: "AWS spreads nodes over zones by itself"},
		"securityGroupNames":       {Replace: true, Computed: true, Refuse: "EC2-Classic no longer exists"},
		"snapshotArns":             {Replace: true, Refuse: noCopies},
		"snapshotName":             {Replace: true, Valid: sourceSnapshotName},
	},
	AtMostOne: [][]string{
		{"authToken", "userGroupIds"}, {"numCacheClusters", "numNodeGroups"}, {"numCacheClusters", "replicasPerNodeGroup"},
	},
	Outputs:   map[string]string{"arn": "arn:{partition}:elasticache:{region}:{account}:replicationgroup:{replicationGroupId}"},
	Check:     checkReplicationGroup,
	Verify:    verifyReplicationGroup,
	Fill:      fillReplicationGroup,
	ReplaceIf: replacingCacheProps,
	BeforeDelete: func(c *Call) error {
		if id := c.Old.String("finalSnapshotIdentifier"); id != "" {
			return finalCacheSnapshot.create(c, id)
		}
		return nil
	},
})

// checkReplicationGroup reports the failures that the provider reports before it calls
// AWS.
func checkReplicationGroup(in Object, fail Fail) {
	isOff := func(name string) bool { return !in.Has(name) || (in.Known(name) && !in.Bool(name)) }
	if in.Bool("multiAzEnabled") && isOff("automaticFailoverEnabled") {
		fail("automaticFailoverEnabled", "must be true if multiAzEnabled is true")
	}
	if in.Bool("automaticFailoverEnabled") && in.Has("numCacheClusters") && in.Known("numCacheClusters") && in.Int("numCacheClusters") < 2 {
		fail("numCacheClusters", "must be at least 2 if automaticFailoverEnabled is true")
	}
	seen := map[string]bool{}
	for _, log := range in.Objects("logDeliveryConfigurations") {
		kind := log.String("logType")
		if kind != "" && seen[kind] {
			fail("logDeliveryConfigurations", "%s is delivered twice", kind)
		}
		seen[kind] = true
	}
}

// replacingCacheProps returns the changed properties that replace a group. The provider
// replaces a group for an older version, and for a change from Valkey to Redis.
func replacingCacheProps(old, in Object) []string {
	oldEngine, newEngine := old.String("engine"), in.String("engine")
	if newEngine == "" {
		newEngine = "redis" // the provider's default
	}
	switch version := in.String("engineVersion"); {
	case oldEngine == "valkey" && newEngine == "redis":
		return []string{"engine"}
	case oldEngine == newEngine && version != "" && version < old.String("engineVersion"):
		return []string{"engineVersion"}
	}
	return nil
}
