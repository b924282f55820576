package aws

import (
	"fmt"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

func TestChangesOfDataStoresUpdateOrReplace(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	s.mustCreate(dbParametersT, "params", props{"name": "params", "family": "postgres17", "parameters": parameterInputs([]string{"work_mem", "64"})})
	s.mustCreate(dbSubnetsT, "db2", props{"name": "db2", "subnetIds": []any{f.a.id, f.e.id}})
	params := &resource{token: dbParametersT, name: "params", id: "params"}
	require.True(t, s.refresh(params))
	db := s.mustCreate(dbT, "db", with(f.db, props{"maxAllocatedStorage": 500}))
	in := with(f.db, props{"maxAllocatedStorage": 500})
	cache := s.mustCreate(cacheT, "cache", f.sharded)
	docs := s.mustCreate(docClusterT, "docs", f.doc)
	secret := s.mustCreate(secretT, "s", f.secret)
	value := s.mustCreate(secretVersionT, "v", props{"secretId": secret.id, "secretString": "one"})
	s.updateDirect(db, "allocatedStorage", 110.0)
	require.True(t, s.refresh(db))
	const update, replace = "UPDATE", "UPDATE_REPLACE"
	for _, row := range []struct {
		reason   string
		resource *resource
		news     props
		path     string
		kind     string // empty if there is no difference
	}{
		{"storage that grew by itself", db, in, "", ""},
		{"another class", db, with(in, props{"instanceClass": "db.r6g.xlarge"}), "instanceClass", update},
		{"another parameter group", db, with(in, props{"parameterGroupName": "params"}), "parameterGroupName", update},
		{"two zones", db, with(in, props{"multiAz": true}), "multiAz", update},
		{"a new minor version", db, with(in, props{"engineVersion": "17.7"}), "engineVersion", update},
		{"another subnet group", db, with(in, props{"dbSubnetGroupName": "db2"}), "dbSubnetGroupName", update},
		{"another identifier is a rename", db, with(in, props{"identifier": "renamed"}), "identifier", update},
		{"another administrator", db, with(in, props{"username": "other"}), "username", replace},
		{"another database", db, with(in, props{"dbName": "other"}), "dbName", replace},
		{"encryption", db, with(in, props{"storageEncrypted": true}), "storageEncrypted", replace},
		{"another zone", db, with(in, props{"availabilityZone": "us-east-1b"}), "availabilityZone", replace},
		{"another value", params, props{"name": "params", "family": "postgres17", "parameters": parameterInputs([]string{"work_mem", "128"})}, "parameters", update},
		{"the same value with its apply method", params, props{"name": "params", "family": "postgres17", "parameters": parameterInputs([]string{"work_mem", "64", "immediate"})}, "", ""},
		{"another family", params, props{"name": "params", "family": "postgres16"}, "family", replace},
		{"a larger node", cache, with(f.sharded, props{"nodeType": "cache.r6g.xlarge"}), "nodeType", update},
		{"one more shard", cache, with(f.sharded, props{"numNodeGroups": 4}), "numNodeGroups", update},
		{"an older version", cache, with(f.sharded, props{"engineVersion": "7.0"}), "engineVersion", replace},
		{"encryption of a cache", cache, with(f.sharded, props{"atRestEncryptionEnabled": true}), "atRestEncryptionEnabled", replace},
		{"another subnet group of a cache", cache, with(f.sharded, props{"subnetGroupName": "none"}), "subnetGroupName", replace},
		{"more backups", docs, with(f.doc, props{"backupRetentionPeriod": 7}), "backupRetentionPeriod", update},
		{"another port", docs, with(f.doc, props{"port": 27018}), "port", replace},
		{"another value replaces a version", value, props{"secretId": secret.id, "secretString": "two"}, "secretString", replace},
		{"the same secret and value", value, props{"secretId": secret.id, "secretString": "one"}, "", ""},
	} {
		t.Run(row.reason, func(t *testing.T) {
			d := s.diff(row.resource, row.news)
			if row.kind == "" {
				require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges(), "%v", d.GetDetailedDiff())
				return
			}
			require.Contains(t, d.GetDetailedDiff(), row.path)
			require.Equal(t, row.kind, d.GetDetailedDiff()[row.path].GetKind().String())
			require.Equal(t, strings.HasSuffix(row.kind, "_REPLACE"), len(d.GetReplaces()) > 0)
		})
	}
}

