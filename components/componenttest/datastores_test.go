package componenttest

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/redis"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promrules"
	"github.com/progressive-framework/platform/components/secret"
	"github.com/progressive-framework/platform/components/size"
)

var (
	nodes   = []clients.Client{{Name: "nodes", SecurityGroupID: pulumi.String("sg-nodes")}}
	subnets = pulumi.StringArray{pulumi.String("subnet-a"), pulumi.String("subnet-b")}
)

func databaseArgs(stackAccount *account.Account) *postgres.DatabaseArgs {
	return &postgres.DatabaseArgs{
		Account: stackAccount, Database: rdsspec.Database{Identifier: "app-postgres", InstanceClass: "db.m7g.large"},
		VPCID: pulumi.String("vpc-1"), SubnetIDs: subnets, Clients: nodes,
	}
}

func redisArgs(stackAccount *account.Account) *redis.ClusterArgs {
	return &redis.ClusterArgs{
		Account: stackAccount, Cluster: elasticachespec.Cluster{Identifier: "app-redis", NodeType: "cache.r7g.large"},
		VPCID: pulumi.String("vpc-1"), SubnetIDs: subnets, Clients: nodes,
	}
}

func mongoArgs(stackAccount *account.Account) *mongo.ClusterArgs {
	return &mongo.ClusterArgs{
		Account: stackAccount, Cluster: docdbspec.Cluster{Identifier: "app-mongo", InstanceClass: "db.r6g.large"},
		VPCID: pulumi.String("vpc-1"), SubnetIDs: subnets, Clients: nodes,
	}
}

// digest is the end of the image references in the tests.
const digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"

func postgresPodArgs() *postgres.InClusterArgs {
	return &postgres.InClusterArgs{
		Namespace: pulumi.String("platform"), Image: pulumi.String("postgres" + digest), Password: pulumi.String("hidden"), Clients: []podnetwork.Peer{podnetwork.App("mca")},
		Tuning: postgrestuning.Inputs{Memory: size.GiB(2), Cores: 2, Connections: 50},
	}
}

func redisPodArgs() *redis.InClusterArgs {
	return &redis.InClusterArgs{
		Namespace: pulumi.String("platform"), Image: pulumi.String("redis" + digest), AgentImage: pulumi.String("redisnode" + digest),
		Password: pulumi.String("hidden"), NodePassword: pulumi.String("buried"), Clients: []podnetwork.Peer{podnetwork.App("mca")},
	}
}

func newDatabase(args func(*account.Account) *postgres.DatabaseArgs) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		_, err := postgres.NewDatabase(ctx, "app-postgres", args(stackAccount))
		return err
	}
}

func newRedis(args func(*account.Account) *redis.ClusterArgs) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		_, err := redis.NewCluster(ctx, "app-redis", args(stackAccount))
		return err
	}
}

func newMongo(args func(*account.Account) *mongo.ClusterArgs) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		_, err := mongo.NewCluster(ctx, "app-mongo", args(stackAccount))
		return err
	}
}

func newPostgresPod(args *postgres.InClusterArgs) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := postgres.NewInCluster(ctx, "app-postgres", args)
		return err
	}
}

func newRedisPods(args *redis.InClusterArgs) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := redis.NewInCluster(ctx, "app-redis", args)
		return err
	}
}

const (
	// mockARN is the prefix of the ARNs that cloudmocks gives to resources.
	mockARN = "arn:aws:mock:us-east-1:123456789012:"

	// Types of resources.
	rdsInstance      = "aws:rds/instance:Instance"
	replicationGroup = "aws:elasticache/replicationGroup:ReplicationGroup"
	docdbCluster     = "aws:docdb/cluster:Cluster"
	docdbInstance    = "aws:docdb/clusterInstance:ClusterInstance"
	backupVault      = "aws:backup/vault:Vault"
	secretVersion    = "aws:secretsmanager/secretVersion:SecretVersion"
)

