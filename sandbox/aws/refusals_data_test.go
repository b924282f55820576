package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

// dataWorld are things that the rows of the tables of data stores refer to.
type dataWorld struct {
	*world
	db, cache, sharded, doc, secret props // what AWS takes
}

func newDataWorld(t *testing.T) *dataWorld {
	w := &dataWorld{world: newWorld(t)}
	s := w.s
	s.must(dbSubnetsT, "db", props{"name": "db", "subnetIds": []any{w.a.id, w.b.id}})
	s.must(cacheSubnetsT, "cache", props{"name": "cache", "subnetIds": []any{w.a.id, w.b.id}})
	s.must(docSubnetsT, "doc", props{"name": "doc", "subnetIds": []any{w.a.id, w.b.id}})
	w.db = props{
		"engine": "postgres", "engineVersion": "17.6", "instanceClass": "db.r6g.large", "allocatedStorage": 100, "dbSubnetGroupName": "db",
		"username": "progressive", "manageMasterUserPassword": true, "skipFinalSnapshot": true,
	}
	w.cache = props{"description": "cache", "nodeType": "cache.r6g.large", "subnetGroupName": "cache", "engineVersion": "7.1"}
	w.sharded = with(w.cache, props{
		"parameterGroupName": "default.redis7.cluster.on", "automaticFailoverEnabled": true, "numNodeGroups": 3, "replicasPerNodeGroup": 1,
	})
	w.doc = props{"engineVersion": "5.0.0", "masterUsername": "progressive", "manageMasterUserPassword": true, "dbSubnetGroupName": "doc", "skipFinalSnapshot": true}
	w.secret = props{"name": "app/token"}
	return w
}

// refused is one thing that AWS refuses.
type refused struct {
	reason, token string
	in            props
	want          string
}

// refuse tries rows of which none needs anything but the world.
func (w *dataWorld) refuse(t *testing.T, rows []refused) {
	t.Helper()
	before := w.s.count()
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			_, err := w.s.create(row.token, "refused", row.in)
			require.ErrorContains(t, err, row.want)
		})
	}
	require.Equal(t, before, w.s.count(), "a refusal leaves nothing")
}

