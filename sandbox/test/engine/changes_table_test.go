package engine

// outcome is the expected result of a change of an existing stack.
type outcome string

const (
	// applied is a change that is applied without a loss of data. The earlier value can be set
	// again.
	applied outcome = "applied"
	// refused is a change that the preview refuses.
	refused outcome = "refused"
	// oneWay is a change that is applied, and after which the earlier value is refused. An
	// example is a larger disk.
	oneWay outcome = "one way"
	// adds is a change that is applied and creates protected resources. The earlier value can
	// be set again after deletionProtection is off.
	adds outcome = "adds"
)

// change is a change of a configuration key of an existing stack.
type change struct {
	// key is the tested key.
	key string
	// values are the new values, by key. A nil value removes the key.
	values map[string]any
	want   outcome
	// message is a part of the error message if the preview refuses the change.
	message string
	// secondUpdate means that the change is applied in an update after the other
	// changes, because it can't be combined with them.
	secondUpdate bool
	// previewOnly means that the test only previews the change. The change refers to an
	// AWS resource that the stand-in does not have, so an update would fail.
	previewOnly bool
	// everyRun means that the change is tested in every run. The other changes are
	// tested only by `make properties`.
	everyRun bool
}

// setKey returns the change of one key.
func setKey(key string, value any, want outcome) change {
	return change{key: key, values: map[string]any{key: value}, want: want}
}

// withKey adds another key, which must change together with the tested key.
func (c change) withKey(key string, value any) change {
	c.values[key] = value
	return c
}

func (c change) withMessage(text string) change { c.message = text; return c }
func (c change) inSecondUpdate() change         { c.secondUpdate = true; return c }
func (c change) onlyPreviewed() change          { c.previewOnly = true; return c }
func (c change) inEveryRun() change             { c.everyRun = true; return c }

// protectedText is a part of the engine's message that refuses to delete a protected resource.
const protectedText = "protect"

const certificateARN = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"

// stagingZones does not have us-east-1a. A row adds it before the other zones. The resources of
// the other zones must not change.
var stagingZones = []string{"us-east-1b", "us-east-1c", "us-east-1d"}

// otherSubnetIDs are subnets of a VPC that the stack did not create.
var otherSubnetIDs = []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}

// stagingVersion is the Kubernetes version of the cluster before the changes. It is one minor
// version older than the default, so that a row can upgrade the cluster.
const stagingVersion = "1.35"

