// Package postgres owns the platform's PostgreSQL: a database of RDS, or a
// server in the cluster. Package postgrestuning computes the settings of both.
// Package datastore has the parts that all stores share.
package postgres

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/size"
)

const (
	// Port is the port of PostgreSQL.
	Port = rdsspec.Port
	// DatabaseName is the name of the database.
	DatabaseName = storespec.DatabaseName
	// Owner is the name of the master user.
	Owner = storespec.Owner
	// engine is the engine's name in RDS.
	engine = "postgres"
	// monitoringSeconds is the interval of Enhanced Monitoring. insightsDays is the
	// retention time of Performance Insights that is free of charge (RDS User Guide).
	monitoringSeconds, insightsDays = 60, 7
)

// logExports are the logs that RDS for PostgreSQL can export (RDS User Guide, "Publishing
// PostgreSQL logs to Amazon CloudWatch Logs").
var logExports = []string{"postgresql", "upgrade"}

// DatabaseArgs configure a Database. Zero values mean safe defaults: two zones, and
// protection. The database is always private.
type DatabaseArgs struct {
	// Account is the account and region of the database.
	Account *account.Account
	// Database is the specification of the instance.
	Database rdsspec.Database
	// VPCID and SubnetIDs are the VPC and its private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Clients are all clients that may connect.
	Clients []clients.Client
	// SnapshotIdentifier is the snapshot from which RDS creates the database. If it is not
	// set, the new database is empty. It has no effect on an existing database. The database
	// keeps the snapshot's KMS key. The snapshot's master user must be Owner.
	SnapshotIdentifier string
	// SingleAZ omits the standby in another zone.
	SingleAZ bool
	// Unprotected allows a destroy to delete the database.
	Unprotected bool
	// DiscardData means that a deletion of the database destroys its data: AWS creates no
	// final snapshot, and the key is deleted.
	DiscardData bool
	// MaintenanceDay is the weekday of AWS's maintenance. Zero means Sunday.
	MaintenanceDay storespec.Weekday
	// ApplyImmediately lets changes that interrupt the store take effect immediately. Otherwise
	// they wait for the maintenance window.
	ApplyImmediately bool
	// AlarmTopicARN is the SNS topic of the store's alarms. Empty means that the alarms notify
	// nobody.
	AlarmTopicARN string
	// Copy is the region of the copies of the automated backups. nil means no copies.
	Copy *datastore.CopyRegion
}