func TestDatabaseRefusals(t *testing.T) {
	w := newDataWorld(t)
	s := w.s
	s.must(dbT, "taken", with(w.db, props{"identifier": "taken"}))
	s.must(dbParametersT, "fifteen", props{"name": "fifteen", "family": "postgres15"})
	foreign := s.must(groupT, "foreign", props{"vpcId": w.other.id})
	bare := s.must(roleT, "bare", props{"assumeRolePolicy": monitoringTrust})
	db := func(change props) props { return with(w.db, change) }
	group := func(list ...[]string) props {
		return props{"family": "postgres17", "parameters": dataParameters(list...)}
	}
	w.refuse(t, []refused{
		{"a version that RDS retired", dbT, db(props{"engineVersion": "17.1"}), "Cannot find version 17.1 for postgres"},
		{"a version that never was", dbT, db(props{"engineVersion": "17.99"}), "Cannot find version 17.99 for postgres"},
		{"another engine", dbT, db(props{"engine": "mysql"}), "must be one of postgres"},
		{"a class without its prefix", dbT, db(props{"instanceClass": "r6g.large"}), "an instance class as in"},
		{"a parameter group of another version", dbT, db(props{"parameterGroupName": "fifteen"}), "DBParameterGroupFamily postgres17"},
		{"AWS's own group of another version", dbT, db(props{"parameterGroupName": "default.postgres15"}), "DBParameterGroupFamily postgres17"},
		{"a parameter group that does not exist", dbT, db(props{"parameterGroupName": "none"}), "DBParameterGroupNotFound"},
		{"an identifier that is taken", dbT, db(props{"identifier": "taken"}), "DBInstanceAlreadyExists"},
		{"capitals in an identifier", dbT, db(props{"identifier": "Main"}), "lower-case"},
		{"two hyphens in an identifier", dbT, db(props{"identifier": "a--b"}), "single hyphens"},
		{"an identifier of 64 characters", dbT, db(props{"identifier": strings.Repeat("a", 64)}), "must have 1 to 63"},
		{"an administrator by a reserved word", dbT, db(props{"username": "admin"}), "reserved word"},
		{"a database by a reserved word", dbT, db(props{"dbName": "user"}), "reserved word"},
		{"a database that begins with a digit", dbT, db(props{"dbName": "5v"}), "not beginning with a digit"},
		{"a password beside AWS's own", dbT, db(props{"password": "0123456789"}), "can't be given together"},
		{"no password at all", dbT, db(props{"manageMasterUserPassword": nil}), "password: must be given"},
		{"a short password", dbT, db(props{"manageMasterUserPassword": nil, "password": "short"}), "must have 8 to 128"},
		{"a password with a slash", dbT, db(props{"manageMasterUserPassword": nil, "password": "0123/56789"}), "the value must be printable ASCII"},
		{"little storage", dbT, db(props{"allocatedStorage": 10}), "must be 20 to 65536"},
		{"growth to less", dbT, db(props{"maxAllocatedStorage": 100}), "Max storage size must be greater"},
		{"operations of a small gp3 volume", dbT, db(props{"storageType": "gp3", "iops": 12000}), "storage size less than 400"},
		{"too few operations of a large one", dbT, db(props{"allocatedStorage": 400, "storageType": "gp3", "iops": 3000}), "Invalid iops value"},
		{"more throughput than operations carry", dbT, db(props{"allocatedStorage": 400, "storageType": "gp3", "storageThroughput": 4000}), "Invalid storage throughput"},
		{"more operations than gp3 has", dbT, db(props{"allocatedStorage": 400, "storageType": "gp3", "iops": 70000}), "Invalid iops value"},
		{"throughput of a volume that has none", dbT, db(props{"allocatedStorage": 400, "storageType": "io2", "iops": 1000, "storageThroughput": 500}), "can't specify storage throughput"},
		{"a provisioned volume without operations", dbT, db(props{"storageType": "io1"}), "Invalid iops value"},
		{"more operations than a small volume carries", dbT, db(props{"storageType": "io1", "iops": 6000}), "0.5 to 50 a GiB"},
		{"operations of a gp2 volume", dbT, db(props{"storageType": "gp2", "iops": 3000}), "Cannot specify IOPS"},
		{"a small io1 volume", dbT, db(props{"allocatedStorage": 50, "storageType": "io1", "iops": 1000}), "Invalid storage size"},
		{"a key without encryption", dbT, db(props{"kmsKeyId": w.key.state["arn"], "storageEncrypted": false}), "storageEncrypted must be true"},
		{"a key that does not exist", dbT, db(props{"kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/none", "storageEncrypted": true}), "KMSKeyNotAccessibleFault"},
		{"no default VPC", dbT, db(props{"dbSubnetGroupName": nil}), "dbSubnetGroupName: a required property is missing"},
		{"a security group of another VPC", dbT, db(props{"vpcSecurityGroupIds": []any{foreign.id}}), "different VPCs"},
		{"a zone beside many", dbT, db(props{"multiAz": true, "availabilityZone": "us-east-1a"}), "not valid for Multi-AZ"},
		{"a zone without a subnet", dbT, db(props{"availabilityZone": "us-east-1c"}), "has no subnet"},
		{"monitoring without a role", dbT, db(props{"monitoringInterval": 60}), "A MonitoringRoleARN value is required"},
		{"monitoring by a role for clusters", dbT, db(props{"monitoringInterval": 60, "monitoringRoleArn": w.role.state["arn"]}), "ENHANCED_MONITORING"},
		{"monitoring by a role that may do nothing", dbT, db(props{"monitoringInterval": 60, "monitoringRoleArn": bare.state["arn"]}), "ENHANCED_MONITORING"},
		{"monitoring at an odd pace", dbT, db(props{"monitoringInterval": 20}), "must be one of"},
		{"ten days of insights", dbT, db(props{"performanceInsightsEnabled": true, "performanceInsightsRetentionPeriod": 10}), "a month times 31"},
		{"insights kept and off", dbT, db(props{"performanceInsightsRetentionPeriod": 7}), "needs performanceInsightsEnabled"},
		{"advanced insights of a week", dbT, db(props{"performanceInsightsEnabled": true, "databaseInsightsMode": "advanced"}), "at least 465 days"},
		{"a log of another engine", dbT, db(props{"enabledCloudwatchLogsExports": []any{"slowquery"}}), "must be one of postgresql"},
		{"two months of backups", dbT, db(props{"backupRetentionPeriod": 60}), "must be 0 to 35"},
		{"a backup amid maintenance", dbT, db(props{"backupWindow": "05:30-06:30", "maintenanceWindow": "sun:05:00-sun:06:00"}), "must not overlap"},
		{"a backup of no form", dbT, db(props{"backupWindow": "5:00-6:00"}), "hh24:mi-hh24:mi"},
		{"an authority of old", dbT, db(props{"caCertIdentifier": "rds-ca-2019"}), "must be one of"},
		{"a last snapshot of no form", dbT, db(props{"finalSnapshotIdentifier": "last_one"}), "single hyphens"},

		{"a parameter that PostgreSQL lost", dbParametersT, group([]string{"wal_keep_segments", "64"}), "Could not find parameter with name: wal_keep_segments"},
		{"a parameter that is AWS's", dbParametersT, group([]string{"archive_command", "aws s3 cp"}), "archive_command cannot be modified"},
		{"the log's level", dbParametersT, group([]string{"wal_level", "replica", "pending-reboot"}), "wal_level cannot be modified"},
		{"memory with a unit", dbParametersT, group([]string{"work_mem", "256MB"}), "allowed values are: 64-2147483647 (in kB"},
		{"gigabytes of pages", dbParametersT, group([]string{"shared_buffers", "8GB", "pending-reboot"}), "(in 8kB"},
		{"a static parameter at once", dbParametersT, group([]string{"max_connections", "200"}), "cannot use immediate apply method for static parameter"},
		{"a fraction too large", dbParametersT, group([]string{"checkpoint_completion_target", "9"}), "allowed values are: 0-1"},
		{"a flag in words", dbParametersT, group([]string{"log_checkpoints", "on"}), "allowed values are: 0,1"},
		{"a parameter twice", dbParametersT, group([]string{"work_mem", "64"}, []string{"work_mem", "65"}), "given twice"},
		{"a family that does not exist", dbParametersT, props{"family": "postgres99"}, "not a valid parameter group family"},
		{"capitals in a group's name", dbParametersT, props{"family": "postgres17", "name": "Main"}, "lower-case"},
		{"AWS's own name", dbParametersT, props{"family": "postgres17", "name": "default.postgres17"}, "can't begin with default."},
		{"subnets in one zone", dbSubnetsT, props{"subnetIds": []any{w.a.id}}, "DBSubnetGroupDoesNotCoverEnoughAZs"},
		{"subnets of two VPCs", dbSubnetsT, props{"subnetIds": []any{w.a.id, w.far.id}}, "not in the same Vpc"},
		{"a subnet group of AWS's name", dbSubnetsT, props{"name": "default", "subnetIds": []any{w.a.id, w.b.id}}, "is not allowed"},
	})
}