func TestDatabaseIsUpdatedInPlace(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	s.mustCreate(dbSubnetsT, "db2", props{"name": "db2", "subnetIds": []any{f.a.id, f.e.id}})
	db := s.mustCreate(dbT, "db", f.db)
	address, id := db.state["address"], db.id
	in := with(f.db, props{"instanceClass": "db.r6g.2xlarge", "multiAz": true, "allocatedStorage": 400})
	require.NoError(t, s.update(db, in))
	require.Equal(t, id, db.id)
	require.Equal(t, address, db.state["address"], "an update in place keeps the address")
	require.Equal(t, "db.r6g.2xlarge", db.state["instanceClass"])
	require.EqualValues(t, 12000, db.state["iops"], "a large gp3 volume is striped")
	for reason, row := range map[string]struct {
		change props
		want   string
	}{
		"storage can't shrink":                 {props{"allocatedStorage": 100}, "can't be reduced"},
		"a lower version":                      {props{"engineVersion": "17.5"}, "Cannot upgrade postgres from 17.6 to 17.5"},
		"a major version by mistake":           {props{"engineVersion": "18.1"}, "AllowMajorVersionUpgrade flag must be present"},
		"another subnet group of the same VPC": {props{"dbSubnetGroupName": "db2"}, "InvalidVPCNetworkStateFault"},
	} {
		require.ErrorContains(t, s.update(db, with(in, row.change)), row.want, reason)
	}
	require.NoError(t, s.update(db, with(in, props{"engineVersion": "18", "allowMajorVersionUpgrade": true})))
	require.Equal(t, "18.6", db.state["engineVersionActual"])
	require.Equal(t, "default.postgres18", db.state["parameterGroupName"], "AWS's own group follows the version")
}

func TestParameterGroupInUseChangesInPlace(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	in := props{"name": "p", "family": "postgres17", "parameters": parameterInputs([]string{"work_mem", "64"})}
	group := s.mustCreate(dbParametersT, "p", in)
	s.mustCreate(dbT, "db", with(f.db, props{"parameterGroupName": "p"}))
	in["parameters"] = parameterInputs([]string{"work_mem", "{DBInstanceClassMemory/65536}"}, []string{"max_connections", "200", "pending-reboot"})
	require.NoError(t, s.update(group, in), "a group in use changes in place")
	require.Len(t, group.state["parameters"], 2)

	cluster := s.mustCreate(cacheParamsT, "c", props{"name": "c", "family": "redis7", "parameters": parameterInputs([]string{"cluster-enabled", "yes"})})
	cache := s.mustCreate(cacheT, "cache", with(f.sharded, props{"parameterGroupName": "c"}))
	err := s.update(cluster, props{"name": "c", "family": "redis7", "parameters": parameterInputs([]string{"cluster-enabled", "no"})})
	require.ErrorContains(t, err, "InvalidCacheParameterGroupState", "the cluster mode can't be turned off")
	require.NoError(t, s.delete(cache))
}

func TestManagedPasswordIsASecretOfTheDatabase(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	before := s.objectCount()
	db := s.mustCreate(dbT, "db", f.db)
	arn := db.state["masterUserSecrets"].([]any)[0].(props)["secretArn"]
	s.mustCreate(secretPolicyT, "p", props{"secretArn": arn, "policy": `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Deny","Principal":"*","Action":"secretsmanager:DeleteSecret","Resource":"*"}]}`})
	require.NoError(t, s.update(db, f.db))
	require.Equal(t, arn, db.state["masterUserSecrets"].([]any)[0].(props)["secretArn"], "an update keeps the secret")
	require.NoError(t, s.update(db, with(f.db, props{"manageMasterUserPassword": nil, "password": "0123456789"})))
	require.Empty(t, db.state["masterUserSecrets"], "a password of the program replaces the managed password")
	require.NoError(t, s.update(db, f.db))
	require.NotEqual(t, arn, db.state["masterUserSecrets"].([]any)[0].(props)["secretArn"])
	require.NoError(t, s.delete(db))
	require.Equal(t, before, s.objectCount(), "the secret and its policy are deleted with the database")
}

