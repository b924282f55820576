package aws

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

// dataFixture has the resources that the tests of data stores need, and valid inputs.
type dataFixture struct {
	*fixture
	db, cache, sharded, doc, secret props // valid inputs; sharded is a cache in cluster mode
}

// newDataFixture creates the resources of a dataFixture in a new sandbox.
func newDataFixture(t *testing.T) *dataFixture {
	f := &dataFixture{fixture: newFixture(t)}
	s := f.s
	s.mustCreate(dbSubnetsT, "db", props{"name": "db", "subnetIds": []any{f.a.id, f.b.id}})
	s.mustCreate(cacheSubnetsT, "cache", props{"name": "cache", "subnetIds": []any{f.a.id, f.b.id}})
	s.mustCreate(docSubnetsT, "doc", props{"name": "doc", "subnetIds": []any{f.a.id, f.b.id}})
	f.db = props{
		"engine": "postgres", "engineVersion": "17.6", "instanceClass": "db.r6g.large", "allocatedStorage": 100, "dbSubnetGroupName": "db",
		"username": "progressive", "manageMasterUserPassword": true, "skipFinalSnapshot": true,
		"applyImmediately": true,
	}
	f.cache = props{"applyImmediately": true, "description": "cache", "nodeType": "cache.r6g.large", "subnetGroupName": "cache", "engineVersion": "7.1"}
	f.sharded = with(f.cache, props{
		"parameterGroupName": "default.redis7.cluster.on", "automaticFailoverEnabled": true, "numNodeGroups": 3, "replicasPerNodeGroup": 1,
	})
	f.doc = props{"applyImmediately": true, "engineVersion": "5.0.0", "masterUsername": "progressive", "manageMasterUserPassword": true, "dbSubnetGroupName": "doc", "skipFinalSnapshot": true}
	f.secret = props{"name": "app/token"}
	return f
}

