package engine

// outcome is the expected result of a change of an existing stack.
type outcome string

const (
	// applied is a change without a loss; the former value can be set again.
	applied outcome = "applied"
	// refused is a change that the preview refuses.
	refused outcome = "refused"
	// oneWay is applied, and the former value is refused: a disk that grew, an
	// upgrade, a rotation.
	oneWay outcome = "one way"
	// adds is applied and creates protected resources. The former value can be set
	// again after deletionProtection is off.
	adds outcome = "adds"
)

// change changes a configuration key of an existing stack.
type change struct {
	// key is the tested key.
	key string
	// set are values by keys; nil removes a key.
	set  map[string]any
	want outcome
	// says is part of a refusal's message.
	says string
	// later rows are applied after the others, because they can't be combined.
	later bool
	// previewOnly rows refer to something at AWS that the stand-in does not have.
	previewOnly bool
	// sampled rows are tested in every run, the others only by `make properties`.
	sampled bool
}

// to changes one key.
func to(key string, value any, want outcome) change {
	return change{key: key, set: map[string]any{key: value}, want: want}
}

// and adds another key that must change together with it.
func (c change) and(key string, value any) change {
	c.set[key] = value
	return c
}

func (c change) saying(text string) change { c.says = text; return c }

func (c change) afterwards() change { c.later = true; return c }

func (c change) previewed() change { c.previewOnly = true; return c }

func (c change) sample() change { c.sampled = true; return c }

// protectedText is part of the engine's message for protected resources.
const protectedText = "protect"

const certificate = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"

// stagingZones does not have the first zone by name. A row adds it, and must move no
// resource of the others.
var stagingZones = []string{"us-east-1b", "us-east-1c", "us-east-1d"}

// otherSubnets are subnets of a VPC that the stack did not create.
var otherSubnets = []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}

// stagingVersion is one minor before the default, so that a row can upgrade it.
const stagingVersion = "1.35"

