// Package configgen draws configurations of a stack for tests: each key is absent or has one of a
// few values, at their bounds and between. Not every configuration is valid; a test checks each
// with config.Load. The package has no side effects.
package configgen

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/progressive-framework/platform/infra/config"
)

// hostedZone is the hosted zone of the project's stacks, which the sandbox has.
const hostedZone = "progressive-framework.example"

// generator draws the values of one stack.
type generator struct {
	rng    *rand.Rand
	values map[string]any
	seed   uint64 // selects rare values without a draw from rng
	region string
	// ownNodes is true if the stack does not create the nodes of the cluster.
	ownNodes bool
}

// Generate draws a configuration in Pulumi's own form. The same seed gives the same configuration.
func Generate(seed uint64) map[string]string {
	g := generator{seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), values: map[string]any{}}
	region := pick(g, "us-east-1", "us-east-1", "eu-central-1", "us-west-2")
	g.region = region
	g.set("account", "123456789012") // the sandbox's
	g.set("environment", pick(g, "a", "prod", "staging", "abcdefghij", "abcdefghijkl"))
	g.set("network.cidr", pick(g, "10.20.0.0/16", "10.20.0.0/16", "172.16.0.0/17", "192.168.0.0/18", "100.64.0.0/19", "10.0.16.0/20"))
	g.set("network.zones", g.drawZones(region))
	g.setSometimes("network.natGateways", "perZone", "single")
	g.setSometimes("network.endpoints", "perZone", "single", "none")
	g.set("auth.issuer", "https://login.example.com")
	g.set("auth.audience", "platform")
	g.set("auth.jwksUrl", "https://login.example.com/jwks")
	g.setSometimes("deletionProtection", true, false)
	g.setSometimes("permissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess")
	g.setSometimes("discardData", true, false)
	g.setSometimes("images.platforms", []string{"linux/amd64"}, []string{"linux/amd64", "linux/arm64"}, []string{"linux/arm64", "linux/amd64"})
	g.ownNodes = g.rng.IntN(4) == 0
	g.drawCluster()
	g.drawEdge(region)
	g.drawStores()
	for _, name := range []string{"web", "mca", "npa", "wpa"} {
		g.setSometimes("services."+name+".min", 1, 2)
		g.setSometimes("services."+name+".max", 3, 15)
	}
	g.drawAccess()
	values := map[string]string{"aws:region": region}
	if g.rng.IntN(4) == 0 {
		values["aws:profile"] = "platform"
	}
	if g.rng.IntN(4) == 0 {
		values["aws:defaultTags"] = `{"tags":{"CostCenter":"42"}}`
	}
	g.drawPodScaling()
	for key, value := range g.values {
		if text, ok := value.(string); ok {
			values[config.Project+":"+key] = text
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			panic(fmt.Sprintf("configgen: %s: %v", key, err)) // only maps, lists, texts and numbers
		}
		values[config.Project+":"+key] = string(encoded)
	}
	return values
}

// drawPodScaling draws the keys of Prometheus and KEDA, in half of the configurations.
func (g generator) drawPodScaling() {
	if g.rng.IntN(2) == 0 {
		return
	}
	g.set("podScaling.enabled", true)
	g.setSometimes("prometheus.replicas", 1, 2)
	g.setSometimes("prometheus.storageGiB", 1, 50, 16384)
	g.setSometimes("images.mirror", "ecr://mirror", "ecr://team/mirror")
	if g.ownNodes {
		g.set("storageClass", "sandbox-local")
	}
}