func TestDatabaseIsPrivateEncryptedAndProtected(t *testing.T) {
	d := deploy(t, newDatabase(databaseArgs))
	instance := d.find(t, rdsInstance)
	instance.requireInputs(t, map[string]any{
		"identifier": "app-postgres", "engine": "postgres", "engineVersion": "17", "instanceClass": "db.m7g.large",
		"publiclyAccessible": false, "multiAz": true, "deletionProtection": true,
		"storageEncrypted": true, "kmsKeyId": mockARN + "app-postgres-key", "masterUserSecretKmsKeyId": mockARN + "app-postgres-key",
		"performanceInsightsKmsKeyId": mockARN + "app-postgres-key",
		"manageMasterUserPassword":    true, "password": nil, "iamDatabaseAuthenticationEnabled": true,
		"backupRetentionPeriod": 35, "deleteAutomatedBackups": false, "skipFinalSnapshot": false, "finalSnapshotIdentifier": "app-postgres-final-app",
		"dbSubnetGroupName": "app-postgres", "parameterGroupName": "app-postgres-postgres17", "applyImmediately": false,
		"vpcSecurityGroupIds[0]": "app-postgres-sg-id", "enabledCloudwatchLogsExports": []any{"postgresql", "upgrade"},
	})
	instance.requireDependsOn(t, d.ofType("aws:cloudwatch/logGroup:LogGroup")...)
	instance.requireDependsOn(t, d.ofType("aws:iam/rolePolicyAttachment:RolePolicyAttachment")...)
}

func TestRedisIsPrivateEncryptedAndProtected(t *testing.T) {
	d := deploy(t, newRedis(redisArgs))
	group := d.find(t, replicationGroup)
	group.requireInputs(t, map[string]any{
		"replicationGroupId": "app-redis", "engineVersion": "7.1", "nodeType": "cache.r7g.large",
		"numNodeGroups": 3, "replicasPerNodeGroup": 1, "automaticFailoverEnabled": true, "multiAzEnabled": true,
		"atRestEncryptionEnabled": true, "kmsKeyId": mockARN + "app-redis-key",
		"transitEncryptionEnabled": true, "transitEncryptionMode": "required", "userGroupIds[0]": "app-redis",
		"snapshotRetentionLimit": 7, "finalSnapshotIdentifier": "app-redis-final-app",
		"subnetGroupName": "app-redis", "parameterGroupName": "app-redis-redis7", "securityGroupIds[0]": "app-redis-sg-id",
		"logDeliveryConfigurations[0].logType": "slow-log", "logDeliveryConfigurations[1].destination": "/aws/elasticache/app-redis/engine-log",
	})
	user := d.find(t, "aws:elasticache/user:User")
	user.requireInputs(t, map[string]any{"userName": "default", "passwords": []any{"generated-app-redis-password-0"}})
	require.True(t, user.Inputs["passwords"].ContainsSecrets())
	require.Contains(t, user.input("accessString"), "-@dangerous")
}

// After a rotation Redis still accepts the previous password. So a client can connect before it
// has read the new password.
func TestRotationKeepsThePreviousPassword(t *testing.T) {
	d := deploy(t, newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
		args := redisArgs(stackAccount)
		args.Generation = 3
		return args
	}))
	require.Equal(t, []string{"app-redis-version-3"}, d.names(secretVersion))
	require.Equal(t, []string{"app-redis-password-2", "app-redis-password-3"}, d.names(secret.PasswordToken))
	require.Len(t, d.find(t, "aws:elasticache/user:User").input("passwords"), 2)
}

// ElastiCache accepts a new password before Secrets Manager has it. So no pod reads a password
// that Redis refuses.
func TestRedisAcceptsAPasswordBeforePodsReadIt(t *testing.T) {
	d := deploy(t, newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
		args := redisArgs(stackAccount)
		args.Generation = 1
		return args
	}))
	user, userGroup := d.find(t, "aws:elasticache/user:User"), d.find(t, "aws:elasticache/userGroup:UserGroup")
	user.requireInputs(t, map[string]any{"passwords": []any{"generated-app-redis-password-1", "generated-app-redis-password-0"}})
	user.requireDependsOn(t, d.ofType(secret.PasswordToken)...)
	userGroup.requireDependsOn(t, user)
	version := d.find(t, secretVersion)
	version.requireDependsOn(t, userGroup)
	version.requireInputs(t, map[string]any{"secretString": "generated-app-redis-password-1"})
	require.True(t, version.Inputs["secretString"].ContainsSecrets())
	require.Empty(t, version.IgnoreChanges)
}

// newCopyRegion returns another region for copies, with the AWS provider other-region.
func newCopyRegion(ctx *pulumi.Context, stackAccount *account.Account) (*datastore.CopyRegion, error) {
	otherAccount := *stackAccount
	otherAccount.Region = "us-west-2"
	provider, err := aws.NewProvider(ctx, "other-region", &aws.ProviderArgs{Region: pulumi.String(otherAccount.Region)})
	return &datastore.CopyRegion{Account: &otherAccount, InRegion: pulumi.Provider(provider)}, err
}