// stagingChanges has a row for every key of a stack with managed stores.
var stagingChanges = []change{
	to("aws:region", "eu-west-1", refused).and("network.zones", []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}).saying(`aws:region: "us-east-1" can't become "eu-west-1"`),
	to("environment", "other", refused).saying(`environment: "staging" can't become "other"`).sample(),
	to("account", "210987654321", refused).saying("is a placeholder, which account 210987654321 cannot use"),
	to("deletionProtection", false, applied),
	to("discardData", true, applied),
	to("maintenanceDay", "tue", applied),
	to("permissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess", applied),
	to("aws:profile", "platform", applied),
	to("aws:assumeRole.roleArn", "arn:aws:iam::123456789012:role/platform-deployer", applied).afterwards(), // another row makes it an administrator
	to("aws:defaultTags.tags", map[string]string{"CostCenter": "42"}, applied),
	to("aws:ignoreTags.keys", []string{"Audited"}, applied),
	to("aws:ignoreTags.keyPrefixes", []string{"audit:"}, applied),
	to("caFile", "sandbox/test/engine/testdata/ca.pem", applied),
	to("network.cidr", "10.40.0.0/16", refused).saying(`network.cidr: "10.20.0.0/16" can't become "10.40.0.0/16"`).sample(),
	to("network.zones", []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"}, adds),
	to("network.zones", []string{"us-east-1d", "us-east-1c", "us-east-1b"}, applied).sample(),
	to("network.zones", []string{"us-east-1c", "us-east-1d"}, refused).saying(`network.zones (zone of the NAT gateway): "us-east-1b" can't become "us-east-1c"`),
	to("network.zones", []string{"us-east-1b", "us-east-1d"}, refused).saying(`cluster.zones: "us-east-1b, us-east-1c" can't become "us-east-1b, us-east-1d"`).sample(),
	to("network.zones", []string{"us-east-1b", "us-east-1c"}, refused).saying(protectedText),
	to("network.vpcId", "vpc-0123456789abcdef0", refused).and("network.privateSubnetIds", otherSubnets).
		and("network.cidr", nil).and("network.zones", nil).and("network.natGateways", nil).and("network.endpoints", nil).
		saying(`network.cidr: "10.20.0.0/16" can't become ""`).sample(),
	to("network.privateSubnetIds", otherSubnets, refused).saying("network.privateSubnetIds: Forbidden: needs network.vpcId"),
	to("network.databaseSubnetIds", otherSubnets, refused).saying("network.databaseSubnetIds: Forbidden: needs network.vpcId"),
	to("network.natGateways", "perZone", adds),
	to("network.endpoints", "perZone", applied),
	to("cluster.version", "1.36", oneWay),
	to("cluster.version", "1.34", refused).saying(`cluster.version: "1.35" can't become "1.34"`).sample(),
	to("cluster.upgradeStage", "controlPlane", applied),
	to("cluster.extendedSupport", true, applied),
	to("cluster.zones", []string{"us-east-1c", "us-east-1d"}, refused).saying("cluster.zones:"),
	to("cluster.admins", []string{"arn:aws:iam::123456789012:role/platform-operators", "arn:aws:iam::123456789012:role/platform-deployer"}, applied),
	to("cluster.publicAccessCidrs", []string{"203.0.113.0/25", "198.51.100.0/24"}, applied),
	to("cluster.privateAccessCidrs", []string{"10.99.0.0/16"}, applied).sample(),
	to("cluster.privateAccessSecurityGroups", []string{"sg-0123456789abcdef0"}, applied).previewed(),
	to("cluster.sessionManager", true, applied),
	to("cluster.nodes", "own", refused),
	to("cluster.requestPercent", 90, applied),
	to("tiers.web.min", 2, applied),
	to("tiers.web.desired", 3, applied),
	to("tiers.web.max", 7, applied),
	to("tiers.web.capacityOwner", "scalingPolicies", applied),
	to("tiers.web.instanceTypes", []string{"m6i.2xlarge", "m5.2xlarge"}, applied),
	to("tiers.web.onDemandBase", 1, applied).and("tiers.web.spotShare", 50),
	to("tiers.web.spotShare", 50, applied),
	to("tiers.web.volumeGiB", 60, applied),
	to("tiers.web.imageId", "ami-0123456789abcdef0", applied),
	to("tiers.web.release", "1.34-20260625", applied).afterwards(),
	to("tiers.web.release", "1.34-20260625", refused).and("tiers.application.release", "1.34-20260625").saying("tiers.application.release and tiers.web.release can't change in one update").sample(),
	to("tiers.web.release", "1.35-20260923", refused).saying("upgrade cluster.version first"),
	to("repository.forceDelete", false, applied),
	to("images.platforms", []string{"linux/amd64", "linux/arm64"}, applied),
	to("images.mirror", "ecr://mirror", applied),
	to("images.signingKey", ".sandbox/issuer/signing.pem", applied),
	to("images.kmsSigners", []string{"arn:aws:iam::123456789012:role/platform-deployer"}, adds),
	to("images.requiredGates", []string{"pods"}, applied),
	to("images.trustedKeys", []string{".sandbox/issuer/signing.pem.pub"}, applied),
	to("release.commit", "0123456789012345678901234567890123456789", refused).saying("release.images.web: Required value"),
	to("release.at", "2026-12-01T10:00:00Z", refused).saying("release.commit: Required value"),
	to("release.from", "staging", refused).saying("release.commit: Required value"),
	to("release.repository", "registry.example.com/staging", refused).saying("release.commit: Required value"),
	to("release.images", map[string]string{"web": "v1"}, refused).saying("release.images.web: Invalid value"),
	to("services.mca.min", 1, applied),
	to("services.mca.max", 3, applied).sample(),
	to("podScaling.enabled", false, refused).saying(protectedText),
	to("podScaling.resizeSeconds", 120, applied),
	to("podScaling.predictive", "shadow", adds),
	to("prometheus.replicas", 1, refused).saying(protectedText),
	to("prometheus.storageGiB", 60, oneWay),
	to("auth.issuer", "https://other.progressive-framework.example", applied),
	to("auth.audience", "other", applied),
	to("auth.jwksUrl", "https://login.progressive-framework.example/keys.json", applied),
	to("auth.jwksFile", ".sandbox/issuer/jwks.json", applied).and("auth.jwksUrl", nil).afterwards(),
	to("edge.domain", "other.progressive-framework.example", refused).saying(protectedText),
	to("edge.domain", nil, refused).saying(protectedText).and("edge.zone", nil),
	to("edge.zone", nil, refused).and("edge.certificateArn", certificate).and("edge.originCertificateArn", certificate).saying(protectedText),
	to("edge.certificateArn", certificate, refused).saying("edge"),
	to("edge.originCertificateArn", certificate, refused).saying("edge"),
	to("edge.cacheable", []string{"/api/v1/menu"}, applied),
	to("edge.hstsSubdomains", true, applied),
	to("edge.webAcl", false, applied).afterwards(),
	to("edge.webAclMode", "block", applied),
	to("edge.requestsPerAddress", 5000, applied),
	to("edge.alarmTopicArn", "arn:aws:sns:us-east-1:123456789012:alarms", applied),
	to("policy.cost.monthlyBudget", 1500, applied),
	to("policy.cost.estimates", map[string]int{"natGB": 100}, applied),
	to("policy.levels", map[string]string{"log-group-year": "mandatory"}, applied),
	to("policy.waivers", []any{map[string]string{"rule": "log-group-year", "resource": "*", "reason": "a test", "owner": "platform", "until": "2027-03-31"}}, applied),
	to("postgres.kind", "none", refused).and("postgres.instanceClass", nil),
	to("postgres.instanceClass", "db.t4g.xlarge", applied),
	to("postgres.connections", 110, applied),
	to("postgres.storageGiB", 200, oneWay),
	to("postgres.storageGiB", 50, refused).saying(`postgres.storageGiB: "100" can't become "50"`),
	to("postgres.backupDays", 8, applied),
	to("postgres.singleZone", false, applied),
	to("postgres.snapshotIdentifier", "last", refused).saying(`postgres.snapshotIdentifier: "" can't become "last"`).sample(),
	to("redis.kind", "none", refused).and("redis.nodeType", nil).and("redis.shards", nil).and("redis.snapshotDays", nil).saying(protectedText).sample(),
	to("redis.nodeType", "cache.t4g.medium", applied),
	to("redis.shards", 2, applied),
	to("redis.replicasPerShard", 2, applied),
	to("redis.snapshotDays", 2, applied),
	to("redis.passwordGeneration", 1, oneWay),
	to("redis.snapshotName", "last", refused).saying(`redis.snapshotName: "" can't become "last"`),
	to("mongo.kind", "none", refused).and("mongo.instanceClass", nil).and("mongo.instances", nil).and("mongo.backupDays", nil).saying(protectedText),
	to("mongo.instanceClass", "db.r6g.large", applied),
	to("mongo.instances", 2, applied),
	to("mongo.backupDays", 8, applied),
	to("mongo.snapshotIdentifier", "last", refused).saying(`mongo.snapshotIdentifier: "" can't become "last"`),
}

