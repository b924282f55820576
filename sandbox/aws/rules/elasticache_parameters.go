package rules

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

const cacheParametersType = "aws:elasticache/parameterGroup:ParameterGroup"

// toCacheParameters is a reference to a parameter group of ElastiCache. AWS's default
// groups exist without a resource.
var toCacheParameters = &Ref{
	To: []string{cacheParametersType}, By: []string{"name"}, Noun: "cache parameter group", Missing: "CacheParameterGroupNotFound",
	InUseCode: "InvalidCacheParameterGroupState", Predefined: func(name string) bool {
		family, _, _ := parseDefaultCacheGroup(name)
		return family != ""
	},
}

// parseDefaultCacheGroup parses the name of one of AWS's default groups, such as
// default.redis7.cluster.on. clusterOn reports whether the group enables cluster mode. ok is
// false for any other name.
func parseDefaultCacheGroup(name string) (family string, clusterOn, ok bool) {
	suffix, ok := strings.CutPrefix(name, "default.")
	family, clusterOn = strings.CutSuffix(suffix, ".cluster.on")
	if !ok || !slices.Contains(cacheFamilies(), family) {
		return "", false, false
	}
	return family, clusterOn, true
}

// yesNo returns the rule of a boolean parameter in Redis's notation.
func yesNo() parameter { return oneWord("yes", "no") }

