// Package datastore owns what the platform's data stores have in common. For a store of
// AWS these are its key, security group, subnet group, parameter group and log groups.
// For a store in the cluster they are the Kubernetes objects of its pods. The store
// itself and its tuning are in the package of its engine (postgres, redis, mongo).
//
// The functions create resources with the caller's parent and the names <name>-<part>.
// They register no component of their own.
package datastore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/logs"
)

// BackupWindow is the time of the daily backups in UTC. It is at night in America and Europe,
// and before the maintenance windows (storespec.MaintenanceWindow).
const BackupWindow = "03:00-04:00"

// Engine is an AWS service with the engine of its stores.
type Engine struct {
	// label is the name of the engine in descriptions.
	label string
	// service is the AWS service in Pulumi's type tokens, and parameterGroup its type
	// of parameter group.
	service, parameterGroup string
	// logFolder is the prefix of the names of the service's log groups.
	logFolder string
}

// The engines of the platform's stores.
var (
	PostgreSQL = Engine{"PostgreSQL", "rds", "ParameterGroup", "/aws/rds/instance/"}
	Redis      = Engine{"Redis", "elasticache", "ParameterGroup", "/aws/elasticache/"}
	DocumentDB = Engine{"DocumentDB", "docdb", "ClusterParameterGroup", "/aws/docdb/"}
)

// Args are the arguments of NewDependencies.
type Args struct {
	Engine Engine
	// Identifier is the name of the store at AWS.
	Identifier string
	// Account is the account and region of the store.
	Account *account.Account
	// VPCID and SubnetIDs are the VPC and its private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Port is the port of the store. Clients are all clients that may connect.
	Port    int
	Clients []clients.Client
	// Logs are the kinds of log that the store writes.
	Logs []string
	// Parameters are the settings of the store.
	Parameters ParameterGroup
	// DiscardData lets a destroy delete the store's key. Without the key no backup can
	// be restored.
	DiscardData bool
}

// ParameterGroup is a group of settings at AWS.
type ParameterGroup struct {
	Name, Family, Description string
	Parameters                []Parameter
}

// Parameter is one parameter of a ParameterGroup.
type Parameter struct {
	Name, Value string
	// ApplyMethod is "immediate" or "pending-reboot". It is empty if the service has
	// no apply methods.
	ApplyMethod string
}

// CheckPlacement returns an error if the account, VPC or subnets of a store are nil.
func CheckPlacement(storeAccount *account.Account, vpcID pulumi.StringInput, subnetIDs pulumi.StringArrayInput) error {
	if storeAccount == nil || vpcID == nil || subnetIDs == nil {
		return errors.New("Account, VPCID and SubnetIDs must not be nil")
	}
	return nil
}

// Dependencies are the resources that a store needs and does not share with other stores.
type Dependencies struct {
	// Key encrypts the store and its logs.
	Key *key.Key
	// SecurityGroupID is the security group that admits the clients.
	SecurityGroupID pulumi.StringOutput
	// SubnetGroup and ParameterGroup are names.
	SubnetGroup, ParameterGroup pulumi.StringOutput
	// LogGroups must be created before the store. Otherwise AWS creates them without
	// encryption and expiry.
	LogGroups []*cloudwatch.LogGroup
}