// The copies are encrypted with a key in the other region. The key stays when the stack is
// destroyed.
func TestBackupsAreCopiedToTheOtherRegion(t *testing.T) {
	d := deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
		region, err := newCopyRegion(ctx, stackAccount)
		if err != nil {
			return err
		}
		args := databaseArgs(stackAccount)
		args.Unprotected, args.Database.BackupDays = true, 14
		args.Copy = region
		_, err = postgres.NewDatabase(ctx, "app-postgres", args)
		return err
	})
	copies := d.find(t, "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication")
	copies.requireInputs(t, map[string]any{
		"sourceDbInstanceArn": mockARN + "app-postgres-instance", "kmsKeyId": mockARN + "app-postgres-copy-key", "retentionPeriod": 14,
	})
	key := d.find(t, "aws:kms/key:Key", "app-postgres-copy-key")
	require.True(t, key.RetainOnDelete)
	for _, r := range []registration{copies, key} {
		require.Contains(t, r.Provider, "::other-region::", r.Name)
	}
	require.NotContains(t, d.find(t, rdsInstance).Provider, "::other-region::")
	require.Empty(t, deploy(t, newDatabase(databaseArgs)).ofType(copies.Type))
}

// newCopiedMongo returns a program that copies DocumentDB's snapshots to another region. It keeps
// backups for 14 days.
func newCopiedMongo(discard bool) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		region, err := newCopyRegion(ctx, stackAccount)
		if err != nil {
			return err
		}
		args := mongoArgs(stackAccount)
		args.Cluster.BackupDays, args.Copy, args.DiscardData = 14, region, discard
		_, err = mongo.NewCluster(ctx, "app-mongo", args)
		return err
	}
}

// AWS Backup takes a snapshot of the cluster each day and copies it to a vault in the other region,
// with a key of that region. It may act on the cluster only.
func TestSnapshotsOfDocumentDBAreCopiedToTheOtherRegion(t *testing.T) {
	d := deploy(t, newCopiedMongo(false))
	vault, copyVault := d.find(t, backupVault, "app-mongo-vault"), d.find(t, backupVault, "app-mongo-copy-vault")
	vault.requireInputs(t, map[string]any{"name": "app-mongo-app-mong", "kmsKeyArn": mockARN + "app-mongo-key", "forceDestroy": false})
	copyVault.requireInputs(t, map[string]any{"name": "app-mongo-app-mong", "kmsKeyArn": mockARN + "app-mongo-copy-key", "forceDestroy": false})
	plan := d.find(t, "aws:backup/plan:Plan")
	plan.requireInputs(t, map[string]any{
		"rules[0].targetVaultName": "app-mongo-app-mong", "rules[0].schedule": "cron(0 1 * * ? *)", "rules[0].lifecycle.deleteAfter": 14,
		"rules[0].copyActions[0].destinationVaultArn": mockARN + "app-mongo-copy-vault", "rules[0].copyActions[0].lifecycle.deleteAfter": 14,
	})
	selection := d.find(t, "aws:backup/selection:Selection")
	selection.requireInputs(t, map[string]any{"planId": "app-mongo-plan-id", "iamRoleArn": mockARN + "app-mongo-backup-role", "resources": []any{mockARN + "app-mongo-cluster"}})
	selection.requireDependsOn(t, d.ofType("aws:iam/rolePolicyAttachment:RolePolicyAttachment")...)
	require.Contains(t, d.find(t, "aws:iam/role:Role").input("assumeRolePolicy"), "backup.amazonaws.com")

	copyKey := d.find(t, "aws:kms/key:Key", "app-mongo-copy-key")
	for _, r := range []registration{copyVault, copyKey} {
		require.Contains(t, r.Provider, "::other-region::", r.Name)
	}
	for _, r := range []registration{vault, plan, selection} {
		require.NotContains(t, r.Provider, "::other-region::", r.Name)
	}
	for _, r := range []registration{vault, copyVault, copyKey} {
		require.True(t, r.RetainOnDelete, r.Name)
	}
	require.Empty(t, deploy(t, newMongo(mongoArgs)).ofType(backupVault))
}

// AWS Backup deletes only empty vaults. A vault with discardData is emptied first.
func TestDiscardedVaultsAreDeletedWithTheirSnapshots(t *testing.T) {
	vaults := deploy(t, newCopiedMongo(true)).ofType(backupVault)
	require.Len(t, vaults, 2)
	for _, vault := range vaults {
		require.False(t, vault.RetainOnDelete, vault.Name)
		vault.requireInputs(t, map[string]any{"forceDestroy": true})
	}
}