func TestDatabaseRefusals(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	s.mustCreate(dbT, "taken", with(f.db, props{"identifier": "taken"}))
	s.mustCreate(dbParametersT, "fifteen", props{"name": "fifteen", "family": "postgres15"})
	otherVPCGroup := s.mustCreate(securityGroupT, "foreign", props{"vpcId": f.otherVPC.id})
	roleWithoutPolicies := s.mustCreate(roleT, "bare", props{"assumeRolePolicy": monitoringTrust})
	db := func(change props) props { return with(f.db, change) }
	group := func(list ...[]string) props {
		return props{"family": "postgres17", "parameters": parameterInputs(list...)}
	}
	f.s.requireRefusals([]refusal{
		{"a retired version", dbT, db(props{"engineVersion": "17.1"}), "Cannot find version 17.1 for postgres"},
		{"a version that does not exist", dbT, db(props{"engineVersion": "17.99"}), "Cannot find version 17.99 for postgres"},
		{"another engine", dbT, db(props{"engine": "mysql"}), "must be one of postgres"},
		{"a class without its prefix", dbT, db(props{"instanceClass": "r6g.large"}), "in no list of AWS"},
		{"a parameter group of another version", dbT, db(props{"parameterGroupName": "fifteen"}), "DBParameterGroupFamily postgres17"},
		{"AWS's own group of another version", dbT, db(props{"parameterGroupName": "default.postgres15"}), "DBParameterGroupFamily postgres17"},
		{"a parameter group that does not exist", dbT, db(props{"parameterGroupName": "none"}), "DBParameterGroupNotFound"},
		{"an identifier that is in use", dbT, db(props{"identifier": "taken"}), "DBInstanceAlreadyExists"},
		{"capitals in an identifier", dbT, db(props{"identifier": "Main"}), "lower-case"},
		{"two hyphens in an identifier", dbT, db(props{"identifier": "a--b"}), "single hyphens"},
		{"an identifier of 64 characters", dbT, db(props{"identifier": strings.Repeat("a", 64)}), "must have 1 to 63"},
		{"a reserved word as the administrator", dbT, db(props{"username": "admin"}), "reserved word"},
		{"a reserved word as the database", dbT, db(props{"dbName": "user"}), "reserved word"},
		{"a database that begins with a digit", dbT, db(props{"dbName": "5v"}), "beginning with a letter"},
		{"a password and a managed password", dbT, db(props{"password": "0123456789"}), "can't be given together"},
		{"no password at all", dbT, db(props{"manageMasterUserPassword": nil}), "password: must be given"},
		{"a short password", dbT, db(props{"manageMasterUserPassword": nil, "password": "short"}), "must have 8 to 128"},
		{"a password with a slash", dbT, db(props{"manageMasterUserPassword": nil, "password": "0123/56789"}), "the value must be printable ASCII"},
		{"less storage than the minimum", dbT, db(props{"allocatedStorage": 10}), "must be 20 to 65536"},
		{"a storage limit that is not above the size", dbT, db(props{"maxAllocatedStorage": 100}), "Max storage size must be greater"},
		{"IOPS for a small gp3 volume", dbT, db(props{"storageType": "gp3", "iops": 12000}), "storage size less than 400"},
		{"too few IOPS for a large gp3 volume", dbT, db(props{"allocatedStorage": 400, "storageType": "gp3", "iops": 3000}), "Invalid iops value"},
		{"too much throughput for the IOPS", dbT, db(props{"allocatedStorage": 400, "storageType": "gp3", "storageThroughput": 4000}), "Invalid storage throughput"},
		{"more IOPS than gp3 allows", dbT, db(props{"allocatedStorage": 400, "storageType": "gp3", "iops": 70000}), "Invalid iops value"},
		{"throughput for an io2 volume", dbT, db(props{"allocatedStorage": 400, "storageType": "io2", "iops": 1000, "storageThroughput": 500}), "can't specify storage throughput"},
		{"an io1 volume without IOPS", dbT, db(props{"storageType": "io1"}), "Invalid iops value"},
		{"too many IOPS for a small io1 volume", dbT, db(props{"storageType": "io1", "iops": 6000}), "0.5 to 50 a GiB"},
		{"IOPS for a gp2 volume", dbT, db(props{"storageType": "gp2", "iops": 3000}), "Cannot specify IOPS"},
		{"a small io1 volume", dbT, db(props{"allocatedStorage": 50, "storageType": "io1", "iops": 1000}), "Invalid storage size"},
		{"a key without encryption", dbT, db(props{"kmsKeyId": f.key.state["arn"], "storageEncrypted": false}), "storageEncrypted must be true"},
		{"a key that does not exist", dbT, db(props{"kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/none", "storageEncrypted": true}), "KMSKeyNotAccessibleFault"},
		{"no subnet group", dbT, db(props{"dbSubnetGroupName": nil}), "dbSubnetGroupName: a required property is missing"},
		{"a security group of another VPC", dbT, db(props{"vpcSecurityGroupIds": []any{otherVPCGroup.id}}), "different VPCs"},
		{"a zone with Multi-AZ", dbT, db(props{"multiAz": true, "availabilityZone": "us-east-1a"}), "not valid for Multi-AZ"},
		{"a zone without a subnet", dbT, db(props{"availabilityZone": "us-east-1c"}), "has no subnet"},
		{"monitoring without a role", dbT, db(props{"monitoringInterval": 60}), "A MonitoringRoleARN value is required"},
		{"a monitoring role with another trust policy", dbT, db(props{"monitoringInterval": 60, "monitoringRoleArn": f.clusterRole.state["arn"]}), "ENHANCED_MONITORING"},
		{"a monitoring role without permissions", dbT, db(props{"monitoringInterval": 60, "monitoringRoleArn": roleWithoutPolicies.state["arn"]}), "ENHANCED_MONITORING"},
		{"a monitoring interval that is not allowed", dbT, db(props{"monitoringInterval": 20}), "must be one of"},
		{"an insights retention of ten days", dbT, db(props{"performanceInsightsEnabled": true, "performanceInsightsRetentionPeriod": 10}), "must be 7, 731, or 1 to 23 times 31"},
		{"an insights retention without insights", dbT, db(props{"performanceInsightsRetentionPeriod": 7}), "together with performanceInsightsEnabled"},
		{"advanced insights with a short retention", dbT, db(props{"performanceInsightsEnabled": true, "databaseInsightsMode": "advanced"}), "at least 465 days"},
		{"a log of another engine", dbT, db(props{"enabledCloudwatchLogsExports": []any{"slowquery"}}), "must be one of postgresql"},
		{"two months of backups", dbT, db(props{"backupRetentionPeriod": 60}), "must be 0 to 35"},
		{"a backup window in the maintenance window", dbT, db(props{"backupWindow": "05:30-06:30", "maintenanceWindow": "sun:05:00-sun:06:00"}), "must not overlap"},
		{"a backup window of another format", dbT, db(props{"backupWindow": "5:00-6:00"}), "hh24:mi-hh24:mi"},
		{"an expired certificate authority", dbT, db(props{"caCertIdentifier": "rds-ca-2019"}), "must be one of"},
		{"an invalid name of a final snapshot", dbT, db(props{"finalSnapshotIdentifier": "last_one"}), "single hyphens"},

		{"a parameter that PostgreSQL removed", dbParametersT, group([]string{"wal_keep_segments", "64"}), "Could not find parameter with name: wal_keep_segments"},
		{"a parameter that AWS sets", dbParametersT, group([]string{"archive_command", "aws s3 cp"}), "archive_command cannot be modified"},
		{"wal_level, which AWS sets", dbParametersT, group([]string{"wal_level", "replica", "pending-reboot"}), "wal_level cannot be modified"},
		{"memory with a unit", dbParametersT, group([]string{"work_mem", "256MB"}), "allowed values are: 64-2147483647 (in kB"},
		{"pages with a unit", dbParametersT, group([]string{"shared_buffers", "8GB", "pending-reboot"}), "(in 8kB"},
		{"a static parameter with apply method immediate", dbParametersT, group([]string{"max_connections", "200"}), "cannot use immediate apply method for static parameter"},
		{"a fraction too large", dbParametersT, group([]string{"checkpoint_completion_target", "9"}), "allowed values are: 0-1"},
		{"a flag that is not 0 or 1", dbParametersT, group([]string{"log_checkpoints", "on"}), "allowed values are: 0,1"},
		{"a parameter twice", dbParametersT, group([]string{"work_mem", "64"}, []string{"work_mem", "65"}), "set twice"},
		{"a family that does not exist", dbParametersT, props{"family": "postgres99"}, "not a valid parameter group family"},
		{"capitals in a group's name", dbParametersT, props{"family": "postgres17", "name": "Main"}, "lower-case"},
		{"the name of a default group", dbParametersT, props{"family": "postgres17", "name": "default.postgres17"}, "can't begin with default."},
		{"subnets in one zone", dbSubnetsT, props{"subnetIds": []any{f.a.id}}, "DBSubnetGroupDoesNotCoverEnoughAZs"},
		{"subnets of two VPCs", dbSubnetsT, props{"subnetIds": []any{f.a.id, f.otherVPCSubnet.id}}, "not in the same Vpc"},
		{"a subnet group of AWS's name", dbSubnetsT, props{"name": "default", "subnetIds": []any{f.a.id, f.b.id}}, "is not allowed"},
	})
}

