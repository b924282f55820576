// Package postgres owns the platform's PostgreSQL: a database of RDS, or a
// server of our own in the cluster, both set by the model in package postgrestuning.
package postgres

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/logs"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
)

const (
	// Port is PostgreSQL's.
	Port = 5432
	// DatabaseName is the document's (section "Performance Issue Diagnosis").
	DatabaseName = "progressive_framework_v5"
	// Owner is the master user; RDS keeps the name postgres for nobody, but
	// one that is guessed first is none.
	Owner = "platform"
	// monitoringSeconds is Enhanced Monitoring's interval, insightsDays what
	// Performance Insights keeps without charge (RDS User Guide).
	monitoringSeconds, insightsDays = 60, 7
)

// exports are what RDS for PostgreSQL can export (RDS User Guide, "Publishing
// PostgreSQL logs to Amazon CloudWatch Logs").
var exports = []string{"postgresql", "upgrade"}

// DatabaseArgs are what a Database is made from. Zero values stand for what is
// safe: two zones, protected, private; that it be public can't be said.
type DatabaseArgs struct {
	// Account is whose database it is.
	Account *account.Account
	// Database is what is asked of RDS.
	Database rdsspec.Database
	// VPCID and SubnetIDs are where it lies: the private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Clients are all who may connect.
	Clients []clients.Client
	// SingleAZ gives up the standby in another zone.
	SingleAZ bool
	// Unprotected lets a destroy take the database, without a last snapshot.
	Unprotected bool
}

func (a *DatabaseArgs) validate() error {
	if a == nil || a.Account == nil || a.VPCID == nil || a.SubnetIDs == nil {
		return errors.New("database: Account, VPCID and SubnetIDs must not be nil")
	}
	return nil
}

// Database is a PostgreSQL database of RDS.
type Database struct {
	pulumi.ResourceState

	Host pulumi.StringOutput
	Port pulumi.IntOutput
	// SecretARN is the secret of the master user, which RDS made and rotates.
	SecretARN pulumi.StringOutput
	// SecretKeyARN is the KMS key by which that secret is kept.
	SecretKeyARN pulumi.StringOutput
	// ResourceID is what IAM policies name for rds-db:connect.
	ResourceID pulumi.StringOutput
	// SecurityGroupID is the database's own group.
	SecurityGroupID pulumi.StringOutput
}

// NewDatabase makes the instance and what belongs to it alone: its key,
// security group, subnet group, parameter group, log groups and monitoring
// role. Another instance class changes instance and parameters in place.
func NewDatabase(ctx *pulumi.Context, name string, args *DatabaseArgs, opts ...pulumi.ResourceOption) (*Database, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	asked, model, err := args.Database.Complete()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d := &Database{}
	if err := ctx.RegisterComponentResource("progressive:postgres:Database", name, d, opts...); err != nil {
		return nil, fmt.Errorf("database %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, asked: asked, parent: pulumi.Parent(d)}
	made, err := b.instance(model)
	if err != nil {
		return nil, err
	}
	d.Host, d.Port, d.ResourceID = made.Address, made.Port, made.ResourceId
	d.SecretARN = made.MasterUserSecrets.ApplyT(func(secrets []rds.InstanceMasterUserSecret) (string, error) {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return "", fmt.Errorf("RDS has made no secret for the master user of %s: run pulumi refresh", asked.Identifier)
		}
		return *secrets[0].SecretArn, nil
	}).(pulumi.StringOutput)
	d.SecurityGroupID, d.SecretKeyARN = b.group, b.encryption.ARN
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{
		"host": d.Host, "port": d.Port, "secretArn": d.SecretARN, "resourceId": d.ResourceID, "securityGroupId": d.SecurityGroupID,
	})
}

// builder makes a database's children, all named and parented alike.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *DatabaseArgs
	asked  rdsspec.Database
	parent pulumi.ResourceOption
	group  pulumi.StringOutput

	encryption *key.Key
}