func TestDocumentDBIsPrivateEncryptedAndProtected(t *testing.T) {
	d := deploy(t, newMongo(mongoArgs))
	cluster := d.find(t, docdbCluster)
	cluster.requireInputs(t, map[string]any{
		"clusterIdentifier": "app-mongo", "engine": "docdb", "engineVersion": "5.0.0",
		"storageEncrypted": true, "kmsKeyId": mockARN + "app-mongo-key", "deletionProtection": true,
		"manageMasterUserPassword": true, "masterPassword": nil,
		"backupRetentionPeriod": 35, "skipFinalSnapshot": false, "finalSnapshotIdentifier": "app-mongo-final-app",
		"dbSubnetGroupName": "app-mongo", "dbClusterParameterGroupName": "app-mongo-docdb5", "vpcSecurityGroupIds[0]": "app-mongo-sg-id",
	})
	cluster.requireDependsOn(t, d.ofType("aws:cloudwatch/logGroup:LogGroup")...)
	require.Equal(t, []string{"app-mongo-instance-0", "app-mongo-instance-1", "app-mongo-instance-2"}, d.names(docdbInstance))
	for _, instance := range d.ofType(docdbInstance) {
		instance.requireInputs(t, map[string]any{"clusterIdentifier": "app-mongo-cluster-id", "instanceClass": "db.r6g.large"})
	}
}

// A stack without protection can be destroyed. Its data can still be restored from the final
// snapshot or the automated backups, and their key stays.
func TestDestroyedStoresLeaveSnapshotsAndKeys(t *testing.T) {
	for kind, program := range map[string]program{
		rdsInstance: newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			args := databaseArgs(stackAccount)
			args.Unprotected = true
			return args
		}),
		replicationGroup: newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
			args := redisArgs(stackAccount)
			args.Unprotected = true
			return args
		}),
		docdbCluster: newMongo(func(stackAccount *account.Account) *mongo.ClusterArgs {
			args := mongoArgs(stackAccount)
			args.Unprotected = true
			return args
		}),
	} {
		t.Run(kind, func(t *testing.T) {
			d := deploy(t, program)
			store := d.find(t, kind)
			require.Contains(t, store.input("finalSnapshotIdentifier"), "-final-")
			require.NotEqual(t, true, store.input("skipFinalSnapshot"))
			require.NotEqual(t, true, store.input("deleteAutomatedBackups"))
			require.NotEqual(t, true, store.input("deletionProtection"))
			require.True(t, d.find(t, "aws:kms/key:Key").RetainOnDelete)
		})
	}
}

// A change that interrupts a store waits for the maintenance window, unless ApplyImmediately is
// set.
func TestStoresApplyChangesAtOnceOnlyIfConfigured(t *testing.T) {
	for kind, program := range map[string]func(immediately bool) program{
		rdsInstance: func(immediately bool) program {
			return newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
				args := databaseArgs(stackAccount)
				args.ApplyImmediately = immediately
				return args
			})
		},
		replicationGroup: func(immediately bool) program {
			return newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
				args := redisArgs(stackAccount)
				args.ApplyImmediately = immediately
				return args
			})
		},
		docdbInstance: func(immediately bool) program {
			return newMongo(func(stackAccount *account.Account) *mongo.ClusterArgs {
				args := mongoArgs(stackAccount)
				args.ApplyImmediately = immediately
				return args
			})
		},
	} {
		for _, immediately := range []bool{true, false} {
			d := deploy(t, program(immediately))
			for _, store := range append(d.ofType(kind), d.ofType(docdbCluster)...) {
				require.Equal(t, immediately, store.input("applyImmediately"), store.Name)
			}
		}
	}
}

// The stores have different maintenance windows, all on the day of MaintenanceDay.
func TestStoresHaveDifferentMaintenanceWindows(t *testing.T) {
	windows := map[string]bool{}
	for _, tc := range []struct {
		kind, windowProperty string
		program              program
	}{
		{rdsInstance, "maintenanceWindow", newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			args := databaseArgs(stackAccount)
			args.MaintenanceDay = "wed"
			return args
		})},
		{replicationGroup, "maintenanceWindow", newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
			args := redisArgs(stackAccount)
			args.MaintenanceDay = "wed"
			return args
		})},
		{docdbCluster, "preferredMaintenanceWindow", newMongo(func(stackAccount *account.Account) *mongo.ClusterArgs {
			args := mongoArgs(stackAccount)
			args.MaintenanceDay = "wed"
			return args
		})},
	} {
		window, _ := deploy(t, tc.program).find(t, tc.kind).input(tc.windowProperty).(string)
		require.True(t, strings.HasPrefix(window, "wed:"), window)
		require.NotContains(t, windows, window)
		windows[window] = true
	}
	require.Len(t, windows, 3)
}