// stagingChanges has rows for the keys of a stack with managed stores.
var stagingChanges = []change{
	setKey("aws:region", "eu-west-1", refused).withKey("network.zones", []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}).withMessage(`aws:region: "us-east-1" can't become "eu-west-1"`),
	setKey("environment", "other", refused).withMessage(`environment: "staging" can't become "other"`).inEveryRun(),
	setKey("account", "210987654321", refused).withMessage("is a placeholder, which account 210987654321 cannot use"),
	setKey("deletionProtection", false, applied),
	setKey("discardData", true, applied),
	setKey("maintenanceDay", "tue", applied),
	setKey("applyImmediately", false, applied),
	setKey("permissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess", applied),
	setKey("aws:profile", "platform", applied),
	setKey("aws:assumeRole.roleArn", "arn:aws:iam::123456789012:role/platform-deployer", applied).inSecondUpdate(), // another row makes this role an administrator
	setKey("aws:defaultTags.tags", map[string]string{"CostCenter": "42"}, applied),
	setKey("aws:ignoreTags.keys", []string{"Audited"}, applied),
	setKey("aws:ignoreTags.keyPrefixes", []string{"audit:"}, applied),
	setKey("caFile", "sandbox/test/engine/testdata/ca.pem", applied),
	setKey("network.cidr", "10.40.0.0/16", refused).withMessage(`network.cidr: "10.20.0.0/16" can't become "10.40.0.0/16"`).inEveryRun(),
	setKey("network.zones", []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"}, adds),
	setKey("network.zones", []string{"us-east-1d", "us-east-1c", "us-east-1b"}, applied).inEveryRun(),
	setKey("network.zones", []string{"us-east-1c", "us-east-1d"}, refused).withMessage(`network.zones (zone of the NAT gateway): "us-east-1b" can't become "us-east-1c"`),
	setKey("network.zones", []string{"us-east-1b", "us-east-1d"}, refused).withMessage(`cluster.zones: "us-east-1b, us-east-1c" can't become "us-east-1b, us-east-1d"`).inEveryRun(),
	setKey("network.zones", []string{"us-east-1b", "us-east-1c"}, refused).withMessage(protectedText),
	setKey("network.vpcId", "vpc-0123456789abcdef0", refused).withKey("network.privateSubnetIds", otherSubnetIDs).
		withKey("network.cidr", nil).withKey("network.zones", nil).withKey("network.natGateways", nil).withKey("network.endpoints", nil).
		withMessage(`network.cidr: "10.20.0.0/16" can't become ""`).inEveryRun(),
	setKey("network.privateSubnetIds", otherSubnetIDs, refused).withMessage("network.privateSubnetIds: Forbidden: needs network.vpcId"),
	setKey("network.databaseSubnetIds", otherSubnetIDs, refused).withMessage("network.databaseSubnetIds: Forbidden: needs network.vpcId"),
	setKey("network.natGateways", "perZone", adds),
	setKey("network.endpoints", "perZone", applied),
	setKey("cluster.version", "1.36", oneWay),
	setKey("cluster.version", "1.34", refused).withMessage(`cluster.version: "1.35" can't become "1.34"`).inEveryRun(),
	setKey("cluster.upgradeStage", "controlPlane", refused).withMessage(`cluster.upgradeStage: "autoscaler" can't become "controlPlane"`),
	setKey("cluster.extendedSupport", true, applied),
	setKey("cluster.zones", []string{"us-east-1c", "us-east-1d"}, refused).withMessage("cluster.zones:"),
	setKey("cluster.admins", []string{"arn:aws:iam::123456789012:role/platform-operators", "arn:aws:iam::123456789012:role/platform-deployer"}, applied),
	setKey("cluster.publicAccessCidrs", []string{"203.0.113.0/25", "198.51.100.0/24"}, applied),
	setKey("cluster.privateAccessCidrs", []string{"10.99.0.0/16"}, applied).inEveryRun(),
	setKey("cluster.privateAccessSecurityGroups", []string{"sg-0123456789abcdef0"}, applied).onlyPreviewed(),
	setKey("cluster.sessionManager", true, applied),
	setKey("cluster.nodes", "own", refused),
	setKey("cluster.requestPercent", 90, applied),
	setKey("tiers.web.min", 2, applied),
	setKey("tiers.web.desired", 3, applied),
	setKey("tiers.web.max", 7, applied),
	setKey("tiers.web.capacityOwner", "scalingPolicies", applied),
	setKey("tiers.web.instanceTypes", []string{"m6i.2xlarge", "m5.2xlarge"}, applied),
	setKey("tiers.web.onDemandBase", 1, applied).withKey("tiers.web.spotShare", 50),
	setKey("tiers.web.spotShare", 50, applied),
	setKey("tiers.web.volumeGiB", 60, applied),
	setKey("tiers.web.imageId", "ami-0123456789abcdef0", applied),
	setKey("tiers.web.imageId", "ami-0123456789abcdef1", refused).withMessage("is for arm64, and the instances").inEveryRun(),
	setKey("tiers.web.release", "1.34-20260625", applied).inSecondUpdate(),
	setKey("tiers.web.release", "1.34-20260625", refused).withKey("tiers.application.release", "1.34-20260625").withMessage("tiers.application.release and tiers.web.release can't change in one update").inEveryRun(),
	setKey("tiers.web.release", "1.36-20260923", refused).withMessage("upgrade cluster.version first"),
	setKey("images.platforms", []string{"linux/amd64", "linux/arm64"}, applied),
	setKey("images.mirror", "ecr://mirror", applied),
	setKey("images.signingKey", ".sandbox/issuer/signing.pem", applied),
	setKey("images.kmsSigners", []string{"arn:aws:iam::123456789012:role/platform-deployer"}, adds),
	setKey("images.requiredGates", []string{"pods"}, applied),
	setKey("images.trustedKeys", []string{".sandbox/issuer/signing.pem.pub"}, applied),
	setKey("release.commit", "0123456789012345678901234567890123456789", refused).withMessage("release.images.web: Required value"),
	setKey("release.at", "2026-12-01T10:00:00Z", refused).withMessage("release.commit: Required value"),
	setKey("release.from", "staging", refused).withMessage("release.commit: Required value"),
	setKey("release.repository", "registry.example.com/staging", refused).withMessage("release.commit: Required value"),
	setKey("release.draft", true, refused).withMessage("release.commit: Required value"),
	setKey("release.images", map[string]string{"web": "v1"}, refused).withMessage("release.images.web: Invalid value"),
	setKey("services.mca.min", 1, applied),
	setKey("services.mca.max", 3, applied).inEveryRun(),
	setKey("podScaling.enabled", false, refused).withMessage(protectedText),
	setKey("podScaling.resizeSeconds", 120, applied),
	setKey("podScaling.predictive", "shadow", adds),
	setKey("prometheus.replicas", 1, refused).withMessage(protectedText),
	setKey("prometheus.storageGiB", 60, oneWay),
	setKey("prometheus.workspaceArn", "arn:aws:aps:us-east-1:123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef", applied),
	setKey("auth.issuer", "https://other.progressive-framework.example", applied),
	setKey("auth.audience", "other", applied),
	setKey("auth.jwksUrl", "https://login.progressive-framework.example/keys.json", applied),
	setKey("auth.jwksFile", ".sandbox/issuer/jwks.json", applied).withKey("auth.jwksUrl", nil).inSecondUpdate(),
	setKey("edge.domain", "other.progressive-framework.example", refused).withMessage(protectedText),
	setKey("edge.domain", nil, refused).withMessage(protectedText).withKey("edge.zone", nil),
	setKey("edge.zone", nil, refused).withKey("edge.certificateArn", certificateARN).withKey("edge.originCertificateArn", certificateARN).withMessage(protectedText),
	setKey("edge.certificateArn", certificateARN, refused).withMessage("edge"),
	setKey("edge.originCertificateArn", certificateARN, refused).withMessage("edge"),
	setKey("edge.cacheable", []string{"/api/v1/menu"}, applied),
	setKey("edge.hstsSubdomains", true, applied),
	setKey("edge.webAcl", false, refused).withMessage(protectedText), // the web ACL's log group is protected
	setKey("edge.webAclMode", "block", applied),
	setKey("edge.requestsPerAddress", 5000, applied),
	setKey("edge.alarmTopicArn", "arn:aws:sns:us-east-1:123456789012:alarms", applied),
	setKey("policy.cost.monthlyBudget", 1500, applied),
	setKey("policy.cost.maxGrowthPercent", 20, applied),
	setKey("policy.cost.estimates", map[string]int{"natGB": 100}, applied),
	setKey("policy.levels", map[string]string{"log-group-year": "mandatory"}, applied),
	setKey("policy.waivers", []any{map[string]string{"rule": "log-group-year", "resource": "*", "reason": "a test", "owner": "platform", "until": "2027-03-31"}}, applied),
	setKey("postgres.kind", "none", refused).withKey("postgres.instanceClass", nil),
	setKey("postgres.instanceClass", "db.t4g.xlarge", applied),
	setKey("postgres.connections", 110, applied),
	setKey("postgres.storageGiB", 200, oneWay),
	setKey("postgres.storageGiB", 50, refused).withMessage(`postgres.storageGiB: "100" can't become "50"`),
	setKey("postgres.backupDays", 8, applied),
	setKey("postgres.backupRegion", "us-west-2", adds).onlyPreviewed(), // AWS keeps the copies of a key that is taken away, and the account must be empty after the test
	setKey("postgres.singleZone", false, applied),
	setKey("postgres.snapshotIdentifier", "last", refused).withMessage(`postgres.snapshotIdentifier: "" can't become "last"`).inEveryRun(),
	setKey("redis.kind", "none", refused).withKey("redis.nodeType", nil).withKey("redis.shards", nil).withKey("redis.snapshotDays", nil).withMessage(protectedText).inEveryRun(),
	setKey("redis.nodeType", "cache.t4g.medium", applied),
	setKey("redis.shards", 2, applied),
	setKey("redis.replicasPerShard", 2, applied),
	setKey("redis.snapshotDays", 2, applied),
	setKey("redis.passwordGeneration", 1, oneWay),
	setKey("redis.snapshotName", "last", refused).withMessage(`redis.snapshotName: "" can't become "last"`),
	setKey("mongo.kind", "none", refused).withKey("mongo.instanceClass", nil).withKey("mongo.instances", nil).withKey("mongo.backupDays", nil).withMessage(protectedText),
	setKey("mongo.url", "mongodb+srv://platform@cluster.example.net/", refused).withMessage("mongo.url: Forbidden"),
	setKey("mongo.passwordSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:m-AbCdEf", refused).withMessage("mongo.passwordSecretArn: Forbidden"),
	setKey("mongo.passwordKeyArn", "arn:aws:kms:us-east-1:123456789012:key/a", refused).withMessage("mongo.passwordKeyArn: Forbidden"),
	setKey("mongo.cidrs", []string{"10.60.0.0/24"}, refused).withMessage("mongo.cidrs: Forbidden"),
	setKey("mongo.caFile", "sandbox/test/engine/testdata/ca.pem", refused).withMessage("mongo.caFile: Forbidden"),
	setKey("mongo.instanceClass", "db.r6g.large", applied),
	setKey("mongo.instances", 2, applied),
	setKey("mongo.backupDays", 8, applied),
	setKey("mongo.backupRegion", "us-west-2", adds).onlyPreviewed(), // the vaults of a key that is taken away are protected
	setKey("mongo.snapshotIdentifier", "last", refused).withMessage(`mongo.snapshotIdentifier: "" can't become "last"`),
}

