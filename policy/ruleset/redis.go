package ruleset

import (
	"github.com/progressive-framework/platform/components/datastore/enginecalendar"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var redis = []*rule.Rule{
	redisRule("redis-encrypted", "The data at rest are encrypted with a key of this account",
		"A snapshot would be readable.", "components/redis, KmsKeyId", rule.High, []string{"FSBP ElastiCache.4"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.AtRestEncryptionEnabled().IsTrue(), "atRestEncryptionEnabled is not true")
			s.Must(v.KmsKeyId().IsSet(), "kmsKeyId is not set")
		}),
	redisRule("redis-tls-only", "The cluster refuses connections without TLS",
		"Values and passwords would cross the network in clear text.", "components/redis, TransitEncryptionMode", rule.High, []string{"FSBP ElastiCache.5"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.TransitEncryptionEnabled().IsTrue(), "transitEncryptionEnabled is not true")
			s.Must(v.TransitEncryptionMode().Or("required").Is("required"), "transitEncryptionMode is %s", v.TransitEncryptionMode().Text())
		}),
	redisRule("redis-users", "Clients log in as a user",
		"Whoever reaches the port could read and delete everything.", "components/redis, UserGroupIds", rule.High, []string{"FSBP ElastiCache.6"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.UserGroupIds().IsSet(), "userGroupIds is not set")
		}),
	redisRule("redis-failover", "A replica in another zone takes over",
		"The loss of one node would lose its share of the keys.", "components/redis, AutomaticFailoverEnabled", rule.High, []string{"FSBP ElastiCache.3", "WA REL10"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.AutomaticFailoverEnabled().IsTrue(), "automaticFailoverEnabled is not true")
			s.Must(v.MultiAzEnabled().IsTrue(), "multiAzEnabled is not true")
			s.Must(v.ReplicasPerNodeGroup().AtLeast(1), "replicasPerNodeGroup is %s", v.ReplicasPerNodeGroup().Text())
		}),
	redisRule("redis-backups", "Snapshots are kept",
		"Keys that somebody deletes or overwrites by mistake could not be restored.", "the key redis.snapshotDays", rule.Medium, []string{"FSBP ElastiCache.1"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.SnapshotRetentionLimit().Or(0).AtLeast(1), "snapshotRetentionLimit is %s", v.SnapshotRetentionLimit().Text())
		}),
	redisRule("redis-minor-upgrades", "Minor versions are installed by themselves",
		"Minor versions close security flaws.", "components/redis, AutoMinorVersionUpgrade", rule.Medium, []string{"FSBP ElastiCache.2"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.AutoMinorVersionUpgrade().Or(true).IsTrue(), "autoMinorVersionUpgrade is false")
		}),
	redisRule("redis-node-type", "The node type exists",
		"ElastiCache refuses an unknown type in the middle of an up.", "the key redis.nodeType", rule.Medium, []string{"WA OPS06"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.NodeType().Satisfies(func(name string) bool {
				_, err := redistuning.LookupMemory(name)
				return err == nil
			}), "nodeType is %s", v.NodeType().Text())
		}),
	redisRule("redis-slow-log", "The slow log goes to CloudWatch",
		"The slow log names the commands that block all others.", "components/redis, logDeliveries", rule.Low, []string{"WA OPS08"},
		func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			s.Must(v.LogDeliveryConfigurations().Any(func(d awsview.ElasticacheReplicationGroupLogDeliveryConfiguration) value.Truth {
				return d.LogType().Is("slow-log")
			}), "no log delivery has the type slow-log")
		}),
	{
		ID: "redis-version-supported", Title: "The version of Redis or Valkey has standard support for half a year more",
		Why: "After its end AWS charges for extended support.",
		Fix: "components/redis/elasticachespec, Version", Standards: []string{"WA OPS05"},
		Severity: rule.Medium, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v awsview.ElasticacheReplicationGroup) {
			mustBeSupported(s, v.Engine().Or(string(enginecalendar.Redis)), v.EngineVersion())
		}),
	},
	{
		ID: "redis-user-not-dangerous", Title: "Users have no dangerous commands",
		Why: "FLUSHALL, CONFIG and SHUTDOWN stop every service.",
		Fix: "components/redis/redistuning, AccessRules", Standards: []string{"WA SEC03"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.ElasticacheUser) {
			s.Must(v.AccessString().Contains("-@dangerous"), "the access string does not have -@dangerous")
			s.Must(value.Not(v.NoPasswordRequired().IsTrue()), "no password is required")
		}),
	},
	{
		ID: "redis-user-password-not-plain", Title: "The passwords of users are encrypted in Pulumi's state",
		Why: "Everybody who reads the state or a preview would read them.",
		Fix: "components/redis, pulumi.ToSecret", Standards: []string{"WA SEC08"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, _ awsview.ElasticacheUser) {
			passwords := value.As[value.List[value.String]](s.View().Get("passwords"))
			eachIsEncrypted := value.All(passwords.Len().AtLeast(1), passwords.All(func(p value.String) value.Truth { return isEncrypted(p.Node) }))
			s.Must(value.Any(isEncrypted(passwords.Node), eachIsEncrypted), "a password is in clear text")
		}),
	},
	{
		ID: "redis-tuned", Title: "The cluster uses a parameter group and subnets of this stack",
		Why: "The default group evicts nothing, and the default subnets are public.",
		Fix: "components/redis/redistuning", Standards: []string{"FSBP ElastiCache.7"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.ElasticacheReplicationGroup) {
			s.Must(rule.Refs[awsview.ElasticacheParameterGroup](s.Graph, s.Resource, "parameterGroupName").Exists(), "parameterGroupName is not that of a group of this stack")
			s.Must(rule.Refs[awsview.ElasticacheSubnetGroup](s.Graph, s.Resource, "subnetGroupName").Exists(), "subnetGroupName is not that of a group of this stack")
		}),
	},
	{
		ID: "redis-default-user-replaced", Title: "The user group has a user default of this stack",
		Why: "AWS's own user default needs no password and may do everything.",
		Fix: "components/redis, newUserGroup", Standards: []string{"WA SEC03"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.ElasticacheUserGroup) {
			users := rule.Refs[awsview.ElasticacheUser](s.Graph, s.Resource, "userIds")
			s.Must(users.Any(func(_ *graph.Resource, u awsview.ElasticacheUser) value.Truth { return u.UserName().Is("default") }), "no user of the group is called default")
		}),
	},
	{
		ID: "redis-subnets-span-zones", Title: "The subnets of the cluster are in two zones",
		Why: "Replicas would run in the zone of their primary.",
		Fix: "the key network.zones", Standards: []string{"WA REL10"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.ElasticacheSubnetGroup) {
			s.Must(spanTwoZones(s.Graph, s.Resource, "subnetIds", v.SubnetIds().Node), "the subnets are in fewer than two zones")
		}),
	},
}

// redisRule returns a rule on properties of the replication group.
func redisRule(id, title, why, fix string, severity rule.Severity, standards []string, check func(*rule.Subject, awsview.ElasticacheReplicationGroup)) *rule.Rule {
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: severity, Levels: rule.Everywhere, Standards: standards, Check: rule.On(check)}
}