// A stack with discardData leaves no snapshot and no key.
func TestStoresWithDiscardDataLeaveNoSnapshotAndNoKey(t *testing.T) {
	for _, tc := range []struct {
		kind    string
		program program
		want    map[string]any
	}{
		{rdsInstance, newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			args := databaseArgs(stackAccount)
			args.Unprotected, args.DiscardData, args.SingleAZ = true, true, true
			return args
		}), map[string]any{"deletionProtection": false, "skipFinalSnapshot": true, "deleteAutomatedBackups": true, "multiAz": false}},
		{replicationGroup, newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
			args := redisArgs(stackAccount)
			args.Unprotected, args.DiscardData = true, true
			return args
		}), nil},
		{docdbCluster, newMongo(func(stackAccount *account.Account) *mongo.ClusterArgs {
			args := mongoArgs(stackAccount)
			args.Unprotected, args.DiscardData = true, true
			return args
		}), map[string]any{"deletionProtection": false, "skipFinalSnapshot": true}},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			d := deploy(t, tc.program)
			store := d.find(t, tc.kind)
			require.False(t, d.find(t, "aws:kms/key:Key").RetainOnDelete)
			store.requireInputs(t, tc.want)
			require.Nil(t, store.input("finalSnapshotIdentifier"))
		})
	}
}

// Every managed store has its own security group, key, subnet group, parameter group and log
// groups.
func TestManagedStoresHaveTheirOwnDependencies(t *testing.T) {
	for _, tc := range []struct {
		name, component, service, parameterGroup, family string
		program                                          program
		port                                             int
		logs                                             []string
	}{
		{"app-postgres", "progressive:postgres:Database", "rds", "aws:rds/parameterGroup:ParameterGroup", "postgres17", newDatabase(databaseArgs), 5432,
			[]string{"/aws/rds/instance/app-postgres/postgresql", "/aws/rds/instance/app-postgres/upgrade"}},
		{"app-redis", "progressive:redis:Cluster", "elasticache", "aws:elasticache/parameterGroup:ParameterGroup", "redis7", newRedis(redisArgs), 6379,
			[]string{"/aws/elasticache/app-redis/engine-log", "/aws/elasticache/app-redis/slow-log"}},
		{"app-mongo", "progressive:mongo:Cluster", "docdb", "aws:docdb/clusterParameterGroup:ClusterParameterGroup", "docdb5.0", newMongo(mongoArgs), 27017,
			[]string{"/aws/docdb/app-mongo/audit", "/aws/docdb/app-mongo/profiler"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := deploy(t, tc.program)
			parent := d.find(t, tc.component).URN

			// Only the client may connect, to the store's port. The store may not connect to anything.
			d.find(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", tc.name+"-from-nodes").requireInputs(t, map[string]any{
				"securityGroupId": tc.name + "-sg-id", "referencedSecurityGroupId": "sg-nodes", "fromPort": tc.port, "toPort": tc.port,
				"cidrIpv4": nil, "cidrIpv6": nil,
			})
			require.Empty(t, d.ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"))
			require.Nil(t, d.find(t, "aws:ec2/securityGroup:SecurityGroup", tc.name+"-sg").input("egress"))

			d.find(t, "aws:kms/key:Key", tc.name+"-key").requireInputs(t, map[string]any{"enableKeyRotation": true, "deletionWindowInDays": 30})
			subnetGroup := d.find(t, "aws:"+tc.service+"/subnetGroup:SubnetGroup", tc.name+"-subnets")
			subnetGroup.requireInputs(t, map[string]any{"name": tc.name, "subnetIds": []any{"subnet-a", "subnet-b"}})
			require.Equal(t, parent, subnetGroup.Parent)
			parameterGroup := d.find(t, tc.parameterGroup, tc.name+"-parameters")
			parameterGroup.requireInputs(t, map[string]any{"family": tc.family})
			require.NotEmpty(t, parameterGroup.input("parameters"))
			require.Equal(t, parent, parameterGroup.Parent)

			var names []string
			for _, log := range d.ofType("aws:cloudwatch/logGroup:LogGroup") {
				names = append(names, log.input("name").(string))
				log.requireInputs(t, map[string]any{"kmsKeyId": mockARN + tc.name + "-key", "retentionInDays": 90})
				require.Equal(t, parent, log.Parent)
			}
			require.ElementsMatch(t, tc.logs, names)
		})
	}
}