// sandboxChanges has rows for the keys of a stack with stores in the cluster.
var sandboxChanges = []change{
	setKey("storageClass", "fast-ssd", refused).withMessage(`storageClass: "sandbox-local" can't become "fast-ssd"`).inEveryRun(),
	setKey("frontDoor.nodePort", 30081, applied),
	setKey("podScaling.resizeSeconds", 60, applied),
	setKey("podScaling.predictive", "on", applied),
	setKey("prometheus.replicas", 2, adds),
	setKey("prometheus.storageGiB", 2, oneWay),
	setKey("postgres.kind", "none", refused).inEveryRun(),
	setKey("postgres.image", "ecr://debian/redis:7", applied),
	setKey("postgres.memoryMiB", 2048, applied),
	setKey("postgres.cores", 1, applied),
	setKey("postgres.passwordGeneration", 1, oneWay),
	setKey("postgres.storageGiB", 4, oneWay).inEveryRun(),
	setKey("postgres.storageGiB", 1, refused).withMessage(`postgres.storageGiB: "2" can't become "1"`).inEveryRun(),
	setKey("redis.kind", "none", refused).withKey("redis.image", nil).withKey("redis.memoryMiB", nil).withKey("redis.storageGiB", nil).withMessage(protectedText),
	setKey("postgres.platforms", []string{"linux/arm64"}, refused).withMessage("postgres.platforms: Forbidden"),
	setKey("redis.platforms", []string{"linux/arm64"}, refused).withMessage("redis.platforms: Forbidden"),
	setKey("redis.image", "ecr://debian/postgres:15", applied),
	setKey("redis.memoryMiB", 256, applied),
	setKey("redis.storageGiB", 2, oneWay),
}