// drawCluster draws the keys of the cluster and of its tiers of nodes.
func (g generator) drawCluster() {
	g.setSometimes("cluster.version", "1.34", "1.35", "1.36")
	g.setSometimes("cluster.extendedSupport", true, false)
	g.setSometimes("cluster.requestPercent", 1, 50, 100)
	g.setSometimes("cluster.admins", []string{"arn:aws:iam::123456789012:role/platform", "arn:aws:iam::123456789012:user/team/ann"})
	g.setSometimes("cluster.publicAccessCidrs", []string{}, []string{"203.0.113.0/24", "198.51.0.0/16"})
	if g.ownNodes {
		g.set("cluster.nodes", "own")
		g.setSometimes("frontDoor.nodePort", 30000, 32767)
		return
	}
	for _, tier := range []string{"web", "application"} {
		prefix := "tiers." + tier + "."
		g.setSometimes(prefix+"min", 1, 2)
		g.setSometimes(prefix+"max", 10, 40)
		g.setSometimes(prefix+"desired", 2, 8)
		g.setSometimes(prefix+"capacityOwner", "clusterAutoscaler", "scalingPolicies")
		g.setSometimes(prefix+"instanceTypes", []string{"m7g.2xlarge", "m6g.2xlarge"}, []string{"c6i.2xlarge"}, []string{"r7i.metal-24xl"}, []string{"m6a.2xlarge", "m7i.2xlarge"})
		g.setSometimes(prefix+"volumeGiB", 20, 16384)
		g.setSometimes(prefix+"imageId", g.imageID(tier))
		if g.rng.IntN(3) == 0 {
			g.set(prefix+"spotShare", pick(g, 1, 100))
			g.setSometimes(prefix+"onDemandBase", 0, 2)
		}
	}
}

// imageID returns the AMI of the sandbox's account with the architecture of a tier's instance types.
func (g generator) imageID(tier string) string {
	tiers, _ := g.values["tiers"].(map[string]any)
	keys, _ := tiers[tier].(map[string]any)
	if types, _ := keys["instanceTypes"].([]string); len(types) > 0 && strings.HasPrefix(types[0], "m7g.") {
		return "ami-0123456789abcdef1"
	}
	return "ami-0123456789abcdef0"
}

// drawAccess draws who administers the cluster, and from where the stack is deployed. It sets
// private blocks if no public block is set, because Load requires one of them.
func (g generator) drawAccess() {
	g.setSometimes("cluster.privateAccessSecurityGroups", []string{"sg-0123456789abcdef0"})
	cluster, _ := g.values["cluster"].(map[string]any)
	if cluster["admins"] == nil {
		g.set("cluster.admins", []string{"arn:aws:iam::123456789012:role/platform-operators"})
	}
	g.setSometimes("cluster.sessionManager", true, false)
	if public, _ := cluster["publicAccessCidrs"].([]string); len(public) == 0 {
		g.set("cluster.privateAccessCidrs", pick(g, []string{"10.99.0.0/16"}, []string{"10.98.0.0/15", "198.18.0.0/15"}))
	}
}

// drawEdge draws the keys of the edge, in half of the configurations that can have one.
func (g generator) drawEdge(region string) {
	if g.ownNodes || g.rng.IntN(2) == 0 {
		return
	}
	g.set("edge.domain", pick(g, hostedZone, "a.b."+hostedZone))
	if g.rng.IntN(2) == 0 {
		g.set("edge.zone", hostedZone)
	} else {
		g.set("edge.certificateArn", "arn:aws:acm:us-east-1:123456789012:certificate/0a")
		g.set("edge.originCertificateArn", "arn:aws:acm:"+region+":123456789012:certificate/0b")
	}
	g.setSometimes("edge.cacheable", []string{}, []string{"/api/v1/foods"}, []string{"/api/v1/agents/npa/plan", "/api/v1/*"})
	g.setSometimes("edge.alarmTopicArn", "arn:aws:sns:"+region+":123456789012:alarms")
	switch g.rng.IntN(3) {
	case 0:
		g.set("edge.webAcl", false)
	case 1:
		g.set("edge.requestsPerAddress", pick(g, 10, 2_000_000_000))
	case 2:
		g.setSometimes("edge.webAclMode", "count", "block")
	}
	g.setSometimes("edge.hstsSubdomains", true)
}