func TestCacheRefusals(t *testing.T) {
	w := newDataWorld(t)
	s := w.s
	s.must(cacheT, "taken", with(w.cache, props{"replicationGroupId": "taken"}))
	s.must(cacheParamsT, "seven", props{"name": "seven", "family": "valkey7"})
	s.must(cacheUserT, "app", props{"userId": "app", "userName": "app", "engine": "redis", "accessString": "on ~* +@all", "passwords": []any{"0123456789abcdef"}})
	s.must(cacheUserT, "twin", props{"userId": "twin", "userName": "app", "engine": "redis", "accessString": "on ~* +@all", "noPasswordRequired": true})
	s.must(cacheUsersT, "users", props{"userGroupId": "users", "engine": "redis", "userIds": []any{"default"}})
	cache := func(change props) props { return with(w.cache, change) }
	sharded := func(change props) props { return with(w.sharded, change) }
	group := func(name, value string) props {
		return props{"family": "redis7", "parameters": dataParameters([]string{name, value})}
	}
	user := func(change props) props {
		return with(props{"userId": "u", "userName": "u", "engine": "redis", "accessString": "on ~* +@all", "noPasswordRequired": true}, change)
	}
	log := func(change props) []any {
		return []any{with(props{"destination": "none", "destinationType": "cloudwatch-logs", "logFormat": "json", "logType": "slow-log"}, change)}
	}
	w.refuse(t, []refused{
		{"a version that ElastiCache does not offer", cacheT, cache(props{"engineVersion": "7.2"}), "Cannot find version 7.2 for redis"},
		{"a node type without its prefix", cacheT, cache(props{"nodeType": "r6g.large"}), "a node type as in"},
		{"a group that is taken", cacheT, cache(props{"replicationGroupId": "taken"}), "ReplicationGroupAlreadyExists"},
		{"a long id", cacheT, cache(props{"replicationGroupId": strings.Repeat("a", 41)}), "must have 1 to 40"},
		{"no description", cacheT, cache(props{"description": nil}), "description: a required property is missing"},
		{"parameters of another engine", cacheT, cache(props{"parameterGroupName": "seven"}), "family redis7 but found one of family valkey7"},
		{"shards without cluster mode", cacheT, cache(props{"numNodeGroups": 3, "automaticFailoverEnabled": true}), "need cluster mode"},
		{"cluster mode without failover", cacheT, sharded(props{"automaticFailoverEnabled": nil}), "auto failover turned off"},
		{"zones without failover", cacheT, cache(props{"multiAzEnabled": true, "numCacheClusters": 2}), "must be true if multiAzEnabled"},
		{"zones without replicas", cacheT, sharded(props{"multiAzEnabled": true, "replicasPerNodeGroup": 0}), "needs a replica"},
		{"failover without a replica", cacheT, cache(props{"automaticFailoverEnabled": true, "numCacheClusters": 1}), "must be at least 2"},
		{"a mode that the parameters deny", cacheT, cache(props{"clusterMode": "enabled", "parameterGroupName": "default.redis7"}), "does not fit"},
		{"parameters that the mode denies", cacheT, sharded(props{"clusterMode": "disabled"}), "does not fit"},
		{"500 nodes and two", cacheT, sharded(props{"numNodeGroups": 251}), "more than 500"},
		{"a mode of encryption without any", cacheT, cache(props{"transitEncryptionMode": "required"}), "needs encryption-in-transit"},
		{"a security group of another VPC", cacheT, cache(props{"securityGroupIds": []any{s.must(groupT, "far", props{"vpcId": w.other.id}).id}}), "different VPCs"},
		{"six replicas", cacheT, sharded(props{"replicasPerNodeGroup": 6}), "must be 0 to 5"},
		{"shards and nodes", cacheT, sharded(props{"numCacheClusters": 2}), "can't be given together"},
		{"a token in the clear", cacheT, cache(props{"authToken": "0123456789abcdef"}), "encryption-in-transit"},
		{"a short token", cacheT, cache(props{"authToken": "short", "transitEncryptionEnabled": true}), "must have 16 to 128"},
		{"a token with an at sign", cacheT, cache(props{"authToken": "0123456789abcde@", "transitEncryptionEnabled": true}), "the value must be letters"},
		{"a token and users", cacheT, cache(props{"authToken": "0123456789abcdef", "userGroupIds": []any{"users"}, "transitEncryptionEnabled": true}), "can't be given together"},
		{"users in the clear", cacheT, cache(props{"userGroupIds": []any{"users"}}), "requires encryption-in-transit"},
		{"a key without encryption", cacheT, cache(props{"kmsKeyId": w.key.state["arn"]}), "encryption-at-rest"},
		{"an hour's backup amid maintenance", cacheT, cache(props{"snapshotWindow": "05:30-06:30", "maintenanceWindow": "sun:05:00-sun:06:00"}), "must not overlap"},
		{"a short backup", cacheT, cache(props{"snapshotWindow": "05:00-05:30"}), "must have 60 or more"},
		{"two months of snapshots", cacheT, cache(props{"snapshotRetentionLimit": 60}), "must be 0 to 35"},
		{"a log group that does not exist", cacheT, cache(props{"logDeliveryConfigurations": log(nil)}), "The log group 'none' does not exist"},
		{"a log that does not exist", cacheT, cache(props{"logDeliveryConfigurations": log(props{"logType": "audit"})}), "must be one of slow-log"},
		{"one log twice", cacheT, cache(props{"logDeliveryConfigurations": append(log(nil), log(props{"logFormat": "text"})...)}), "delivered twice"},

		{"memory, which the node decides", cacheParamsT, group("maxmemory", "3gb"), "maxmemory cannot be modified"},
		{"persistence, which is AWS's", cacheParamsT, group("appendonly", "yes"), "appendonly cannot be modified"},
		{"the replicas' buffers", cacheParamsT, group("client-output-buffer-limit-replica-hard-limit", "268435456"), "cannot be modified"},
		{"lines of redis.conf", cacheParamsT, group("save", "900 1"), "Parameter save doesn't exist"},
		{"renamed commands", cacheParamsT, group("rename-command", "FLUSHALL"), "doesn't exist"},
		{"names of before Redis 7", cacheParamsT, group("hash-max-ziplist-entries", "512"), "doesn't exist"},
		{"clients cut off after ten seconds", cacheParamsT, group("timeout", "10"), "allowed values are: 0,20-"},
		{"a node's size of lists", cacheParamsT, group("list-max-listpack-size", "-2"), "cannot be modified"},
		{"a policy that does not exist", cacheParamsT, group("maxmemory-policy", "lru"), "allowed values are: volatile-lru"},
		{"buffers with a unit", cacheParamsT, group("client-output-buffer-limit-pubsub-hard-limit", "32mb"), "in bytes"},
		{"events that do not exist", cacheParamsT, group("notify-keyspace-events", "Q"), "the letters"},
		{"a family that does not exist", cacheParamsT, props{"family": "redis9"}, "not a valid parameter group family"},
		{"a subnet that does not exist", cacheSubnetsT, props{"subnetIds": []any{"subnet-0"}}, "InvalidSubnetID.NotFound"},

		{"a user with a short password", cacheUserT, user(props{"noPasswordRequired": nil, "passwords": []any{"short"}}), "must have 16 to 128"},
		{"a user without a way in", cacheUserT, user(props{"noPasswordRequired": nil}), "passwords, or noPasswordRequired"},
		{"a user of no access", cacheUserT, user(props{"accessString": "~* +@all"}), "begins with on or off"},
		{"a user of IAM by another name", cacheUserT, user(props{"noPasswordRequired": nil, "userName": "v", "authenticationMode": props{"type": "iam"}}), "must be the userId"},
		{"a group without a default user", cacheUsersT, props{"userGroupId": "g", "engine": "redis", "userIds": []any{"app"}}, "DefaultUserRequired"},
		{"two users of one name", cacheUsersT, props{"userGroupId": "g", "engine": "redis", "userIds": []any{"default", "app", "twin"}}, "DuplicateUserName"},
		{"a user that does not exist", cacheUsersT, props{"userGroupId": "g", "engine": "valkey", "userIds": []any{"none"}}, "UserNotFound"},
	})
}

