// Package datastore owns what the platform's data stores have in common. Of a
// store that AWS runs these are its key, security group, subnet group,
// parameter group and log groups; of a store in the cluster, the objects around
// its pods. The database or cluster itself, and what tunes it, is in the
// package of its engine (postgres, redis, mongo).
//
// The functions create resources under the parent that they are given, named
// <name>-<part>; there is no component in between.
package datastore

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/logs"
)

// When AWS works on a store, in UTC: at night in America and Europe, the backup
// before the maintenance.
const (
	BackupWindow      = "03:00-04:00"
	MaintenanceWindow = "sun:04:30-sun:05:30"
)

// Engine is an AWS service with the engine of its stores.
type Engine struct {
	// label names the engine in descriptions.
	label string
	// service is the part of the type tokens that names the AWS service.
	service, parameterGroup string
	// logFolder begins the names of the log groups to which the service writes.
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
	// Identifier is the store's name at AWS.
	Identifier string
	// Account is where the store is.
	Account *account.Account
	// VPCID and SubnetIDs are those of the private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Port is that of the store, Clients are all who may connect.
	Port    int
	Clients []clients.Client
	// Logs are the kinds of log that the store writes.
	Logs []string
	// Parameters are the settings of the store.
	Parameters ParameterGroup
}

// ParameterGroup is a group of settings at AWS.
type ParameterGroup struct {
	Name, Family, Description string
	Parameters                []Parameter
}

// Parameter is a line of a ParameterGroup.
type Parameter struct {
	Name, Value string
	// ApplyMethod is "immediate" or "pending-reboot"; empty: the service has
	// only one.
	ApplyMethod string
}

// CheckPlacement returns an error where a store is not told where it is.
func CheckPlacement(where *account.Account, vpcID pulumi.StringInput, subnetIDs pulumi.StringArrayInput) error {
	if where == nil || vpcID == nil || subnetIDs == nil {
		return errors.New("Account, VPCID and SubnetIDs must not be nil")
	}
	return nil
}

// Dependencies are what a store needs and shares with no other.
type Dependencies struct {
	// Key encrypts the store and its logs.
	Key *key.Key
	// SecurityGroupID is the group that admits the clients.
	SecurityGroupID pulumi.StringOutput
	// SubnetGroup and ParameterGroup are names.
	SubnetGroup, ParameterGroup pulumi.StringOutput
	// LogGroups must be there before the store, or AWS creates its own, kept
	// for ever and under no key.
	LogGroups []*cloudwatch.LogGroup
}

// NewDependencies creates the key, the security group, the subnet group, the
// parameter group and the log groups of a store.
func NewDependencies(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) (*Dependencies, error) {
	description := args.Engine.label + " " + name
	var d Dependencies
	var err error
	if d.Key, err = key.NewKey(ctx, name, &key.Args{
		Account: args.Account, Description: description, Users: []iam.Statement{key.Logs(args.Account)},
	}, parent); err != nil {
		return nil, err
	}
	if d.SecurityGroupID, err = clients.NewGroup(ctx, name, &clients.GroupArgs{
		VPCID: args.VPCID, Description: description, Port: args.Port, Clients: args.Clients,
	}, parent); err != nil {
		return nil, err
	}
	if d.SubnetGroup, err = newNamed(ctx, args.Engine.token("SubnetGroup"), name+"-subnets", pulumi.Map{
		"name": pulumi.String(args.Identifier), "description": pulumi.String("private-data subnets"), "subnetIds": args.SubnetIDs,
	}, parent); err != nil {
		return nil, fmt.Errorf("subnet group of %s: %w", name, err)
	}
	if d.ParameterGroup, err = newNamed(ctx, args.Engine.token(args.Engine.parameterGroup), name+"-parameters", args.Parameters.inputs(), parent); err != nil {
		return nil, fmt.Errorf("parameter group of %s: %w", name, err)
	}
	d.LogGroups, err = logs.NewGroups(ctx, name, args.Engine.logFolder+args.Identifier, args.Logs, d.Key.ARN, parent)
	return &d, err
}

// AfterLogGroups makes a store wait for its log groups.
func (d *Dependencies) AfterLogGroups(others ...pulumi.Resource) pulumi.ResourceOption {
	for _, group := range d.LogGroups {
		others = append(others, group)
	}
	return pulumi.DependsOn(others)
}

// Tags are the store's own.
func Tags(name string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(name), "Tier": pulumi.String("private-data")}
}

// FinalSnapshot names the snapshot that a deleted store leaves behind; nil: an
// unprotected store leaves none.
func FinalSnapshot(identifier string, unprotected bool) pulumi.StringPtrInput {
	if unprotected {
		return nil
	}
	return pulumi.String(identifier + "-final")
}

// token is the type of a resource of the engine's service, such as
// aws:rds/subnetGroup:SubnetGroup.
func (e Engine) token(kind string) string {
	return fmt.Sprintf("aws:%s/%c%s:%s", e.service, kind[0]+'a'-'A', kind[1:], kind)
}

func (g ParameterGroup) inputs() pulumi.Map {
	var list pulumi.Array
	for _, p := range g.Parameters {
		line := pulumi.Map{"name": pulumi.String(p.Name), "value": pulumi.String(p.Value)}
		if p.ApplyMethod != "" {
			line["applyMethod"] = pulumi.String(p.ApplyMethod)
		}
		list = append(list, line)
	}
	return pulumi.Map{
		"name": pulumi.String(g.Name), "family": pulumi.String(g.Family), "description": pulumi.String(g.Description), "parameters": list,
	}
}

// named is a resource of which only its name is needed.
type named struct {
	pulumi.CustomResourceState

	Name pulumi.StringOutput `pulumi:"name"`
}

// newNamed registers a resource by its type token. The SDK has a Go type for
// the subnet group and the parameter group of each of the three services, all
// with the same inputs, so that typed calls would be written three times.
func newNamed(ctx *pulumi.Context, token, name string, inputs pulumi.Map, parent pulumi.ResourceOption) (pulumi.StringOutput, error) {
	var created named
	err := ctx.RegisterResource(token, name, inputs, &created, parent)
	return created.Name, err
}