func (b *builder) instance(model *postgrestuning.Model) (*rds.Instance, error) {
	var err error
	b.encryption, err = key.NewKey(b.ctx, b.name, &key.Args{
		Account: b.args.Account, Description: "PostgreSQL " + b.name, Users: []iam.Statement{key.Logs(b.args.Account)},
	}, b.parent)
	if err != nil {
		return nil, err
	}
	b.group, err = clients.NewGroup(b.ctx, b.name, &clients.GroupArgs{
		VPCID: b.args.VPCID, Description: "PostgreSQL " + b.name, Port: Port, Clients: b.args.Clients,
	}, b.parent)
	if err != nil {
		return nil, err
	}
	subnets, err := rds.NewSubnetGroup(b.ctx, b.name+"-subnets", &rds.SubnetGroupArgs{
		Name: pulumi.String(b.asked.Identifier), Description: pulumi.String("private-data subnets"), SubnetIds: b.args.SubnetIDs,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("subnet group of %s: %w", b.name, err)
	}
	parameters, err := b.parameters(model)
	if err != nil {
		return nil, err
	}
	monitoring, err := iam.NewRole(b.ctx, b.name+"-monitoring", &iam.RoleArgs{
		Account: b.args.Account, Description: "RDS Enhanced Monitoring of " + b.name,
		Trust:           iam.Service("monitoring.rds.amazonaws.com"),
		ManagedPolicies: []string{"service-role/AmazonRDSEnhancedMonitoringRole"},
	}, b.parent)
	if err != nil {
		return nil, err
	}
	needs, err := b.logGroups()
	if err != nil {
		return nil, err
	}
	args := &rds.InstanceArgs{
		Identifier:              pulumi.String(b.asked.Identifier),
		Engine:                  pulumi.String("postgres"),
		EngineVersion:           pulumi.String(rdsspec.Major), // RDS chooses the minor, and upgrades it
		AutoMinorVersionUpgrade: pulumi.Bool(true),
		InstanceClass:           pulumi.String(b.asked.InstanceClass),
		ParameterGroupName:      parameters.Name,

		AllocatedStorage:    pulumi.Int(b.asked.StorageGiB),
		MaxAllocatedStorage: pulumi.Int(b.asked.MostStorageGiB),
		StorageType:         pulumi.String("gp3"),
		StorageEncrypted:    pulumi.Bool(true),
		KmsKeyId:            b.encryption.ARN,

		MultiAz:             pulumi.Bool(!b.args.SingleAZ),
		DbSubnetGroupName:   subnets.Name,
		VpcSecurityGroupIds: pulumi.StringArray{b.group},
		PubliclyAccessible:  pulumi.Bool(false),
		Port:                pulumi.Int(Port),

		DbName:                           pulumi.String(DatabaseName),
		Username:                         pulumi.String(Owner),
		ManageMasterUserPassword:         pulumi.Bool(true),
		MasterUserSecretKmsKeyId:         b.encryption.ARN,
		IamDatabaseAuthenticationEnabled: pulumi.Bool(true),

		BackupRetentionPeriod:  pulumi.Int(b.asked.BackupDays),
		BackupWindow:           pulumi.String("03:00-04:00"),
		MaintenanceWindow:      pulumi.String("sun:04:30-sun:05:30"),
		CopyTagsToSnapshot:     pulumi.Bool(true),
		DeleteAutomatedBackups: pulumi.Bool(b.args.Unprotected),
		DeletionProtection:     pulumi.Bool(!b.args.Unprotected),
		SkipFinalSnapshot:      pulumi.Bool(b.args.Unprotected),

		MonitoringInterval:                 pulumi.Int(monitoringSeconds),
		MonitoringRoleArn:                  monitoring.ARN,
		PerformanceInsightsEnabled:         pulumi.Bool(true),
		PerformanceInsightsKmsKeyId:        b.encryption.ARN,
		PerformanceInsightsRetentionPeriod: pulumi.Int(insightsDays),
		EnabledCloudwatchLogsExports:       pulumi.ToStringArray(exports),
		Tags:                               pulumi.StringMap{"Name": pulumi.String(b.name), "Tier": pulumi.String("private-data")},
	}
	if !b.args.Unprotected {
		args.FinalSnapshotIdentifier = pulumi.String(b.asked.Identifier + "-final")
	}
	made, err := rds.NewInstance(b.ctx, b.name+"-instance", args, b.parent,
		pulumi.DependsOn(append(needs, monitoring.Policies...)), pulumi.Protect(!b.args.Unprotected))
	if err != nil {
		return nil, fmt.Errorf("RDS instance %s: %w", b.asked.Identifier, err)
	}
	return made, nil
}

func (b *builder) parameters(model *postgrestuning.Model) (*rds.ParameterGroup, error) {
	var list rds.ParameterGroupParameterArray
	for _, p := range model.RDS() {
		list = append(list, &rds.ParameterGroupParameterArgs{
			Name: pulumi.String(p.Name()), Value: pulumi.String(p.Value()), ApplyMethod: pulumi.String(p.ApplyMethod()),
		})
	}
	group, err := rds.NewParameterGroup(b.ctx, b.name+"-parameters", &rds.ParameterGroupArgs{
		Name:        pulumi.String(b.asked.ParameterGroup()),
		Family:      pulumi.String("postgres" + rdsspec.Major),
		Description: pulumi.String("tuned by memory, cores and connections"),
		Parameters:  list,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("parameter group of %s: %w", b.name, err)
	}
	return group, nil
}

// logGroups come before what writes to them, which else would make its own.
func (b *builder) logGroups() ([]pulumi.Resource, error) {
	groups, err := logs.NewGroups(b.ctx, b.name, "/aws/rds/instance/"+b.asked.Identifier, exports, b.encryption.ARN, b.parent)
	made := make([]pulumi.Resource, len(groups))
	for i, group := range groups {
		made[i] = group
	}
	return made, err
}