// drawStores draws the keys of PostgreSQL, Redis and the document store.
func (g generator) drawStores() {
	const noRedis, managedRedis, redisInCluster = 0, 1, 2
	postgresInCluster, redisKind := g.ownNodes || g.rng.IntN(3) == 0, g.rng.IntN(3)
	if g.ownNodes && redisKind == managedRedis {
		redisKind = redisInCluster
	}
	if !postgresInCluster {
		g.setSometimes("postgres.kind", "managed")
		g.set("postgres.instanceClass", pick(g, "db.t4g.micro", "db.r7g.xlarge", "db.m7g.16xlarge"))
		g.setSometimes("postgres.storageGiB", 20, 59578)
		g.setSometimes("postgres.backupDays", 7, 35)
		if g.region == "us-east-1" && g.seed%4 == 2 {
			g.set("postgres.backupRegion", "us-west-2")
		}
		g.setSometimes("postgres.singleZone", true, false)
	} else {
		g.set("postgres.kind", "inCluster")
		g.set("postgres.image", pick(g, "ecr://debian/postgres:15", "postgres@sha256:"+strings.Repeat("a", 64)))
		g.set("postgres.memoryMiB", pick(g, 1024, 8192))
		g.setSometimes("postgres.cores", 1, 2, 192)
		g.setSometimes("postgres.passwordGeneration", 0, 10000)
		g.setSometimes("postgres.storageGiB", 1, 16384)
		g.drawPlatforms("postgres.platforms")
	}
	g.setSometimes("postgres.connections", 10, 200, 400, 1000)
	switch redisKind {
	case noRedis:
		g.set("redis.kind", "none")
	case managedRedis:
		g.set("redis.nodeType", pick(g, "cache.t4g.micro", "cache.r7g.large", "cache.m7g.16xlarge"))
		g.setSometimes("redis.shards", 1, 15, 45)
		g.setSometimes("redis.replicasPerShard", 1, 5)
		g.setSometimes("redis.snapshotDays", 1, 35)
		g.setSometimes("redis.passwordGeneration", 0, 10000)
	default:
		g.set("redis.kind", "inCluster")
		g.set("redis.image", "ecr://debian/redis:7")
		g.setSometimes("redis.memoryMiB", 64, 8192)
		g.setSometimes("redis.storageGiB", 1, 16384)
		g.drawPlatforms("redis.platforms")
	}
	switch notManaged := g.ownNodes || g.rng.IntN(2) == 0; {
	case notManaged && !g.ownNodes && g.seed%10 == 5:
		g.set("mongo.kind", "url")
		g.set("mongo.url", "mongodb://platform@10.60.0.5:27018/?replicaSet=rs0")
		g.set("mongo.passwordSecretArn", "arn:aws:secretsmanager:"+g.region+":123456789012:secret:mongo-AbCdEf")
		g.set("mongo.cidrs", []string{"10.60.0.0/24"})
	case notManaged:
		g.set("mongo.kind", "none")
	default:
		g.set("mongo.kind", "managed")
		g.set("mongo.instanceClass", pick(g, "db.t4g.medium", "db.r6g.16xlarge"))
		g.setSometimes("mongo.instances", 1, 16)
		g.setSometimes("mongo.backupDays", 7, 35)
		if g.region == "us-east-1" && g.seed%4 == 1 {
			g.set("mongo.backupRegion", "us-west-2")
		}
	}
	if g.ownNodes || (postgresInCluster || redisKind == redisInCluster) && g.rng.IntN(3) == 0 {
		g.set("storageClass", "sandbox-local")
	}
}

// drawPlatforms sometimes gives a store's image both platforms. It skips clusters with nodes that
// the stack does not create, because the key has no effect there.
func (g generator) drawPlatforms(path string) {
	if !g.ownNodes {
		g.setSometimes(path, []string{"linux/arm64", "linux/amd64"})
	}
}

// drawZones returns two or more zones of a region in random order.
func (g generator) drawZones(region string) []string {
	letters := map[string]string{"us-east-1": "abcdef", "eu-central-1": "abc", "us-west-2": "abcd"}[region]
	var zones []string
	for _, i := range g.rng.Perm(len(letters)) {
		zones = append(zones, region+letters[i:i+1])
	}
	return zones[:2+g.rng.IntN(len(zones)-1)]
}

// setSometimes gives a key one of the values in one of three cases, and otherwise leaves the key
// out.
func (g generator) setSometimes(path string, values ...any) {
	if g.rng.IntN(3) == 0 {
		g.set(path, pick(g, values...))
	}
}

// set sets the value of a key. The path has a dot before each member of an object.
func (g generator) set(path string, value any) {
	names := strings.Split(path, ".")
	last := len(names) - 1
	object := g.values
	for _, parent := range names[:last] {
		inner, ok := object[parent].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[parent] = inner
		}
		object = inner
	}
	object[names[last]] = value
}

// pick returns one of the values, drawn at random.
func pick[V any](g generator, values ...V) V { return values[g.rng.IntN(len(values))] }
