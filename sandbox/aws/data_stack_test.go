package aws

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

// The types of data stores.
const (
	dbT                 = "aws:rds/instance:Instance"
	dbParametersT       = "aws:rds/parameterGroup:ParameterGroup"
	dbSubnetsT          = "aws:rds/subnetGroup:SubnetGroup"
	cacheT              = "aws:elasticache/replicationGroup:ReplicationGroup"
	cacheParamsT        = "aws:elasticache/parameterGroup:ParameterGroup"
	cacheSubnetsT       = "aws:elasticache/subnetGroup:SubnetGroup"
	cacheUserT          = "aws:elasticache/user:User"
	cacheUserGroupT     = "aws:elasticache/userGroup:UserGroup"
	docClusterT         = "aws:docdb/cluster:Cluster"
	docClusterInstanceT = "aws:docdb/clusterInstance:ClusterInstance"
	docParametersT      = "aws:docdb/clusterParameterGroup:ClusterParameterGroup"
	docSubnetsT         = "aws:docdb/subnetGroup:SubnetGroup"
	secretT             = "aws:secretsmanager/secret:Secret"
	secretVersionT      = "aws:secretsmanager/secretVersion:SecretVersion"
	secretPolicyT       = "aws:secretsmanager/secretPolicy:SecretPolicy"

	monitoringTrust     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"monitoring.rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	monitoringPolicyARN = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
	logsKeyPolicy       = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Action":["kms:Encrypt*","kms:Decrypt*","kms:ReEncrypt*","kms:GenerateDataKey*","kms:Describe*"],
		 "Resource":"*","Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:us-east-1:123456789012:log-group:/data/*"}}}]}`
)

// parameterInputs returns the property parameters of a parameter group. Each item of the list has
// a name, a value and, optionally, an apply method.
func parameterInputs(list ...[]string) []any {
	out := make([]any, len(list))
	for i, item := range list {
		in := props{"name": item[0], "value": item[1]}
		if len(item) > 2 {
			in["applyMethod"] = item[2]
		}
		out[i] = in
	}
	return out
}

// createDataStack creates a PostgreSQL database, two caches, a DocumentDB cluster and a
// secret.
func (s *sandbox) createDataStack() *testStack {
	s.t.Helper()
	stack := s.newStack()
	add := stack.add
	vpc := add(vpcT, "vpc", props{"cidrBlock": "10.20.0.0/16"})
	a := add(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.20.0.0/20", "availabilityZone": "us-east-1a"})
	b := add(subnetT, "b", props{"vpcId": vpc.id, "cidrBlock": "10.20.16.0/20", "availabilityZone": "us-east-1b"})
	group := add(securityGroupT, "group", props{"vpcId": vpc.id})
	key := add(keyT, "key", props{"enableKeyRotation": true, "policy": logsKeyPolicy})
	slow := add(logGroupT, "slow", props{"name": "/data/slow", "kmsKeyId": key.state["arn"]})
	role := add(roleT, "monitoring", props{"assumeRolePolicy": monitoringTrust})
	add(policyAttachmentT, "monitoring-policy", props{"role": role.state["name"], "policyArn": monitoringPolicyARN})

	subnets := add(dbSubnetsT, "db-subnets", props{"subnetIds": []any{a.id, b.id}})
	params := add(dbParametersT, "db-params", props{"family": "postgres17", "parameters": parameterInputs(
		[]string{"work_mem", "262144"}, []string{"shared_buffers", "1048576", "pending-reboot"}, []string{"rds.force_ssl", "1", "pending-reboot"})})
	add(dbT, "main", props{
		"engine": "postgres", "engineVersion": "17", "instanceClass": "db.r6g.xlarge", "allocatedStorage": 100, "maxAllocatedStorage": 500,
		"storageType": "gp3", "storageEncrypted": true, "kmsKeyId": key.state["arn"], "multiAz": true, "dbSubnetGroupName": subnets.id,
		"vpcSecurityGroupIds": []any{group.id}, "parameterGroupName": params.id, "username": "progressive", "dbName": "progressive_framework_v5",
		"manageMasterUserPassword": true, "masterUserSecretKmsKeyId": key.id, "performanceInsightsEnabled": true,
		"performanceInsightsRetentionPeriod": 7, "monitoringInterval": 60, "monitoringRoleArn": role.state["arn"],
		"enabledCloudwatchLogsExports": []any{"upgrade", "postgresql"}, "backupRetentionPeriod": 7, "backupWindow": "03:00-04:00",
		"maintenanceWindow": "Sun:05:00-Sun:06:00", "copyTagsToSnapshot": true, "skipFinalSnapshot": true, "caCertIdentifier": "rds-ca-rsa2048-g1",
	})

	cacheSubnets := add(cacheSubnetsT, "cache-subnets", props{"subnetIds": []any{b.id, a.id}})
	cacheParams := add(cacheParamsT, "cache-params", props{"family": "redis7", "parameters": parameterInputs(
		[]string{"maxmemory-policy", "allkeys-lru"}, []string{"cluster-enabled", "yes"}, []string{"notify-keyspace-events", "Ex"})})
	add(cacheT, "Cache", props{
		"description": "cache", "engineVersion": "7.1", "nodeType": "cache.r6g.large", "numNodeGroups": 3, "replicasPerNodeGroup": 1,
		"automaticFailoverEnabled": true, "multiAzEnabled": true, "atRestEncryptionEnabled": true, "kmsKeyId": key.state["arn"],
		"transitEncryptionEnabled": true, "authToken": "0123456789abcdef", "subnetGroupName": cacheSubnets.id, "securityGroupIds": []any{group.id},
		"parameterGroupName": cacheParams.id, "snapshotRetentionLimit": 5, "snapshotWindow": "03:00-04:00", "maintenanceWindow": "sun:05:00-sun:06:00",
		"logDeliveryConfigurations": []any{props{"destination": slow.id, "destinationType": "cloudwatch-logs", "logFormat": "json", "logType": "slow-log"}},
	})
	user := add(cacheUserT, "app", props{"userId": "app", "userName": "app", "engine": "redis", "accessString": "on ~app:* +@all", "passwords": []any{"0123456789abcdef"}})
	users := add(cacheUserGroupT, "users", props{"userGroupId": "users", "engine": "redis", "userIds": []any{"default", user.id}})
	add(cacheT, "sessions", props{
		"description": "sessions", "engine": "valkey", "nodeType": "cache.t4g.small", "numCacheClusters": 2, "automaticFailoverEnabled": true,
		"transitEncryptionEnabled": true, "subnetGroupName": cacheSubnets.id, "userGroupIds": []any{users.id},
	})

	docSubnets := add(docSubnetsT, "doc-subnets", props{"subnetIds": []any{a.id, b.id}})
	docParams := add(docParametersT, "doc-params", props{"family": "docdb5.0", "parameters": parameterInputs(
		[]string{"profiler", "enabled"}, []string{"profiler_threshold_ms", "100"}, []string{"tls", "enabled"})})
	docs := add(docClusterT, "docs", props{
		"engineVersion": "5.0.0", "masterUsername": "progressive", "manageMasterUserPassword": true, "storageEncrypted": true, "kmsKeyId": key.state["arn"],
		"dbSubnetGroupName": docSubnets.id, "vpcSecurityGroupIds": []any{group.id}, "dbClusterParameterGroupName": docParams.id,
		"enabledCloudwatchLogsExports": []any{"profiler", "audit"}, "backupRetentionPeriod": 7, "preferredBackupWindow": "03:00-04:00", "skipFinalSnapshot": true,
	})
	add(docClusterInstanceT, "docs-0", props{"clusterIdentifier": docs.id, "instanceClass": "db.r6g.large"})
	add(docClusterInstanceT, "docs-1", props{"clusterIdentifier": docs.id, "instanceClass": "db.r6g.large", "promotionTier": 1})

	secret := add(secretT, "token", props{"kmsKeyId": key.id, "recoveryWindowInDays": 0})
	add(secretVersionT, "token-value", props{"secretId": secret.id, "secretString": "hidden"})
	add(secretPolicyT, "token-policy", props{"secretArn": secret.id, "blockPublicPolicy": true, "policy": `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`})
	return stack
}

func TestUnchangedDataStackHasNoDiff(t *testing.T) {
	newSandbox(t, nil).createDataStack().requireNoDiff()
}

func TestImportedDataStackHasNoDiff(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createDataStack()
	for _, created := range stack.created {
		imported := &resource{token: created.token, name: created.name, id: created.id}
		require.True(t, s.refresh(imported), created.name)
		d := s.diff(imported, imported.in)
		require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges(), "%s %s differs: %v", created.token, created.name, d.GetDetailedDiff())
	}
}

func TestDataStackIsDeletedInReverseOrder(t *testing.T) {
	newSandbox(t, nil).createDataStack().requireDeletion()
}

func TestDataResourceInUseIsNotDeleted(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createDataStack()
	before := s.objectCount()
	for name, code := range map[string]string{
		"db-params":     "InvalidDBParameterGroupState",
		"db-subnets":    "InvalidDBSubnetGroupStateFault",
		"cache-params":  "InvalidCacheParameterGroupState",
		"cache-subnets": "CacheSubnetGroupInUse",
		"users":         "InvalidUserGroupState",
		"doc-params":    "InvalidDBParameterGroupState",
		"doc-subnets":   "InvalidDBSubnetGroupStateFault",
		"docs":          "it still contains DB instances",
		"group":         "DependencyViolation",
		"a":             "DependencyViolation",
	} {
		require.ErrorContains(t, s.delete(stack.byName[name]), code, name)
	}
	require.Equal(t, before, s.objectCount())
}

func TestDataStackOutputsHaveFormatOfAWS(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createDataStack()
	for _, want := range []struct{ name, property, pattern string }{
		{"main", "identifier", `^main[0-9a-f]{7}$`},
		{"main", "address", `^main[0-9a-f]{7}\.c[a-z0-9]{11}\.us-east-1\.rds\.amazonaws\.com$`},
		{"main", "endpoint", `^main.*\.rds\.amazonaws\.com:5432$`},
		{"main", "arn", `^arn:aws:rds:us-east-1:123456789012:db:main[0-9a-f]{7}$`},
		{"main", "resourceId", `^db-[A-Z0-9]{26}$`},
		{"main", "hostedZoneId", `^Z2R2ITUGPM61AM$`},
		{"main", "status", `^available$`},
		{"main", "engineVersion", `^17$`},
		{"main", "engineVersionActual", `^17\.12$`},
		{"main", "optionGroupName", `^default:postgres-17$`},
		{"db-params", "description", `^Managed by Pulumi$`},
		{"Cache", "replicationGroupId", `^cache-[0-9a-f]{7}$`},
		{"Cache", "configurationEndpointAddress", `^clustercfg\.cache-[0-9a-f]{7}\.c[a-z0-9]{5}\.use1\.cache\.amazonaws\.com$`},
		{"Cache", "primaryEndpointAddress", `^$`},
		{"sessions", "primaryEndpointAddress", `^master\.sessions-[0-9a-f]{7}\.c[a-z0-9]{5}\.use1\.cache\.amazonaws\.com$`},
		{"sessions", "readerEndpointAddress", `^replica\.sessions-`},
		{"sessions", "parameterGroupName", `^default\.valkey9$`},
		{"docs", "clusterIdentifier", `^tf-\d{18}[0-9a-f]{8}$`},
		{"docs", "endpoint", `^tf-\d+[0-9a-f]+\.cluster-c[a-z0-9]{11}\.us-east-1\.docdb\.amazonaws\.com$`},
		{"docs", "readerEndpoint", `\.cluster-ro-`},
		{"docs-0", "arn", `^arn:aws:rds:us-east-1:123456789012:db:tf-`},
		{"token", "arn", `^arn:aws:secretsmanager:us-east-1:123456789012:secret:token-[0-9a-f]{7}-[A-Z0-9]{6}$`},
		{"token-value", "versionId", `^[0-9a-f-]{36}$`},
	} {
		value, _ := stack.byName[want.name].state[want.property].(string)
		require.Regexp(t, want.pattern, value, "%s.%s", want.name, want.property)
	}
	secret := stack.byName["main"].state["masterUserSecrets"].([]any)[0].(props)
	require.Regexp(t, `^arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-[0-9a-f-]{36}-[A-Z0-9]{6}$`, secret["secretArn"])
	require.Equal(t, "active", secret["secretStatus"])
	require.NotContains(t, stack.byName["main"].state, "password", "the managed password is not in the state")
	require.Len(t, stack.byName["Cache"].state["memberClusters"], 6)
	require.Equal(t, true, stack.byName["Cache"].state["clusterEnabled"])
	require.EqualValues(t, 2, stack.byName["sessions"].state["numCacheClusters"])
	require.Equal(t, []any{"AWSCURRENT"}, stack.byName["token-value"].state["versionStages"])
	require.Equal(t, true, stack.byName["docs-0"].state["writer"])
	require.Equal(t, false, stack.byName["docs-1"].state["writer"])
	require.EqualValues(t, 27017, stack.byName["docs-0"].state["port"])
	require.True(t, s.refresh(stack.byName["docs"]))
	require.Equal(t, []any{stack.byName["docs-0"].id, stack.byName["docs-1"].id}, stack.byName["docs"].state["clusterMembers"])
}