func TestDocumentRefusals(t *testing.T) {
	w := newDataWorld(t)
	s := w.s
	s.must(docT, "taken", with(w.doc, props{"clusterIdentifier": "taken"}))
	s.must(docParametersT, "eight", props{"name": "eight", "family": "docdb8.0"})
	doc := func(change props) props { return with(w.doc, change) }
	group := func(list ...[]string) props {
		return props{"family": "docdb5.0", "parameters": dataParameters(list...)}
	}
	w.refuse(t, []refused{
		{"a version past its support", docT, doc(props{"engineVersion": "3.6.0"}), "Cannot find version 3.6.0 for docdb"},
		{"a cluster that is taken", docT, doc(props{"clusterIdentifier": "taken"}), "DBClusterAlreadyExistsFault"},
		{"an administrator by a reserved word", docT, doc(props{"masterUsername": "admin"}), "reserved word"},
		{"a password beside AWS's own", docT, doc(props{"masterPassword": "0123456789"}), "can't be given together"},
		{"zones, which AWS completes", docT, doc(props{"availabilityZones": []any{"us-east-1a"}}), "the next preview replaces the cluster"},
		{"a low port", docT, doc(props{"port": 80}), "must be 1150 to 65535"},
		{"a log that does not exist", docT, doc(props{"enabledCloudwatchLogsExports": []any{"slow"}}), "must be one of audit"},
		{"no backups", docT, doc(props{"backupRetentionPeriod": 0}), "must be 1 to 35"},
		{"parameters of another version", docT, doc(props{"dbClusterParameterGroupName": "eight"}), "DBParameterGroupFamily docdb5.0"},
		{"an instance without a cluster", docInstanceT, props{"clusterIdentifier": "none", "instanceClass": "db.r6g.large"}, "DBClusterNotFoundFault"},
		{"a class that DocumentDB lacks", docInstanceT, props{"clusterIdentifier": "taken", "instanceClass": "db.m6g.large"}, "a class of DocumentDB"},
		{"a tier of 16", docInstanceT, props{"clusterIdentifier": "taken", "instanceClass": "db.r6g.large", "promotionTier": 16}, "must be 0 to 15"},
		{"a key without encryption", docT, doc(props{"kmsKeyId": w.key.state["arn"], "storageEncrypted": false}), "storageEncrypted must be true"},
		{"a backup amid maintenance", docT, doc(props{"preferredBackupWindow": "05:30-06:30", "preferredMaintenanceWindow": "sun:05:00-sun:06:00"}), "must not overlap"},
		{"a zone without a subnet", docInstanceT, props{"clusterIdentifier": "taken", "instanceClass": "db.r6g.large", "availabilityZone": "us-east-1c"}, "has no subnet"},
		{"a fast threshold", docParametersT, group([]string{"profiler_threshold_ms", "10"}), "allowed values are: 50-"},
		{"TLS at once", docParametersT, group([]string{"tls", "disabled", "immediate"}), "cannot use immediate apply method"},
		{"a level of MongoDB's", docParametersT, group([]string{"profiler", "1"}), "allowed values are: enabled,disabled"},
		{"a parameter of MongoDB's", docParametersT, group([]string{"slowms", "100"}), "Could not find parameter"},
		{"subnets in one zone", docSubnetsT, props{"subnetIds": []any{w.a.id}}, "DBSubnetGroupDoesNotCoverEnoughAZs"},
	})
}