func (a *DatabaseArgs) validate() error {
	if a == nil {
		a = &DatabaseArgs{} // CheckPlacement returns the error
	}
	if err := datastore.CheckPlacement(a.Account, a.VPCID, a.SubnetIDs); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// Database is a PostgreSQL database of RDS.
type Database struct {
	pulumi.ResourceState

	// Ready is the instance. A resource that connects to the store must depend on Ready,
	// and not on the Database (see network.Network.Ready).
	Ready []pulumi.Resource
	Host  pulumi.StringOutput
	Port  pulumi.IntOutput
	// SecretARN is the secret of the master user, which RDS created and rotates.
	SecretARN pulumi.StringOutput
	// SecretKeyARN is the KMS key that encrypts that secret.
	SecretKeyARN pulumi.StringOutput
	// ResourceID is the id of the instance in IAM policies for rds-db:connect.
	ResourceID pulumi.StringOutput
	// SecurityGroupID is the security group of the database.
	SecurityGroupID pulumi.StringOutput
}

// NewDatabase creates the instance, its monitoring role, its alarms, and its key, security
// group, subnet group, parameter group and log groups. A change of the instance class
// updates the instance and its parameters in place.
func NewDatabase(ctx *pulumi.Context, name string, args *DatabaseArgs, opts ...pulumi.ResourceOption) (*Database, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	spec, _, err := args.Database.Complete()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d := &Database{}
	if err := ctx.RegisterComponentResource("progressive:postgres:Database", name, d, opts...); err != nil {
		return nil, fmt.Errorf("database %s: %w", name, err)
	}
	parent := pulumi.Parent(d)
	model, err := args.newTuningModel(ctx, spec, parent)
	if err != nil {
		return nil, err
	}
	dependencies, err := datastore.NewDependencies(ctx, name, &datastore.Args{
		Engine: datastore.PostgreSQL, Identifier: spec.Identifier, Account: args.Account,
		VPCID: args.VPCID, SubnetIDs: args.SubnetIDs, Port: Port, Clients: args.Clients, Logs: logExports, DiscardData: args.DiscardData,
		Parameters: datastore.ParameterGroup{
			Name: spec.ParameterGroup(), Family: "postgres" + rdsspec.Major,
			Description: "tuned by memory, cores and connections", Parameters: parameters(model),
		},
	}, parent)
	if err != nil {
		return nil, err
	}
	monitoringRole, err := iam.NewRole(ctx, name+"-monitoring", &iam.RoleArgs{
		Account: args.Account, Description: "RDS Enhanced Monitoring of " + name,
		Trust:           iam.Service("monitoring.rds.amazonaws.com"),
		ManagedPolicies: []string{"service-role/AmazonRDSEnhancedMonitoringRole"},
	}, parent)
	if err != nil {
		return nil, err
	}
	// The rule exists before the instance, so that it matches the first backup. RDS makes that backup
	// at once when automated backups are on (RDS User Guide, "Enabling automated backups").
	backups, err := newBackupEvents(ctx, name, args.Account.ARN("rds", pulumi.String("db:"+spec.Identifier)), parent)
	if err != nil {
		return nil, err
	}
	// The snapshot and its key matter only for the creation. Without IgnoreChanges, a change
	// of either would replace the database.
	instance, err := rds.NewInstance(ctx, name+"-instance", instanceArgs(name, args, spec, dependencies, monitoringRole), parent,
		dependencies.AfterLogGroups(append(monitoringRole.Policies, backups.target)...), pulumi.IgnoreChanges([]string{"snapshotIdentifier", "kmsKeyId"}))
	if err != nil {
		return nil, fmt.Errorf("RDS instance %s: %w", spec.Identifier, err)
	}
	class, err := postgrestuning.LookupClass(spec.InstanceClass)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := datastore.NewAlarms(ctx, name, &datastore.AlarmArgs{
		Alarms:    scaling.PostgresAlarms(spec.InstanceClass, size.GiB(int64(spec.StorageGiB)), class.Memory, spec.Connections),
		Dimension: "DBInstanceIdentifier", Nodes: []string{spec.Identifier}, TopicARN: args.AlarmTopicARN,
	}, parent); err != nil {
		return nil, err
	}
	if err := backups.createAlarm(ctx, name, args.AlarmTopicARN, instance, parent); err != nil {
		return nil, err
	}
	if args.Copy != nil {
		if err := newBackupCopy(ctx, name, args.Copy, instance, spec.BackupDays, args.DiscardData, parent); err != nil {
			return nil, err
		}
	}
	d.Ready = []pulumi.Resource{instance}
	d.Host, d.Port, d.ResourceID = instance.Address, instance.Port, instance.ResourceId
	d.SecretARN = instance.MasterUserSecrets.ApplyT(func(secrets []rds.InstanceMasterUserSecret) (string, error) {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return "", fmt.Errorf("RDS has created no secret for the master user of %s: run pulumi refresh", spec.Identifier)
		}
		return *secrets[0].SecretArn, nil
	}).(pulumi.StringOutput)
	d.SecurityGroupID, d.SecretKeyARN = dependencies.SecurityGroupID, dependencies.Key.ARN
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{
		"host": d.Host, "port": d.Port, "secretArn": d.SecretARN, "resourceId": d.ResourceID, "securityGroupId": d.SecurityGroupID,
	})
}

// instanceArgs returns the arguments of the RDS instance.
func instanceArgs(name string, args *DatabaseArgs, spec rdsspec.Database, dependencies *datastore.Dependencies, monitoringRole *iam.Role) *rds.InstanceArgs {
	instance := &rds.InstanceArgs{
		Identifier:              pulumi.String(spec.Identifier),
		Engine:                  pulumi.String(engine),
		EngineVersion:           pulumi.String(rdsspec.Major), // RDS chooses the minor version, and upgrades it
		AutoMinorVersionUpgrade: pulumi.Bool(true),
		// A change of rdsspec.Major is the decision for a major upgrade. The new major
		// version gets its own parameter group.
		AllowMajorVersionUpgrade: pulumi.Bool(true),
		InstanceClass:            pulumi.String(spec.InstanceClass),
		ParameterGroupName:       dependencies.ParameterGroup,

		AllocatedStorage:    pulumi.Int(spec.StorageGiB),
		MaxAllocatedStorage: pulumi.Int(spec.MaxAllocatedStorageGiB),
		StorageType:         pulumi.String("gp3"),
		StorageEncrypted:    pulumi.Bool(true),
		KmsKeyId:            dependencies.Key.ARN,

		MultiAz:             pulumi.Bool(!args.SingleAZ),
		DbSubnetGroupName:   dependencies.SubnetGroup,
		VpcSecurityGroupIds: pulumi.StringArray{dependencies.SecurityGroupID},
		PubliclyAccessible:  pulumi.Bool(false),
		Port:                pulumi.Int(Port),

		DbName:                           pulumi.String(DatabaseName),
		Username:                         pulumi.String(Owner),
		ManageMasterUserPassword:         pulumi.Bool(true),
		MasterUserSecretKmsKeyId:         dependencies.Key.ARN,
		IamDatabaseAuthenticationEnabled: pulumi.Bool(true),

		BackupRetentionPeriod:   pulumi.Int(spec.BackupDays),
		BackupWindow:            pulumi.String(datastore.BackupWindow),
		ApplyImmediately:        pulumi.Bool(args.ApplyImmediately),
		MaintenanceWindow:       pulumi.String(storespec.MaintenanceWindow(args.MaintenanceDay, storespec.PostgreSQLSlot)),
		CopyTagsToSnapshot:      pulumi.Bool(true),
		DeleteAutomatedBackups:  pulumi.Bool(args.DiscardData),
		DeletionProtection:      pulumi.Bool(!args.Unprotected),
		SkipFinalSnapshot:       pulumi.Bool(args.DiscardData),
		FinalSnapshotIdentifier: dependencies.FinalSnapshotName(spec.Identifier, args.DiscardData),

		MonitoringInterval:                 pulumi.Int(monitoringSeconds),
		MonitoringRoleArn:                  monitoringRole.ARN,
		PerformanceInsightsEnabled:         pulumi.Bool(true),
		PerformanceInsightsKmsKeyId:        dependencies.Key.ARN,
		PerformanceInsightsRetentionPeriod: pulumi.Int(insightsDays),
		EnabledCloudwatchLogsExports:       pulumi.ToStringArray(logExports),
		Tags:                               datastore.Tags(name),
	}
	if args.SnapshotIdentifier != "" {
		// RDS encrypts the restored database with the key of the snapshot. With another
		// KmsKeyId the provider would replace the database in the next update
		// (hashicorp/terraform-provider-aws#15390).
		instance.SnapshotIdentifier, instance.KmsKeyId = pulumi.String(args.SnapshotIdentifier), nil
	}
	return instance
}

