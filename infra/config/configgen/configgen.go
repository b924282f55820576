// Package configgen draws configurations of a stack for tests: each key is
// absent or has one of a few values, at their bounds and between. Not every
// configuration is valid; a test asks config.Load. It is pure.
package configgen

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/progressive-framework/platform/infra/config"
)

// zone is the hosted zone of the project's stacks, which the sandbox has.
const zone = "progressive-framework.example"

// generator draws the values of one stack.
type generator struct {
	rng    *rand.Rand
	values map[string]any
	seed   uint64
	region string
	// own is true for a cluster whose nodes the stack does not create.
	own bool
}

// Generate draws a configuration in Pulumi's own form. The same seed gives the same configuration.
func Generate(seed uint64) map[string]string {
	g := generator{seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), values: map[string]any{}}
	region := one(g, "us-east-1", "us-east-1", "eu-central-1", "us-west-2")
	g.region = region
	g.set("account", "123456789012") // the sandbox's
	g.set("environment", one(g, "a", "prod", "staging", "abcdefghij", "abcdefghijkl"))
	g.set("network.cidr", one(g, "10.20.0.0/16", "10.20.0.0/16", "172.16.0.0/17", "192.168.0.0/18", "100.64.0.0/19", "10.0.16.0/20"))
	g.set("network.zones", g.zones(region))
	g.maybe("network.natGateways", "perZone", "single")
	g.maybe("network.endpoints", "perZone", "single", "none")
	g.set("auth.issuer", "https://login.example.com")
	g.set("auth.audience", "platform")
	g.set("auth.jwksUrl", "https://login.example.com/jwks")
	g.maybe("deletionProtection", true, false)
	g.maybe("permissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess")
	g.maybe("discardData", true, false)
	g.maybe("images.platforms", []string{"linux/amd64"}, []string{"linux/amd64", "linux/arm64"}, []string{"linux/arm64", "linux/amd64"})
	g.own = g.rng.IntN(4) == 0
	g.cluster()
	g.edge(region)
	g.stores()
	for _, name := range []string{"web", "mca", "npa", "wpa"} {
		g.maybe("services."+name+".min", 1, 2)
		g.maybe("services."+name+".max", 3, 15)
	}
	g.reach()
	values := map[string]string{"aws:region": region}
	if g.rng.IntN(4) == 0 {
		values["aws:profile"] = "platform"
	}
	if g.rng.IntN(4) == 0 {
		values["aws:defaultTags"] = `{"tags":{"CostCenter":"42"}}`
	}
	g.podScaling()
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

// podScaling draws the keys of Prometheus and KEDA, in half of the configurations.
func (g generator) podScaling() {
	if g.rng.IntN(2) == 0 {
		return
	}
	g.set("podScaling.enabled", true)
	g.maybe("prometheus.replicas", 1, 2)
	g.maybe("prometheus.storageGiB", 1, 50, 16384)
	g.maybe("images.mirror", "ecr://mirror", "ecr://team/mirror")
	if g.own {
		g.set("storageClass", "sandbox-local")
	}
}

// cluster draws the keys of the cluster and of its tiers of nodes.
func (g generator) cluster() {
	g.maybe("cluster.version", "1.34", "1.35", "1.36")
	g.maybe("cluster.extendedSupport", true, false)
	g.maybe("cluster.requestPercent", 1, 50, 100)
	g.maybe("cluster.admins", []string{"arn:aws:iam::123456789012:role/platform", "arn:aws:iam::123456789012:user/team/ann"})
	g.maybe("cluster.publicAccessCidrs", []string{}, []string{"203.0.113.0/24", "198.51.0.0/16"})
	if g.own {
		g.set("cluster.nodes", "own")
		g.maybe("frontDoor.nodePort", 30000, 32767)
		return
	}
	for _, tier := range []string{"web", "application"} {
		at := "tiers." + tier + "."
		g.maybe(at+"min", 1, 2)
		g.maybe(at+"max", 10, 40)
		g.maybe(at+"desired", 2, 8)
		g.maybe(at+"capacityOwner", "clusterAutoscaler", "scalingPolicies")
		g.maybe(at+"instanceTypes", []string{"m7g.2xlarge", "m6g.2xlarge"}, []string{"c6i.2xlarge"}, []string{"r7i.metal-24xl"}, []string{"m6a.2xlarge", "m7i.2xlarge"})
		g.maybe(at+"volumeGiB", 20, 16384)
		g.maybe(at+"imageId", "ami-0123456789abcdef0")
		if g.rng.IntN(3) == 0 {
			g.set(at+"spotShare", one(g, 1, 100))
			g.maybe(at+"onDemandBase", 0, 2)
		}
	}
}

// reach sets who administers the cluster, and from where the stack is deployed: over the internet,
// or a private connection where nobody is admitted over the internet.
func (g generator) reach() {
	g.maybe("cluster.privateAccessSecurityGroups", []string{"sg-0123456789abcdef0"})
	cluster, _ := g.values["cluster"].(map[string]any)
	if cluster["admins"] == nil {
		g.set("cluster.admins", []string{"arn:aws:iam::123456789012:role/platform-operators"})
	}
	g.maybe("cluster.sessionManager", true, false)
	if public, _ := cluster["publicAccessCidrs"].([]string); len(public) == 0 {
		g.set("cluster.privateAccessCidrs", one(g, []string{"10.99.0.0/16"}, []string{"10.98.0.0/15", "198.18.0.0/15"}))
	}
}