func TestCacheRefusals(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	s.mustCreate(cacheT, "taken", with(f.cache, props{"replicationGroupId": "taken"}))
	s.mustCreate(cacheParamsT, "seven", props{"name": "seven", "family": "valkey7"})
	s.mustCreate(cacheUserT, "app", props{"userId": "app", "userName": "app", "engine": "redis", "accessString": "on ~* +@all", "passwords": []any{"0123456789abcdef"}})
	s.mustCreate(cacheUserT, "twin", props{"userId": "twin", "userName": "app", "engine": "redis", "accessString": "on ~* +@all", "noPasswordRequired": true})
	s.mustCreate(cacheUserGroupT, "users", props{"userGroupId": "users", "engine": "redis", "userIds": []any{"default"}})
	cache := func(change props) props { return with(f.cache, change) }
	sharded := func(change props) props { return with(f.sharded, change) }
	group := func(name, value string) props {
		return props{"family": "redis7", "parameters": parameterInputs([]string{name, value})}
	}
	user := func(change props) props {
		return with(props{"userId": "u", "userName": "u", "engine": "redis", "accessString": "on ~* +@all", "noPasswordRequired": true}, change)
	}
	log := func(change props) []any {
		return []any{with(props{"destination": "none", "destinationType": "cloudwatch-logs", "logFormat": "json", "logType": "slow-log"}, change)}
	}
	f.s.requireRefusals([]refusal{
		{"a version that ElastiCache does not offer", cacheT, cache(props{"engineVersion": "7.2"}), "Cannot find version 7.2 for redis"},
		{"a node type without its prefix", cacheT, cache(props{"nodeType": "r6g.large"}), "in no list of AWS"},
		{"an id that is in use", cacheT, cache(props{"replicationGroupId": "taken"}), "ReplicationGroupAlreadyExists"},
		{"a long id", cacheT, cache(props{"replicationGroupId": strings.Repeat("a", 41)}), "must have 1 to 40"},
		{"no description", cacheT, cache(props{"description": nil}), "description: a required property is missing"},
		{"parameters of another engine", cacheT, cache(props{"parameterGroupName": "seven"}), "family redis7 but found one of family valkey7"},
		{"shards without cluster mode", cacheT, cache(props{"numNodeGroups": 3, "automaticFailoverEnabled": true}), "need cluster mode"},
		{"cluster mode without failover", cacheT, sharded(props{"automaticFailoverEnabled": nil}), "auto failover turned off"},
		{"Multi-AZ without failover", cacheT, cache(props{"multiAzEnabled": true, "numCacheClusters": 2}), "must be true if multiAzEnabled"},
		{"Multi-AZ without replicas", cacheT, sharded(props{"multiAzEnabled": true, "replicasPerNodeGroup": 0}), "needs a replica"},
		{"failover without a replica", cacheT, cache(props{"automaticFailoverEnabled": true, "numCacheClusters": 1}), "must be at least 2"},
		{"clusterMode enabled with a parameter group that disables it", cacheT, cache(props{"clusterMode": "enabled", "parameterGroupName": "default.redis7"}), "does not fit"},
		{"clusterMode disabled with a parameter group that enables it", cacheT, sharded(props{"clusterMode": "disabled"}), "does not fit"},
		{"251 shards of 2 nodes, which are 502 nodes", cacheT, sharded(props{"numNodeGroups": 251}), "more than 500"},
		{"an encryption mode without encryption", cacheT, cache(props{"transitEncryptionMode": "required"}), "needs encryption-in-transit"},
		{"a security group of another VPC", cacheT, cache(props{"securityGroupIds": []any{s.mustCreate(securityGroupT, "far", props{"vpcId": f.otherVPC.id}).id}}), "different VPCs"},
		{"six replicas", cacheT, sharded(props{"replicasPerNodeGroup": 6}), "must be 0 to 5"},
		{"shards and nodes", cacheT, sharded(props{"numCacheClusters": 2}), "can't be given together"},
		{"a token without encryption in transit", cacheT, cache(props{"authToken": "0123456789abcdef"}), "encryption-in-transit"},
		{"a short token", cacheT, cache(props{"authToken": "short", "transitEncryptionEnabled": true}), "must have 16 to 128"},
		{"a token with an at sign", cacheT, cache(props{"authToken": "0123456789abcde@", "transitEncryptionEnabled": true}), "the value must be letters"},
		{"a token and users", cacheT, cache(props{"authToken": "0123456789abcdef", "userGroupIds": []any{"users"}, "transitEncryptionEnabled": true}), "can't be given together"},
		{"users without encryption in transit", cacheT, cache(props{"userGroupIds": []any{"users"}}), "requires encryption-in-transit"},
		{"a key without encryption", cacheT, cache(props{"kmsKeyId": f.key.state["arn"]}), "encryption-at-rest"},
		{"a snapshot window in the maintenance window", cacheT, cache(props{"snapshotWindow": "05:30-06:30", "maintenanceWindow": "sun:05:00-sun:06:00"}), "must not overlap"},
		{"a short snapshot window", cacheT, cache(props{"snapshotWindow": "05:00-05:30"}), "must have 60 or more"},
		{"two months of snapshots", cacheT, cache(props{"snapshotRetentionLimit": 60}), "must be 0 to 35"},
		{"a log group that does not exist", cacheT, cache(props{"logDeliveryConfigurations": log(nil)}), "The log group 'none' does not exist"},
		{"a log that does not exist", cacheT, cache(props{"logDeliveryConfigurations": log(props{"logType": "audit"})}), "must be one of slow-log"},
		{"one log twice", cacheT, cache(props{"logDeliveryConfigurations": append(log(nil), log(props{"logFormat": "text"})...)}), "delivered twice"},

		{"maxmemory, which depends on the node type", cacheParamsT, group("maxmemory", "3gb"), "maxmemory cannot be modified"},
		{"appendonly, which AWS sets", cacheParamsT, group("appendonly", "yes"), "appendonly cannot be modified"},
		{"the replicas' buffers", cacheParamsT, group("client-output-buffer-limit-replica-hard-limit", "268435456"), "cannot be modified"},
		{"save, which ElastiCache does not have", cacheParamsT, group("save", "900 1"), "Parameter save doesn't exist"},
		{"rename-command, which ElastiCache does not have", cacheParamsT, group("rename-command", "FLUSHALL"), "doesn't exist"},
		{"a name of Redis 6", cacheParamsT, group("hash-max-ziplist-entries", "512"), "doesn't exist"},
		{"a timeout between 0 and 20", cacheParamsT, group("timeout", "10"), "allowed values are: 0,20-"},
		{"list-max-listpack-size, which AWS sets", cacheParamsT, group("list-max-listpack-size", "-2"), "cannot be modified"},
		{"a policy that does not exist", cacheParamsT, group("maxmemory-policy", "lru"), "allowed values are: volatile-lru"},
		{"buffers with a unit", cacheParamsT, group("client-output-buffer-limit-pubsub-hard-limit", "32mb"), "in bytes"},
		{"events that do not exist", cacheParamsT, group("notify-keyspace-events", "Q"), "the letters"},
		{"a family that does not exist", cacheParamsT, props{"family": "redis9"}, "not a valid parameter group family"},
		{"a subnet that does not exist", cacheSubnetsT, props{"subnetIds": []any{"subnet-0"}}, "InvalidSubnetID.NotFound"},

		{"a user with a short password", cacheUserT, user(props{"noPasswordRequired": nil, "passwords": []any{"short"}}), "must have 16 to 128"},
		{"a user without an authentication mode", cacheUserT, user(props{"noPasswordRequired": nil}), "exactly one of passwords, noPasswordRequired and authenticationMode"},
		{"an access string without on or off", cacheUserT, user(props{"accessString": "~* +@all"}), "begins with on or off"},
		{"an IAM user whose name is not its id", cacheUserT, user(props{"noPasswordRequired": nil, "userName": "v", "authenticationMode": props{"type": "iam"}}), "must be the userId"},
		{"a group without a default user", cacheUserGroupT, props{"userGroupId": "g", "engine": "redis", "userIds": []any{"app"}}, "DefaultUserRequired"},
		{"two users with the same name", cacheUserGroupT, props{"userGroupId": "g", "engine": "redis", "userIds": []any{"default", "app", "twin"}}, "DuplicateUserName"},
		{"a user that does not exist", cacheUserGroupT, props{"userGroupId": "g", "engine": "valkey", "userIds": []any{"none"}}, "UserNotFound"},
	})
}