// databaseExists reports whether the database already exists in RDS.
func databaseExists(ctx *pulumi.Context, spec rdsspec.Database, parent pulumi.InvokeOption) (bool, error) {
	existing, err := rds.GetInstances(ctx, &rds.GetInstancesArgs{
		Filters: []rds.GetInstancesFilter{{Name: "db-instance-id", Values: []string{spec.Identifier}}},
	}, parent)
	if err != nil {
		return false, fmt.Errorf("list the RDS instances with the identifier %s: %w", spec.Identifier, err)
	}
	return len(existing.InstanceIdentifiers) > 0, nil
}

// newTuningModel returns the settings for the database's memory and cores. If the database does not
// exist yet, newTuningModel checks the snapshot. If a change of the instance class waits for the
// maintenance window, newTuningModel logs a warning. Every update and preview before the window logs
// it again, because RDS returns the old class until then.
func (a *DatabaseArgs) newTuningModel(ctx *pulumi.Context, spec rdsspec.Database, parent pulumi.InvokeOption) (*postgrestuning.Model, error) {
	existing, err := databaseExists(ctx, spec, parent)
	if err != nil {
		return nil, err
	}
	runningClass := spec.InstanceClass
	switch {
	case !existing:
		if err := checkSnapshot(ctx, a.SnapshotIdentifier, spec, parent); err != nil {
			return nil, err
		}
	case !a.ApplyImmediately:
		live, err := rds.LookupInstance(ctx, &rds.LookupInstanceArgs{DbInstanceIdentifier: &spec.Identifier}, parent)
		if err != nil {
			return nil, fmt.Errorf("RDS instance %s: %w", spec.Identifier, err)
		}
		runningClass = live.DbInstanceClass
		if warning := spec.ClassChangeWarning(runningClass, live.PreferredMaintenanceWindow); warning != "" {
			if err := ctx.Log.Warn(warning, nil); err != nil {
				return nil, fmt.Errorf("warning about a waiting instance class: %w", err)
			}
		}
	}
	return spec.ModelWhileRunning(runningClass)
}

// checkSnapshot checks the snapshot of a database that does not exist yet. It is not called for an
// existing database, because the snapshot may be deleted after the creation. An empty name means
// that there is no snapshot.
func checkSnapshot(ctx *pulumi.Context, name string, spec rdsspec.Database, parent pulumi.InvokeOption) error {
	if name == "" {
		return nil
	}
	awsSnapshot, err := rds.LookupSnapshot(ctx, &rds.LookupSnapshotArgs{DbSnapshotIdentifier: &name}, parent)
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", name, err)
	}
	snapshot := storespec.Snapshot{Name: name, Engine: awsSnapshot.Engine, Version: awsSnapshot.EngineVersion, StorageGiB: awsSnapshot.AllocatedStorage, Encrypted: awsSnapshot.Encrypted}
	return snapshot.Check(storespec.Store{Engine: engine, Version: rdsspec.Major, StorageGiB: spec.StorageGiB})
}

// parameters returns the parameters of the model for an RDS parameter group, in RDS' units.
func parameters(model *postgrestuning.Model) []datastore.Parameter {
	var list []datastore.Parameter
	for _, p := range model.RDS() {
		list = append(list, datastore.Parameter{Name: p.Name(), Value: p.Value(), ApplyMethod: p.ApplyMethod()})
	}
	return list
}