// NewDependencies creates the key, the security group, the subnet group, the
// parameter group and the log groups of a store.
func NewDependencies(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) (*Dependencies, error) {
	description := args.Engine.label + " " + name
	var d Dependencies
	var err error
	if d.Key, err = key.NewKey(ctx, name, &key.Args{
		Account: args.Account, Description: description, Users: []iam.Statement{key.AllowLogs(args.Account)}, Retain: !args.DiscardData,
	}, parent); err != nil {
		return nil, err
	}
	if d.SecurityGroupID, err = clients.NewGroup(ctx, name, &clients.GroupArgs{
		VPCID: args.VPCID, Description: description, Port: args.Port, Clients: args.Clients,
	}, parent); err != nil {
		return nil, err
	}
	if d.SubnetGroup, err = newNamedResource(ctx, args.Engine.typeToken("SubnetGroup"), name+"-subnets", pulumi.Map{
		"name": pulumi.String(args.Identifier), "description": pulumi.String("private-data subnets"), "subnetIds": args.SubnetIDs,
	}, parent); err != nil {
		return nil, fmt.Errorf("subnet group of %s: %w", name, err)
	}
	if d.ParameterGroup, err = newNamedResource(ctx, args.Engine.typeToken(args.Engine.parameterGroup), name+"-parameters", args.Parameters.inputs(), parent); err != nil {
		return nil, fmt.Errorf("parameter group of %s: %w", name, err)
	}
	d.LogGroups, err = logs.NewGroups(ctx, name, args.Engine.logFolder+args.Identifier, args.Logs, d.Key.ARN, parent)
	return &d, err
}

// AfterLogGroups returns the option with which a store depends on its log groups and on
// other resources.
func (d *Dependencies) AfterLogGroups(others ...pulumi.Resource) pulumi.ResourceOption {
	for _, group := range d.LogGroups {
		others = append(others, group)
	}
	return pulumi.DependsOn(others)
}

// Tags returns the tags of the store.
func Tags(name string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(name), "Tier": pulumi.String("private-data")}
}

// SnapshotName returns the name of a snapshot as an input of a new store. It returns nil for an
// empty name: then the store is created empty.
func SnapshotName(name string) pulumi.StringPtrInput {
	if name == "" {
		return nil
	}
	return pulumi.String(name)
}

// FinalSnapshotName returns the name of the snapshot that AWS creates when the store is deleted.
// It returns nil if discard is true: then AWS creates no snapshot. A part of the key's id makes
// the name unique, because the final snapshot of a former store may still exist. A new store has
// a new key.
func (d *Dependencies) FinalSnapshotName(identifier string, discard bool) pulumi.StringPtrInput {
	if discard {
		return nil
	}
	return d.Key.ID.ApplyT(func(id string) *string {
		keyIDStart, _, _ := strings.Cut(id, "-")
		name := identifier + "-final-" + keyIDStart
		return &name
	}).(pulumi.StringPtrOutput)
}

// typeToken returns the type token of a resource of the engine's service, such as
// aws:rds/subnetGroup:SubnetGroup.
func (e Engine) typeToken(kind string) string {
	return fmt.Sprintf("aws:%s/%s%s:%s", e.service, strings.ToLower(kind[:1]), kind[1:], kind)
}

// inputs returns the inputs of the parameter group's resource.
func (g ParameterGroup) inputs() pulumi.Map {
	var parameters pulumi.Array
	for _, p := range g.Parameters {
		parameter := pulumi.Map{"name": pulumi.String(p.Name), "value": pulumi.String(p.Value)}
		if p.ApplyMethod != "" {
			parameter["applyMethod"] = pulumi.String(p.ApplyMethod)
		}
		parameters = append(parameters, parameter)
	}
	return pulumi.Map{
		"name": pulumi.String(g.Name), "family": pulumi.String(g.Family), "description": pulumi.String(g.Description), "parameters": parameters,
	}
}

// namedResource is a resource of which only the name is used.
type namedResource struct {
	pulumi.CustomResourceState

	Name pulumi.StringOutput `pulumi:"name"`
}

// newNamedResource registers a resource by its type token, and returns its name. RDS, ElastiCache
// and DocumentDB have the same inputs for these groups, but different Go types in the
// SDK. Typed code would be written three times.
func newNamedResource(ctx *pulumi.Context, token, name string, inputs pulumi.Map, parent pulumi.ResourceOption) (pulumi.StringOutput, error) {
	var registered namedResource
	err := ctx.RegisterResource(token, name, inputs, &registered, parent)
	return registered.Name, err
}