func TestDocumentRefusals(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	s.mustCreate(docClusterT, "taken", with(f.doc, props{"clusterIdentifier": "taken"}))
	s.mustCreate(docParametersT, "eight", props{"name": "eight", "family": "docdb8.0"})
	doc := func(change props) props { return with(f.doc, change) }
	group := func(list ...[]string) props {
		return props{"family": "docdb5.0", "parameters": parameterInputs(list...)}
	}
	f.s.requireRefusals([]refusal{
		{"a version past its support", docClusterT, doc(props{"engineVersion": "3.6.0"}), "Cannot find version 3.6.0 for docdb"},
		{"an identifier that is in use", docClusterT, doc(props{"clusterIdentifier": "taken"}), "DBClusterAlreadyExistsFault"},
		{"a reserved word as the administrator", docClusterT, doc(props{"masterUsername": "admin"}), "reserved word"},
		{"a password and a managed password", docClusterT, doc(props{"masterPassword": "0123456789"}), "can't be given together"},
		{"zones, which AWS completes", docClusterT, doc(props{"availabilityZones": []any{"us-east-1a"}}), "the next preview replaces the cluster"},
		{"a low port", docClusterT, doc(props{"port": 80}), "must be 1150 to 65535"},
		{"a log that does not exist", docClusterT, doc(props{"enabledCloudwatchLogsExports": []any{"slow"}}), "must be one of audit"},
		{"no backups", docClusterT, doc(props{"backupRetentionPeriod": 0}), "must be 1 to 35"},
		{"parameters of another version", docClusterT, doc(props{"dbClusterParameterGroupName": "eight"}), "DBParameterGroupFamily docdb5.0"},
		{"an instance without a cluster", docClusterInstanceT, props{"clusterIdentifier": "none", "instanceClass": "db.r6g.large"}, "DBClusterNotFoundFault"},
		{"a class that DocumentDB lacks", docClusterInstanceT, props{"clusterIdentifier": "taken", "instanceClass": "db.m6g.large"}, "in no list of AWS"},
		{"a tier of 16", docClusterInstanceT, props{"clusterIdentifier": "taken", "instanceClass": "db.r6g.large", "promotionTier": 16}, "must be 0 to 15"},
		{"a key without encryption", docClusterT, doc(props{"kmsKeyId": f.key.state["arn"], "storageEncrypted": false}), "storageEncrypted must be true"},
		{"a backup window in the maintenance window", docClusterT, doc(props{"preferredBackupWindow": "05:30-06:30", "preferredMaintenanceWindow": "sun:05:00-sun:06:00"}), "must not overlap"},
		{"a zone without a subnet", docClusterInstanceT, props{"clusterIdentifier": "taken", "instanceClass": "db.r6g.large", "availabilityZone": "us-east-1c"}, "has no subnet"},
		{"a threshold below the limit", docParametersT, group([]string{"profiler_threshold_ms", "10"}), "allowed values are: 50-"},
		{"TLS with apply method immediate", docParametersT, group([]string{"tls", "disabled", "immediate"}), "cannot use immediate apply method"},
		{"a profiler level of MongoDB", docParametersT, group([]string{"profiler", "1"}), "allowed values are: enabled,disabled"},
		{"a parameter of MongoDB", docParametersT, group([]string{"slowms", "100"}), "Could not find parameter"},
		{"subnets in one zone", docSubnetsT, props{"subnetIds": []any{f.a.id}}, "DBSubnetGroupDoesNotCoverEnoughAZs"},
	})
}