func TestCacheEncryptionChangesInTwoSteps(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	cache := s.mustCreate(cacheT, "cache", f.cache)
	require.ErrorContains(t, s.update(cache, with(f.cache, props{"transitEncryptionEnabled": true})), "preferred first")
	require.NoError(t, s.update(cache, with(f.cache, props{"transitEncryptionEnabled": true, "transitEncryptionMode": "preferred"})))
	require.NoError(t, s.update(cache, with(f.cache, props{"transitEncryptionEnabled": true, "transitEncryptionMode": "required"})))
	require.ErrorContains(t, s.update(cache, with(f.cache, props{"transitEncryptionEnabled": false})), "disabled in two steps")
	require.Contains(t, cache.state["primaryEndpointAddress"], "master.")
}

func TestDeletedCacheUserIsRemovedFromGroups(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	createUser := func(id, name string) *resource {
		return s.mustCreate(cacheUserT, id, props{"userId": id, "userName": name, "engine": "redis", "accessString": "on ~* +@all", "noPasswordRequired": true})
	}
	defaultUser, appUser := createUser("first", "default"), createUser("app", "app")
	group := s.mustCreate(cacheUserGroupT, "g", props{"userGroupId": "g", "engine": "REDIS", "userIds": []any{"first", "app"}})
	require.ErrorContains(t, s.delete(defaultUser), "DefaultUserAssociatedToUserGroup")
	require.NoError(t, s.delete(appUser))
	require.True(t, s.refresh(group))
	require.Equal(t, []any{"first"}, group.state["userIds"])
}

func TestDocumentClusterUpgradesByOneMajorVersion(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	docs := s.mustCreate(docClusterT, "docs", with(f.doc, props{"engineVersion": "4.0.0"}))
	upgradeTo := func(version string) props {
		return with(f.doc, props{"engineVersion": version, "allowMajorVersionUpgrade": true})
	}
	require.ErrorContains(t, s.update(docs, upgradeTo("8.0.0")), "Cannot upgrade docdb from 4.0.0 to 8.0.0", "an upgrade may not skip a major version")
	require.ErrorContains(t, s.update(docs, with(f.doc, nil)), "AllowMajorVersionUpgrade")
	require.NoError(t, s.update(docs, upgradeTo("5.0.0")))
	require.Equal(t, "default.docdb5.0", docs.state["dbClusterParameterGroupName"])
}

func TestNewSecretVersionBecomesTheCurrentOne(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	secret := s.mustCreate(secretT, "s", f.secret)
	firstVersion := s.mustCreate(secretVersionT, "v", props{"secretId": secret.id, "secretString": "one"})
	secondVersion := s.mustCreate(secretVersionT, "v", props{"secretId": "app/token", "secretString": "two"})
	require.True(t, s.refresh(firstVersion))
	require.Equal(t, []any{"AWSPREVIOUS"}, firstVersion.state["versionStages"])
	require.Equal(t, []any{"AWSCURRENT"}, secondVersion.state["versionStages"])
	// A new version with only a custom stage does not become the current version. Only one
	// version can have a stage.
	stagedInputs := props{"secretId": secret.id, "secretString": "three", "versionStages": []any{"generation-1"}}
	stagedVersion := s.mustCreate(secretVersionT, "v", stagedInputs)
	require.Equal(t, []any{"generation-1"}, stagedVersion.state["versionStages"])
	s.mustCreate(secretVersionT, "v", with(stagedInputs, props{"secretString": "four"}))
	require.True(t, s.refresh(stagedVersion))
	require.Empty(t, stagedVersion.state["versionStages"])
	require.True(t, s.refresh(secondVersion))
	require.Equal(t, []any{"AWSCURRENT"}, secondVersion.state["versionStages"])
	require.NoError(t, s.delete(secret))
	require.False(t, s.refresh(secondVersion), "the versions are deleted with the secret")
	// AWS adds AWSCURRENT to the first version of a secret.
	otherSecret := s.mustCreate(secretT, "s", with(f.secret, props{"name": "app/other"}))
	firstVersionOfOther := s.mustCreate(secretVersionT, "v", with(stagedInputs, props{"secretId": otherSecret.id}))
	require.Equal(t, []any{"generation-1", "AWSCURRENT"}, firstVersionOfOther.state["versionStages"])
}