func TestParameterGroupsHaveTheApplyMethodOfEachParameter(t *testing.T) {
	findParameter := func(group registration, name string) map[string]any {
		for _, p := range group.input("parameters").([]any) {
			if p := p.(map[string]any); p["name"] == name {
				return p
			}
		}
		return nil
	}
	rds := deploy(t, newDatabase(databaseArgs)).find(t, "aws:rds/parameterGroup:ParameterGroup")
	require.Equal(t, "pending-reboot", findParameter(rds, "shared_buffers")["applyMethod"])
	require.Equal(t, "immediate", findParameter(rds, "work_mem")["applyMethod"])
	require.Equal(t, "200", findParameter(rds, "max_connections")["value"])
	docdb := deploy(t, newMongo(mongoArgs)).find(t, "aws:docdb/clusterParameterGroup:ClusterParameterGroup")
	require.Equal(t, map[string]any{"name": "tls", "value": "enabled", "applyMethod": "pending-reboot"}, findParameter(docdb, "tls"))
	redis := deploy(t, newRedis(redisArgs)).find(t, "aws:elasticache/parameterGroup:ParameterGroup")
	require.NotContains(t, findParameter(redis, "maxmemory-policy"), "applyMethod", "ElastiCache has no apply methods")
}

// The stores' pods in the cluster pass the Pod Security Standard "restricted", and only pods in
// the same namespace reach them.
func TestStoresInTheClusterAdmitOnlyTheirNamespace(t *testing.T) {
	for _, tc := range []struct {
		name    string
		program program
		user    int
		volume  string
	}{
		{"postgres", newPostgresPod(postgresPodArgs()), 999, "postgres-data"},
		{"redis-cluster", newRedisPods(redisPodArgs()), 65532, "redis-data"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := deploy(t, tc.program)
			statefulSet := d.find(t, "kubernetes:apps/v1:StatefulSet")
			requireRestricted(t, statefulSet, "spec.template.spec", tc.user)
			statefulSet.requireInputs(t, map[string]any{
				"metadata.name": tc.name, "spec.template.spec.securityContext.fsGroup": tc.user,
				"spec.volumeClaimTemplates[0].metadata.name":                   tc.volume,
				"spec.volumeClaimTemplates[0].spec.storageClassName":           "fast-ssd",
				"spec.volumeClaimTemplates[0].spec.resources.requests.storage": "20Gi",
				"spec.template.spec.automountServiceAccountToken":              false,
				"spec.template.metadata.labels.app":                            tc.name,
			})
			require.Contains(t, statefulSet.IgnoreChanges, "spec.volumeClaimTemplates", "Kubernetes can't change the templates")
			require.NotEmpty(t, statefulSet.input(`spec.template.metadata.annotations["progressive-framework/config"]`))
			policy := d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy")
			policy.requireInputs(t, map[string]any{"spec.policyTypes": []any{"Ingress", "Egress"}, "spec.podSelector.matchLabels.app": tc.name})
			for _, rule := range policy.input("spec.ingress").([]any) {
				peers := rule.(map[string]any)["from"].([]any)
				require.Len(t, peers, 1)
				require.NotContains(t, peers[0], "namespaceSelector")
				require.Contains(t, peers[0], "podSelector")
				require.NotContains(t, peers[0], "ipBlock")
			}
			for _, file := range d.ofType("kubernetes:core/v1:Secret") {
				require.True(t, file.Inputs["stringData"].ContainsSecrets(), file.Name)
			}
			for _, config := range d.ofType("kubernetes:core/v1:ConfigMap") {
				for _, text := range config.input("data").(map[string]any) {
					require.NotContains(t, text, "hidden")
					require.NotContains(t, text, "buried")
				}
			}
		})
	}
}