func TestSecretRefusals(t *testing.T) {
	f := newDataFixture(t)
	secret := f.s.mustCreate(secretT, "token", f.secret)
	f.s.requireRefusals([]refusal{
		{"a name that is in use", secretT, f.secret, "ResourceExistsException"},
		{"a name with a space", secretT, props{"name": "a b"}, "letters, digits and"},
		{"three days to recover", secretT, props{"recoveryWindowInDays": 3}, "must be 0 or 7 to 30"},
		{"a key that does not exist", secretT, props{"kmsKeyId": "none"}, "KMSKeyNotAccessibleFault"},
		{"no value", secretVersionT, props{"secretId": secret.id}, "exactly one of"},
		{"text and bytes", secretVersionT, props{"secretId": secret.id, "secretString": "a", "secretBinary": "YQ=="}, "exactly one of"},
		{"bytes that are not base64", secretVersionT, props{"secretId": secret.id, "secretBinary": "a-b"}, "the value must be base64"},
		{"64 KiB and one byte", secretVersionT, props{"secretId": secret.id, "secretString": strings.Repeat("x", 65537)}, "must have 1 to 65536"},
		{"a secret that does not exist", secretVersionT, props{"secretId": "none", "secretString": "a"}, "ResourceNotFoundException"},
		{"a policy that admits everybody", secretPolicyT, props{"secretArn": secret.id, "blockPublicPolicy": true,
			"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"secretsmanager:*","Resource":"*"}]}`}, "PublicPolicyException"},
		{"a key for another log group", logGroupT, props{"name": "/other/log", "kmsKeyId": f.s.mustCreate(keyT, "logs", props{"policy": logsKeyPolicy}).state["arn"]}, "logs.us-east-1.amazonaws.com"},
	})
}

func TestProtectedDatabaseIsNotDeleted(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	protected, unprotected := props{"deletionProtection": true}, props{"deletionProtection": false}
	db := s.mustCreate(dbT, "db", with(f.db, protected))
	require.ErrorContains(t, s.delete(db), "Cannot delete protected DB Instance, please disable deletion protection and try again.")
	require.True(t, s.refresh(db), "the database still exists")
	require.NoError(t, s.update(db, with(f.db, unprotected)))
	require.NoError(t, s.delete(db))
	docs := s.mustCreate(docClusterT, "docs", with(f.doc, protected))
	require.ErrorContains(t, s.delete(docs), "Cannot delete protected Cluster, please disable deletion protection and try again.")
	require.NoError(t, s.update(docs, with(f.doc, unprotected)))
	require.NoError(t, s.delete(docs))
}

func TestDeletionCreatesAFinalSnapshot(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	for token, in := range map[string]props{dbT: f.db, docClusterT: f.doc} {
		first := s.mustCreate(token, "undecided", with(in, props{"skipFinalSnapshot": nil}))
		require.ErrorContains(t, s.delete(first), "final_snapshot_identifier is required", token)
		require.NoError(t, s.update(first, with(in, props{"skipFinalSnapshot": false, "finalSnapshotIdentifier": "last"})))
		require.NoError(t, s.delete(first))
		second := s.mustCreate(token, "again", with(in, props{"skipFinalSnapshot": false, "finalSnapshotIdentifier": "last"}))
		require.ErrorContains(t, s.delete(second), "SnapshotAlreadyExists", token)
		require.True(t, s.refresh(second), "the database still exists")
	}
	withSnapshot := with(f.cache, props{"finalSnapshotIdentifier": "last"})
	require.NoError(t, s.delete(s.mustCreate(cacheT, "one", withSnapshot)))
	secondCache := s.mustCreate(cacheT, "two", withSnapshot)
	require.ErrorContains(t, s.delete(secondCache), "SnapshotAlreadyExistsFault")
	token, err := rules.FindToken("elasticache/final-snapshot")
	require.NoError(t, err)
	require.NoError(t, rules.DeleteDirect(t.Context(), s.p.store, token, "last"), "the snapshot is deleted outside of Pulumi")
	require.NoError(t, s.delete(secondCache))
}

func TestNameOfADeletedSecretIsReserved(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	s.p.cloud.Now = func() time.Time { return now }
	require.NoError(t, s.delete(s.mustCreate(secretT, "s", with(f.secret, props{"recoveryWindowInDays": 7}))))
	_, err := s.create(secretT, "s", f.secret)
	require.ErrorContains(t, err, "a secret with this name is already scheduled for deletion")
	now = now.AddDate(0, 0, 8)
	second := s.mustCreate(secretT, "s", with(f.secret, props{"recoveryWindowInDays": 0}))
	require.NoError(t, s.delete(second))
	s.mustCreate(secretT, "s", f.secret)
}