func TestRandomPasswordFollowsItsOptions(t *testing.T) {
	s := newSandbox(t, nil)
	const token = "aws:secretsmanager/getRandomPassword:getRandomPassword"
	first, err := s.invoke(token, nil)
	require.NoError(t, err)
	second, err := s.invoke(token, nil)
	require.NoError(t, err)
	require.Len(t, first["randomPassword"], 32)
	require.NotEqual(t, first["randomPassword"], second["randomPassword"], "every call generates a new password")
	res, err := s.p.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: token})
	require.NoError(t, err)
	for _, name := range []string{"id", "randomPassword"} {
		require.Nil(t, res.GetReturn().GetFields()[name].GetStructValue(), "%s is not marked as a secret, as in pulumi-aws: the program must mark it", name)
	}
	withoutPunctuation, err := s.invoke(token, props{"passwordLength": 4096, "excludePunctuation": true, "excludeCharacters": "0Ol", "requireEachIncludedType": true})
	require.NoError(t, err)
	require.Len(t, withoutPunctuation["randomPassword"], 4096)
	require.Regexp(t, `^[a-km-zA-NP-Z1-9]+$`, withoutPunctuation["randomPassword"])
	withAllKinds, err := s.invoke(token, props{"passwordLength": 4, "requireEachIncludedType": true})
	require.NoError(t, err)
	for _, kind := range []string{`[a-z]`, `[A-Z]`, `[0-9]`, `[^a-zA-Z0-9]`} {
		require.Regexp(t, kind, withAllKinds["randomPassword"])
	}
	for reason, in := range map[string]props{
		"a length of 0":                    {"passwordLength": 0},
		"more than AWS allows":             {"passwordLength": 4097},
		"every kind of character excluded": {"excludeLowercase": true, "excludeUppercase": true, "excludeNumbers": true, "excludePunctuation": true},
		"shorter than the number of kinds": {"passwordLength": 3, "requireEachIncludedType": true},
		"an unknown property":              {"length": 3},
	} {
		_, err := s.invoke(token, in)
		require.Error(t, err, reason)
	}
}

func TestSecretsAreNotListed(t *testing.T) {
	s := newSandbox(t, nil)
	s.setEnvironment()
	s.createDataStack()
	s.mustCreate(cacheUserT, "other", props{"userId": "other", "userName": "other", "engine": "redis", "accessString": "on ~* +@all",
		"authenticationMode": props{"type": "password", "passwords": []any{"0123456789abcdef"}}})
	out, err := s.runCommand("list", "--json", "--owned")
	require.NoError(t, err)
	require.Contains(t, out, `"secretString": "[secret]"`)
	require.NotContains(t, out, "hidden", "a secret's value")
	require.NotContains(t, out, "0123456789abcdef", "the password of a cache or of a cache user")
}

func TestMonitoringRoleCanHaveAnInlinePolicy(t *testing.T) {
	f := newDataFixture(t)
	role := f.s.mustCreate(roleT, "r", props{"assumeRolePolicy": monitoringTrust})
	f.s.mustCreate("aws:iam/rolePolicy:RolePolicy", "p", props{"role": role.state["name"], "policy": identityPolicy("logs:PutLogEvents")})
	db := f.s.mustCreate(dbT, "db", with(f.db, props{"monitoringInterval": 60, "monitoringRoleArn": role.state["arn"]}))
	require.Equal(t, role.state["arn"], db.state["monitoringRoleArn"])
}

// If a parameter has the default value of its family, AWS always returns the apply method
// pending-reboot, even if the program sent immediate. So a program that sends immediate
// gets a difference in each preview.
func TestDefaultParametersAreReadAsPendingReboot(t *testing.T) {
	s := newSandbox(t, nil)
	for i, row := range []struct {
		token, family, name, value, method string
		same                               bool
	}{
		{dbParametersT, "postgres17", "rds.force_ssl", "1", "immediate", false},
		{dbParametersT, "postgres17", "rds.force_ssl", "1", "pending-reboot", true},
		{dbParametersT, "postgres17", "rds.force_ssl", "0", "immediate", true},
		{dbParametersT, "postgres17", "autovacuum_vacuum_scale_factor", "0.1", "immediate", false},
		{docParametersT, "docdb5.0", "profiler_threshold_ms", "100", "immediate", false},
		{docParametersT, "docdb5.0", "profiler_threshold_ms", "100", "pending-reboot", true},
		{docParametersT, "docdb5.0", "profiler_threshold_ms", "200", "immediate", true},
	} {
		in := props{"name": fmt.Sprintf("group-%d", i), "family": row.family, "parameters": []any{props{"name": row.name, "value": row.value, "applyMethod": row.method}}}
		group := s.mustCreate(row.token, "group", in)
		require.Equal(t, row.same, s.diff(group, in).GetChanges() == pulumirpc.DiffResponse_DIFF_NONE, "%s = %s as %s", row.name, row.value, row.method)
	}
}