// edge draws the keys of the edge, in half of the configurations that can have one.
func (g generator) edge(region string) {
	if g.own || g.rng.IntN(2) == 0 {
		return
	}
	g.set("edge.domain", one(g, zone, "a.b."+zone))
	if g.rng.IntN(2) == 0 {
		g.set("edge.zone", zone)
	} else {
		g.set("edge.certificateArn", "arn:aws:acm:us-east-1:123456789012:certificate/0a")
		g.set("edge.originCertificateArn", "arn:aws:acm:"+region+":123456789012:certificate/0b")
	}
	g.maybe("edge.cacheable", []string{}, []string{"/api/v1/foods"}, []string{"/api/v1/agents/npa/plan", "/api/v1/*"})
	g.maybe("edge.alarmTopicArn", "arn:aws:sns:"+region+":123456789012:alarms")
	switch g.rng.IntN(3) {
	case 0:
		g.set("edge.webAcl", false)
	case 1:
		g.set("edge.requestsPerAddress", one(g, 10, 2_000_000_000))
	case 2:
		g.maybe("edge.webAclMode", "count", "block")
	}
	g.maybe("edge.hstsSubdomains", true)
}

// stores draws the keys of PostgreSQL, Redis and the document store.
func (g generator) stores() {
	postgresPod, redis := g.own || g.rng.IntN(3) == 0, g.rng.IntN(3)
	if g.own && redis == 1 {
		redis = 2
	}
	if !postgresPod {
		g.maybe("postgres.kind", "managed")
		g.set("postgres.instanceClass", one(g, "db.t4g.micro", "db.r7g.xlarge", "db.m7g.16xlarge"))
		g.maybe("postgres.storageGiB", 20, 59578)
		g.maybe("postgres.backupDays", 7, 35)
		if g.region == "us-east-1" && g.seed%4 == 2 {
			g.set("postgres.backupRegion", "us-west-2")
		}
		g.maybe("postgres.singleZone", true, false)
	} else {
		g.set("postgres.kind", "inCluster")
		g.set("postgres.image", one(g, "ecr://debian/postgres:15", "postgres@sha256:"+strings.Repeat("a", 64)))
		g.set("postgres.memoryMiB", one(g, 1024, 8192))
		g.maybe("postgres.cores", 1, 2, 192)
		g.maybe("postgres.passwordGeneration", 0, 10000)
		g.maybe("postgres.storageGiB", 1, 16384)
		g.platforms("postgres.platforms")
	}
	g.maybe("postgres.connections", 10, 200, 400, 1000)
	switch redis {
	case 0:
		g.set("redis.kind", "none")
	case 1:
		g.set("redis.nodeType", one(g, "cache.t4g.micro", "cache.r7g.large", "cache.m7g.16xlarge"))
		g.maybe("redis.shards", 1, 15, 45)
		g.maybe("redis.replicasPerShard", 1, 5)
		g.maybe("redis.snapshotDays", 1, 35)
		g.maybe("redis.passwordGeneration", 0, 10000)
	default:
		g.set("redis.kind", "inCluster")
		g.set("redis.image", "ecr://debian/redis:7")
		g.maybe("redis.memoryMiB", 64, 8192)
		g.maybe("redis.storageGiB", 1, 16384)
		g.platforms("redis.platforms")
	}
	switch none := g.own || g.rng.IntN(2) == 0; {
	case none && !g.own && g.seed%10 == 5:
		g.set("mongo.kind", "url")
		g.set("mongo.url", "mongodb://platform@10.60.0.5:27018/?replicaSet=rs0")
		g.set("mongo.passwordSecretArn", "arn:aws:secretsmanager:"+g.region+":123456789012:secret:mongo-AbCdEf")
		g.set("mongo.cidrs", []string{"10.60.0.0/24"})
	case none:
		g.set("mongo.kind", "none")
	default:
		g.set("mongo.kind", "managed")
		g.set("mongo.instanceClass", one(g, "db.t4g.medium", "db.r6g.16xlarge"))
		g.maybe("mongo.instances", 1, 16)
		g.maybe("mongo.backupDays", 7, 35)
	}
	if g.own || (postgresPod || redis == 2) && g.rng.IntN(3) == 0 {
		g.set("storageClass", "sandbox-local")
	}
}

// platforms may give a store's image both platforms. It skips clusters whose nodes the stack does
// not create, where the key has no effect.
func (g generator) platforms(path string) {
	if !g.own {
		g.maybe(path, []string{"linux/arm64", "linux/amd64"})
	}
}

// zones returns two or more zones of a region in random order.
func (g generator) zones(region string) []string {
	letters := map[string]string{"us-east-1": "abcdef", "eu-central-1": "abc", "us-west-2": "abcd"}[region]
	var zones []string
	for _, i := range g.rng.Perm(len(letters)) {
		zones = append(zones, region+letters[i:i+1])
	}
	return zones[:2+g.rng.IntN(len(zones)-1)]
}

// maybe gives a key one of the values, or leaves it out.
func (g generator) maybe(path string, values ...any) {
	if g.rng.IntN(3) == 0 {
		g.set(path, one(g, values...))
	}
}

// set sets the value of a key. The path has a dot before each member of an object.
func (g generator) set(path string, value any) {
	at := g.values
	for parent, rest, nested := strings.Cut(path, "."); nested; parent, rest, nested = strings.Cut(path, ".") {
		inner, ok := at[parent].(map[string]any)
		if !ok {
			inner = map[string]any{}
			at[parent] = inner
		}
		at, path = inner, rest
	}
	at[path] = value
}

// one returns one of the values, drawn at random.
func one[V any](g generator, values ...V) V { return values[g.rng.IntN(len(values))] }