// Each node has a metrics port, and only the pods that scrape it can connect to it.
func TestOnlyTheReaderReachesRedisMetrics(t *testing.T) {
	require.Equal(t, promrules.RedisStatefulSet, redis.StatefulSet, "the alerts of Redis watch its pods")
	args := redisPodArgs()
	reader := podnetwork.AppIn("app-prometheus", "prometheus")
	args.Reader = &reader
	d := deploy(t, newRedisPods(args))
	policy := d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy")
	policy.requireInputs(t, map[string]any{
		"spec.ingress[2].ports[0].port": scaling.MetricsPort, "spec.ingress[2].from[0].podSelector.matchLabels.app": "prometheus",
		`spec.ingress[2].from[0].namespaceSelector.matchLabels["kubernetes.io/metadata.name"]`: "app-prometheus",
	})
	require.Len(t, policy.input("spec.ingress"), 3)
	d.find(t, "kubernetes:apps/v1:StatefulSet").requireInputs(t, map[string]any{
		"spec.template.spec.containers[1].ports[1].name": "metrics", "spec.template.spec.containers[1].ports[1].containerPort": scaling.MetricsPort,
	})
}

// The cluster bus of Redis has no password. So only nodes may connect to it.
func TestOnlyNodesReachTheRedisBus(t *testing.T) {
	d := deploy(t, newRedisPods(redisPodArgs()))
	d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy").requireInputs(t, map[string]any{
		"spec.ingress[0].ports[0].port": redis.Port, "spec.ingress[0].ports[1]": nil, "spec.ingress[0].from[0].podSelector.matchLabels.app": "mca",
		"spec.ingress[1].ports[1].port": redis.Port + 10_000, "spec.ingress[1].from[0].podSelector.matchLabels.app": "redis-cluster",
		"spec.egress[0].ports[1].port": redis.Port + 10_000, "spec.egress[0].to[0].podSelector.matchLabels.app": "redis-cluster",
	})
	d.find(t, "kubernetes:core/v1:Service").requireInputs(t, map[string]any{"spec.clusterIP": "None", "spec.publishNotReadyAddresses": true})
	d.find(t, "kubernetes:apps/v1:StatefulSet").requireInputs(t, map[string]any{
		"spec.replicas": 6, "spec.podManagementPolicy": "Parallel",
		"spec.template.spec.containers[0].resources.limits.memory": "4Gi", "spec.template.spec.containers[0].resources.requests.memory": "1Gi",
		"spec.template.spec.containers[0].resources.requests.cpu": "200m",
	})
	require.Equal(t, []string{"app-redis-auth", "app-redis-node-auth"}, d.names("kubernetes:core/v1:Secret"))
}

// Only a changed setting replaces the pods. A changed password does not.
func TestOnlyChangedSettingsReplaceThePods(t *testing.T) {
	configAnnotation := func(args *postgres.InClusterArgs) any {
		return deploy(t, newPostgresPod(args)).find(t, "kubernetes:apps/v1:StatefulSet").input(`spec.template.metadata.annotations["progressive-framework/config"]`)
	}
	newPassword, newSetting := postgresPodArgs(), postgresPodArgs()
	newPassword.Password, newSetting.Tuning.Connections = pulumi.String("another"), 60
	require.Equal(t, configAnnotation(postgresPodArgs()), configAnnotation(newPassword))
	require.NotEqual(t, configAnnotation(postgresPodArgs()), configAnnotation(newSetting))
}