func TestSecretRefusals(t *testing.T) {
	w := newDataWorld(t)
	secret := w.s.must(secretT, "token", w.secret)
	w.refuse(t, []refused{
		{"a name that is taken", secretT, w.secret, "ResourceExistsException"},
		{"a name with a space", secretT, props{"name": "a b"}, "letters, digits and"},
		{"three days to recover", secretT, props{"recoveryWindowInDays": 3}, "must be 0 or 7 to 30"},
		{"a key that does not exist", secretT, props{"kmsKeyId": "none"}, "KMSKeyNotAccessibleFault"},
		{"no value", versionT, props{"secretId": secret.id}, "exactly one of"},
		{"text and bytes", versionT, props{"secretId": secret.id, "secretString": "a", "secretBinary": "YQ=="}, "exactly one of"},
		{"bytes that are none", versionT, props{"secretId": secret.id, "secretBinary": "a-b"}, "the value must be base64"},
		{"64 KiB and one", versionT, props{"secretId": secret.id, "secretString": strings.Repeat("x", 65537)}, "must have 1 to 65536"},
		{"a secret that does not exist", versionT, props{"secretId": "none", "secretString": "a"}, "ResourceNotFoundException"},
		{"everybody", secretPolicyT, props{"secretArn": secret.id, "blockPublicPolicy": true,
			"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"secretsmanager:*","Resource":"*"}]}`}, "PublicPolicyException"},
		{"a key for another log group", logGroupT, props{"name": "/other/log", "kmsKeyId": w.s.must(keyT, "logs", props{"policy": logsMayUse}).state["arn"]}, "logs.us-east-1.amazonaws.com"},
	})
}

func TestProtectionFromDeletion(t *testing.T) {
	w := newDataWorld(t)
	s := w.s
	on, off := props{"deletionProtection": true}, props{"deletionProtection": false}
	db := s.must(dbT, "db", with(w.db, on))
	require.ErrorContains(t, s.delete(db), "Cannot delete protected DB Instance, please disable deletion protection and try again.")
	require.True(t, s.refresh(db), "it is still there")
	require.NoError(t, s.update(db, with(w.db, off)))
	require.NoError(t, s.delete(db))
	docs := s.must(docT, "docs", with(w.doc, on))
	require.ErrorContains(t, s.delete(docs), "Cannot delete protected Cluster, please disable deletion protection and try again.")
	require.NoError(t, s.update(docs, with(w.doc, off)))
	require.NoError(t, s.delete(docs))
}

func TestFinalSnapshots(t *testing.T) {
	w := newDataWorld(t)
	s := w.s
	for token, in := range map[string]props{dbT: w.db, docT: w.doc} {
		undecided := s.must(token, "undecided", with(in, props{"skipFinalSnapshot": nil}))
		require.ErrorContains(t, s.delete(undecided), "final_snapshot_identifier is required", token)
		require.NoError(t, s.update(undecided, with(in, props{"skipFinalSnapshot": false, "finalSnapshotIdentifier": "last"})))
		require.NoError(t, s.delete(undecided))
		again := s.must(token, "again", with(in, props{"skipFinalSnapshot": false, "finalSnapshotIdentifier": "last"}))
		require.ErrorContains(t, s.delete(again), "SnapshotAlreadyExists", token)
		require.True(t, s.refresh(again), "it is still there")
	}
	last := with(w.cache, props{"finalSnapshotIdentifier": "last"})
	require.NoError(t, s.delete(s.must(cacheT, "one", last)))
	two := s.must(cacheT, "two", last)
	require.ErrorContains(t, s.delete(two), "SnapshotAlreadyExistsFault")
	token, err := rules.FindToken("elasticache/final-snapshot")
	require.NoError(t, err)
	require.NoError(t, rules.Vanish(t.Context(), s.p.store, token, "last"), "somebody deletes the snapshot")
	require.NoError(t, s.delete(two))
}

func TestSecretsWaitForTheirDeletion(t *testing.T) {
	w := newDataWorld(t)
	s := w.s
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	s.p.cloud.Now = func() time.Time { return now }
	require.NoError(t, s.delete(s.must(secretT, "s", with(w.secret, props{"recoveryWindowInDays": 7}))))
	_, err := s.create(secretT, "s", w.secret)
	require.ErrorContains(t, err, "a secret with this name is already scheduled for deletion")
	now = now.AddDate(0, 0, 8)
	again := s.must(secretT, "s", with(w.secret, props{"recoveryWindowInDays": 0}))
	require.NoError(t, s.delete(again))
	s.must(secretT, "s", w.secret)
}