// cacheParameters are parameters of ElastiCache for Redis 7 and Valkey 7 and 8. They are
// the parameters that the platform sets, and the parameters that a user could copy from
// a redis.conf.
//
// The limits are from the page in the field Page of the row of parameter groups. They
// are also from the output of describe-cache-parameters for redis5.0 in the
// documentation of AWS's CLI. The names of Redis 7 are from a copy of the section about
// Redis 7 on that page: listpack replaces ziplist. It was not checked that
// lazyfree-lazy-user-del and cluster-allow-reads-when-down exist since Redis 6.
// rename-commands is left out, because it is not known whether Redis 7 has it.
var cacheParameters = map[string]parameter{
	// Memory.
	"maxmemory-policy":        oneWord("volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "volatile-random", "allkeys-random", "volatile-ttl", "noeviction"),
	"maxmemory-samples":       wholeNumber("", 1, noLimit),
	"reserved-memory-percent": wholeNumber("%", 0, 100),
	"maxmemory":               unchangeable(), // the node's size decides
	"lfu-log-factor":          wholeNumber("", 1, noLimit),
	"lfu-decay-time":          wholeNumber("minutes", 0, noLimit),

	// Deletion and defragmentation.
	"lazyfree-lazy-eviction":        yesNo(),
	"lazyfree-lazy-expire":          yesNo(),
	"lazyfree-lazy-server-del":      yesNo(),
	"lazyfree-lazy-user-del":        yesNo(),
	"activedefrag":                  yesNo(),
	"active-defrag-ignore-bytes":    wholeNumber("bytes", 1048576, noLimit),
	"active-defrag-threshold-lower": wholeNumber("%", 1, 100),
	"active-defrag-threshold-upper": wholeNumber("%", 1, 100),
	"active-defrag-cycle-min":       wholeNumber("%", 1, 75),
	"active-defrag-cycle-max":       wholeNumber("%", 1, 75),
	"active-defrag-max-scan-fields": wholeNumber("", 1, 1000000),
	"activerehashing":               unchangeable(), // in Redis 7 it is always on, and AWS hides it

	// Clients.
	"timeout":                   wholeNumber("seconds", 20, noLimit).orZero(),
	"tcp-keepalive":             wholeNumber("seconds", 0, noLimit),
	"maxclients":                unchangeable(),
	"databases":                 wholeNumber("", 1, 1200000),
	"client-query-buffer-limit": wholeNumber("bytes", 1048576, 1073741824),
	"proto-max-bulk-len":        wholeNumber("bytes", 1048576, 536870912),
	"client-output-buffer-limit-normal-hard-limit":    wholeNumber("bytes", 0, noLimit),
	"client-output-buffer-limit-normal-soft-limit":    wholeNumber("bytes", 0, noLimit),
	"client-output-buffer-limit-normal-soft-seconds":  wholeNumber("seconds", 0, noLimit),
	"client-output-buffer-limit-pubsub-hard-limit":    wholeNumber("bytes", 0, noLimit),
	"client-output-buffer-limit-pubsub-soft-limit":    wholeNumber("bytes", 0, noLimit),
	"client-output-buffer-limit-pubsub-soft-seconds":  wholeNumber("seconds", 0, noLimit),
	"client-output-buffer-limit-replica-hard-limit":   unchangeable(), // the node's size decides
	"client-output-buffer-limit-replica-soft-limit":   unchangeable(),
	"client-output-buffer-limit-replica-soft-seconds": unchangeable(),

	// Encodings.
	"hash-max-listpack-entries": wholeNumber("", 0, noLimit),
	"hash-max-listpack-value":   wholeNumber("bytes", 0, noLimit),
	"zset-max-listpack-entries": wholeNumber("", 0, noLimit),
	"zset-max-listpack-value":   wholeNumber("bytes", 0, noLimit),
	"set-max-intset-entries":    wholeNumber("", 0, noLimit),
	"list-compress-depth":       wholeNumber("", 0, noLimit),
	"list-max-listpack-size":    unchangeable(),
	"hll-sparse-max-bytes":      wholeNumber("bytes", 1, 16000),
	"stream-node-max-bytes":     wholeNumber("bytes", 0, noLimit),
	"stream-node-max-entries":   wholeNumber("", 0, noLimit),

	// Monitoring.
	"notify-keyspace-events":  anyText(),
	"slowlog-log-slower-than": wholeNumber("microseconds", -noLimit, noLimit),
	"slowlog-max-len":         wholeNumber("", 0, noLimit),
	"latency-tracking":        yesNo(),

	// Replication and the cluster.
	"repl-backlog-size":                   wholeNumber("bytes", 16384, noLimit),
	"repl-backlog-ttl":                    wholeNumber("seconds", 0, noLimit),
	"min-replicas-to-write":               wholeNumber("", 0, noLimit),
	"min-replicas-max-lag":                wholeNumber("seconds", 0, noLimit),
	"close-on-replica-write":              yesNo(),
	"cluster-enabled":                     yesNo(),
	"cluster-require-full-coverage":       yesNo(),
	"cluster-allow-reads-when-down":       yesNo(),
	"cluster-allow-pubsubshard-when-down": yesNo(),
	"cluster-preferred-endpoint-type":     oneWord("ip", "tls-dynamic"),
	"replica-allow-chaining":              unchangeable(),
	"replica-ignore-maxmemory":            unchangeable(),
	"replica-lazy-flush":                  unchangeable(),
	"repl-timeout":                        unchangeable(),
	"appendonly":                          unchangeable(),
	"appendfsync":                         unchangeable(),
	"lua-time-limit":                      unchangeable(),
}

// notifyFlags are the letters of notify-keyspace-events in Redis 7.
const notifyFlags = "KEg$lshzxetdmnA"

var _ = registerRows(&Row{
	Token:  cacheParametersType,
	Source: "elasticache/parameter_group.go", Page: "AmazonElastiCache/latest/red-ug/ParameterGroups.Redis.html",
	Label: "ElastiCache Parameter Group", ID: "{name}", NotFound: "CacheParameterGroupNotFound",
	ExistsCode: "CacheParameterGroupAlreadyExists", ExistsText: "CacheParameterGroup {name} already exists.",
	Naming: &Naming{Prop: "name", Max: 255},
	Props: Props{
		"name":             {Replace: true, Computed: true, Valid: parameterGroupName},
		"family":           {Replace: true},
		"description":      {Replace: true, Preset: managedBy},
		"parameters":       {Set: true},
		"parameters.name":  {},
		"parameters.value": {},
	},
	Outputs: map[string]string{"arn": "arn:{partition}:elasticache:{region}:{account}:parametergroup:{name}"},
	Check:   checkParameters,
	Verify:  verifyCacheParameters,
})

// verifyCacheParameters returns ElastiCache's error for a group's parameters. Only the
// message about the family is known to be AWS's text.
func verifyCacheParameters(c *Call) error {
	if family := c.In.String("family"); !slices.Contains(cacheFamilies(), family) {
		return refuse("InvalidParameterValue", "CacheParameterGroupFamily %s is not a valid parameter group family: the stand-in supports %v", family, cacheFamilies())
	}
	for _, in := range c.In.Objects("parameters") {
		name, value := in.String("name"), in.String("value")
		p, known := cacheParameters[name]
		switch {
		case !known:
			return refuse("InvalidParameterValue", "Parameter %s doesn't exist", name)
		case p.fixed:
			return refuse("InvalidParameterValue", "The parameter %s cannot be modified.", name)
		case name == "notify-keyspace-events" && strings.Trim(value, notifyFlags) != "":
			return refuse("InvalidParameterValue", "Invalid parameter value: %s for: %s allowed are the letters %s", value, name, notifyFlags)
		case !p.allows(value):
			return refuse("InvalidParameterValue", "Invalid parameter value: %s for: %s allowed values are: %s", value, name, p.describeAllowed())
		}
		if old := c.oldClusterEnabledValue(); name == "cluster-enabled" && old != "" && old != value && c.isReferenced() {
			return refuse("InvalidCacheParameterGroupState", "The parameter %s can't change while a replication group uses %s", name, c.ID)
		}
	}
	return nil
}

// oldClusterEnabledValue returns the value of cluster-enabled before an update. It returns "" if
// the call creates the group.
func (c *Call) oldClusterEnabledValue() string {
	if c.Old == nil {
		return ""
	}
	return clusterEnabledValue(c.Old)
}

// clusterEnabledValue returns the value of the parameter cluster-enabled in a parameter group.
// It returns AWS's default "no" if the group does not set the parameter.
func clusterEnabledValue(group Object) string {
	for _, p := range group.Objects("parameters") {
		if p.String("name") == "cluster-enabled" {
			return p.String("value")
		}
	}
	return "no"
}

// isReferenced reports whether another object refers to the object of this call.
func (c *Call) isReferenced() bool { return c.verifyNotReferenced() != nil }

// cacheVersions maps an engine and its version to the parameter group family and the full version
// (AmazonElastiCache/latest/dg/engine-versions.html, of 2026). The family of Valkey 9.0 is an
// assumption: it has the parameters of Valkey 8. The full versions were not checked against AWS's
// documentation.
var cacheVersions = map[string]map[string]struct{ family, fullVersion string }{
	"redis": {
		"7.0": {"redis7", "7.0.7"},
		"7.1": {"redis7", "7.1.0"},
	},
	"valkey": {
		"7.2": {"valkey7", "7.2.6"},
		"8.0": {"valkey8", "8.0.1"},
		"8.1": {"valkey8", "8.1.0"},
		"8.2": {"valkey8", "8.2.0"},
		"9.0": {"valkey9", "9.0.0"},
	},
}

// cacheFamilies returns the sorted families of all versions in cacheVersions.
func cacheFamilies() []string {
	var out []string
	for _, versions := range cacheVersions {
		for _, release := range versions {
			out = append(out, release.family)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// latestCacheVersion returns the version that a new cache has if the program sets no version.
func latestCacheVersion(engine string) string {
	versions := slices.Collect(maps.Keys(cacheVersions[engine]))
	return slices.MaxFunc(versions, func(a, b string) int { return semver.Compare("v"+a, "v"+b) })
}

// verifyCacheVersion returns an error for a version that ElastiCache does not offer.
func verifyCacheVersion(engine, version string) error {
	if _, ok := cacheVersions[engine][version]; ok {
		return nil
	}
	return refuse("InvalidParameterCombination", "Cannot find version %s for %s: %s is the latest version that the stand-in supports",
		version, engine, latestCacheVersion(engine))
}