// sandboxChanges has the keys of stores in the cluster.
var sandboxChanges = []change{
	to("storageClass", "fast-ssd", refused).saying(`storageClass: "sandbox-local" can't become "fast-ssd"`).sample(),
	to("frontDoor.nodePort", 30081, applied),
	to("podScaling.resizeSeconds", 60, applied),
	to("podScaling.predictive", "on", applied),
	to("prometheus.replicas", 2, adds),
	to("prometheus.storageGiB", 2, oneWay),
	to("postgres.kind", "none", refused).sample(),
	to("postgres.image", "ecr://debian/redis:7", applied),
	to("postgres.memoryMiB", 2048, applied),
	to("postgres.cores", 1, applied),
	to("postgres.passwordGeneration", 1, oneWay),
	to("postgres.storageGiB", 4, oneWay).sample(),
	to("postgres.storageGiB", 1, refused).saying(`postgres.storageGiB: "2" can't become "1"`).sample(),
	to("redis.kind", "none", refused).and("redis.image", nil).and("redis.memoryMiB", nil).and("redis.storageGiB", nil).saying(protectedText),
	to("postgres.platforms", []string{"linux/arm64"}, refused).saying("postgres.platforms: Forbidden"),
	to("redis.platforms", []string{"linux/arm64"}, refused).saying("redis.platforms: Forbidden"),
	to("redis.image", "ecr://debian/postgres:15", applied),
	to("redis.memoryMiB", 256, applied),
	to("redis.storageGiB", 2, oneWay),
}