// Each store has alarms that fire before it is full, slow, or behind with replication. The alarms
// of a metric together read all servers of the store.
func TestAlarmsReadAllServersOfAStore(t *testing.T) {
	const alarm = "aws:cloudwatch/metricAlarm:MetricAlarm"
	const topic = "arn:aws:sns:us-east-1:123456789012:alarms"
	for _, tc := range []struct {
		reason  string
		program program
		want    []string
		nodes   int
	}{
		{"a database", newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			args := databaseArgs(stackAccount)
			args.AlarmTopicARN = topic
			return args
		}), []string{"app-postgres-backup-age", "app-postgres-connections-high", "app-postgres-memory-low", "app-postgres-storage-low"}, 1},
		{"a burstable database, with an alarm for CPU credits", newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			args := databaseArgs(stackAccount)
			args.AlarmTopicARN, args.Database.InstanceClass = topic, "db.t4g.large"
			return args
		}), []string{"app-postgres-backup-age", "app-postgres-connections-high", "app-postgres-credits-low", "app-postgres-memory-low", "app-postgres-storage-low"}, 1},
		{"six nodes of Redis", newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
			args := redisArgs(stackAccount)
			args.AlarmTopicARN = topic
			return args
		}), []string{"app-redis-connections-high", "app-redis-evictions-high", "app-redis-memory-high", "app-redis-replica-lag-high"}, 6},
		{"ten nodes of Redis, which need two alarms for each metric", newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
			args := redisArgs(stackAccount)
			args.AlarmTopicARN, args.Cluster.Shards = topic, 5
			return args
		}), []string{
			"app-redis-connections-high", "app-redis-connections-high-2", "app-redis-evictions-high", "app-redis-evictions-high-2",
			"app-redis-memory-high", "app-redis-memory-high-2", "app-redis-replica-lag-high", "app-redis-replica-lag-high-2",
		}, 10},
		{"three instances of DocumentDB", newMongo(func(stackAccount *account.Account) *mongo.ClusterArgs {
			args := mongoArgs(stackAccount)
			args.AlarmTopicARN = topic
			return args
		}), []string{"app-mongo-memory-low", "app-mongo-replica-lag-high"}, 3},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d := deploy(t, tc.program)
			require.Equal(t, tc.want, d.names(alarm))
			servers := map[string]int{}
			for _, a := range d.ofType(alarm) {
				require.Equal(t, []any{topic}, a.input("alarmActions"))
				if a.Name == "app-postgres-backup-age" {
					continue // reads an event of the whole database
				}
				queries := a.input("metricQueries").([]any)
				require.LessOrEqual(t, len(queries), 10, "the quota of an alarm")
				for _, q := range queries[1:] {
					metric := q.(map[string]any)["metric"].(map[string]any)
					servers[metric["metricName"].(string)]++
				}
			}
			for metric, n := range servers {
				require.Equal(t, tc.nodes, n, metric)
			}
		})
	}
}

// The alarm counts the event that RDS sends for each finished backup of this instance, and of no
// other. An hour without the event has no data, so missing data must be breaching.
func TestOldBackupRaisesAnAlarm(t *testing.T) {
	const topic, arn = "arn:aws:sns:us-east-1:123456789012:alarms", "arn:aws:rds:us-east-1:123456789012:db:app-postgres"
	d := deploy(t, newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
		args := databaseArgs(stackAccount)
		args.AlarmTopicARN = topic
		return args
	}))
	rule := d.find(t, "aws:cloudwatch/eventRule:EventRule")
	require.JSONEq(t, `{"source":["aws.rds"],"detail-type":["RDS DB Instance Event"],"resources":["`+arn+`"],"detail":{"EventID":["RDS-EVENT-0002"]}}`, rule.input("eventPattern").(string))
	target := d.find(t, "aws:cloudwatch/eventTarget:EventTarget")
	target.requireInputs(t, map[string]any{"rule": "app-postgres-backup", "arn": mockARN + "app-postgres-backup"})
	target.requireDependsOn(t, d.find(t, "aws:sqs/queuePolicy:QueuePolicy"))
	alarm := d.find(t, metricAlarm, "app-postgres-backup-age")
	alarm.requireInputs(t, map[string]any{
		"name": "app-postgres-backup-age", "namespace": "AWS/Events", "metricName": "TriggeredRules", "statistic": "Sum",
		"dimensions.RuleName": "app-postgres-backup", "comparisonOperator": "LessThanThreshold", "threshold": 1,
		"period": 3600, "evaluationPeriods": 36, "treatMissingData": "breaching", "alarmActions": []any{topic}, "okActions": []any{topic},
	})
	// The rule counts the first backup, and the alarm is created after that backup.
	instance := d.find(t, rdsInstance)
	instance.requireDependsOn(t, target)
	alarm.requireDependsOn(t, instance)
	require.Nil(t, deploy(t, newDatabase(databaseArgs)).find(t, metricAlarm, "app-postgres-backup-age").input("alarmActions"))
}

// The thresholds are shares of the storage (100 GiB), the memory (8 GiB) and the connections
// (200).
func TestThresholdsOfADatabaseDependOnItsSize(t *testing.T) {
	d := deploy(t, newDatabase(databaseArgs))
	thresholds := map[string]any{}
	for _, a := range d.ofType("aws:cloudwatch/metricAlarm:MetricAlarm") {
		thresholds[a.Name] = a.input("threshold")
	}
	require.Equal(t, map[string]any{
		"app-postgres-storage-low":      0.05 * 100 * (1 << 30),
		"app-postgres-memory-low":       0.05 * 8 * (1 << 30),
		"app-postgres-connections-high": 170.0, // 85 % of 200
		"app-postgres-backup-age":       1.0,   // one backup, at any size
	}, thresholds)
}
