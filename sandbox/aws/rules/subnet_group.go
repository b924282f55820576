package rules

import (
	"fmt"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// verifySubnetGroup returns a function for the Verify of a subnet group's row. The function
// refuses subnets of two VPCs, and subnets in fewer availability zones than minZones. tooFewCode
// is AWS's error code for too few zones.
func verifySubnetGroup(minZones int, tooFewCode string) func(*Call) error {
	return func(c *Call) error {
		vpcs, zones := map[string]bool{}, map[string]bool{}
		for _, subnet := range c.referencedObjects("subnetIds") {
			vpcs[Object(subnet.State).String("vpcId")] = true
			zones[Object(subnet.State).String("availabilityZone")] = true
		}
		if len(vpcs) > 1 {
			return refuse("InvalidParameterValue", "The new Subnets are not in the same Vpc as the existing subnet group: a group has one VPC")
		}
		if len(zones) < minZones {
			return refuse(tooFewCode, "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "+
				"Current AZ coverage: %d. Add subnets to cover at least %d AZs.", len(zones), minZones)
		}
		return nil
	}
}

// vpcOfSubnetGroup returns the id of the VPC of a subnet group.
func (c *Call) vpcOfSubnetGroup(group store.Object) string {
	vpcID, _ := c.vpcAndZones(group)
	return vpcID
}

// zonesOfSubnetGroup returns the availability zone of each subnet of a subnet group.
func (c *Call) zonesOfSubnetGroup(group store.Object) []string {
	_, zones := c.vpcAndZones(group)
	return zones
}

// vpcAndZones returns the id of the VPC of a subnet group, and the availability zone of each
// subnet. Subnets that no longer exist are left out.
func (c *Call) vpcAndZones(group store.Object) (vpcID string, zones []string) {
	for _, id := range Object(group.State).Strings("subnetIds") {
		if subnet, ok := c.resolve(toSubnet, id); ok {
			state := Object(subnet.State)
			vpcID, zones = state.String("vpcId"), append(zones, state.String("availabilityZone"))
		}
	}
	return vpcID, zones
}

// verifySecurityGroupVPC returns an error for security groups outside of the subnet group's VPC.
// groupsProperty and subnetGroupProperty are the properties with the references. noun is
// the name of the database type in AWS's error.
func (c *Call) verifySecurityGroupVPC(groupsProperty, subnetGroupProperty, noun string) error {
	subnetGroup, ok := c.referencedObject(subnetGroupProperty)
	if !ok {
		return nil
	}
	vpcID := c.vpcOfSubnetGroup(subnetGroup)
	for _, securityGroup := range c.referencedObjects(groupsProperty) {
		if otherVPC := Object(securityGroup.State).String("vpcId"); otherVPC != vpcID {
			return refuse("InvalidParameterCombination", "The %s and EC2 security group are in different VPCs. The %s is in %s and the EC2 security group is in %s",
				noun, noun, vpcID, otherVPC)
		}
	}
	return nil
}

// defaultGroupIDs returns a list with the id of the default security group of a VPC. The list
// is empty if the VPC does not exist.
func (c *Call) defaultGroupIDs(vpcID string) []any {
	vpc, ok := c.resolve(toVPC, vpcID)
	if !ok {
		return []any{}
	}
	return []any{vpc.State["defaultSecurityGroupId"]}
}

// subnetGroupProps returns the property rules that the subnet groups of RDS, DocumentDB and
// ElastiCache share. AWS refuses to delete a subnet if a database is in the subnet. The stand-in
// refuses to delete every subnet of a subnet group.
func subnetGroupProps(validName func(any) string) Props {
	return Props{
		"name":        {Replace: true, Computed: true, Valid: validName},
		"description": {Preset: managedBy},
		"subnetIds":   {Set: true, Min: 1, Ref: toSubnet},
	}
}

// managedBy is the description that pulumi-aws sets if the program sets none.
const managedBy = "Managed by Pulumi"

// checkNotDefault returns a message for the name "default", which AWS reserves.
func checkNotDefault(v any) string {
	if s, _ := v.(string); s == "default" {
		return fmt.Sprintf("%q is not allowed", s)
	}
	return ""
}

// The validators of names of RDS and DocumentDB. The provider requires lower case.
var (
	databaseName         = all(length(1, 63), pattern(`[a-z](?:-?[0-9a-z])*`, "lower-case letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"))
	databaseNamePrefix   = all(length(1, 37), pattern(`[a-z](?:-?[0-9a-z])*-?`, "lower-case letters, digits and single hyphens, beginning with a letter"))
	parameterGroupName   = all(length(1, 255), pattern(`[a-z](?:-?[0-9a-z.])*`, "lower-case letters, digits, periods and single hyphens, beginning with a letter and not ending with a hyphen"), withoutPrefix("default."))
	parameterGroupPrefix = all(length(1, 229), pattern(`[a-z](?:-?[0-9a-z.])*-?`, "lower-case letters, digits, periods and single hyphens, beginning with a letter"))
	subnetGroupName      = all(length(1, 255), pattern(`[0-9a-z_ .-]+`, "lower-case letters, digits, spaces and _ . -"), checkNotDefault)
	subnetGroupPrefix    = all(length(1, 229), pattern(`[0-9a-z_ .-]+`, "lower-case letters, digits, spaces and _ . -"))
	// sourceSnapshotName validates the name of a snapshot to restore. The names of automatic
	// snapshots have a prefix such as rds:.
	sourceSnapshotName = pattern(`(?:(?:rds|automatic)[.:])?[A-Za-z](?:-?[0-9A-Za-z])*`, "the name of a snapshot of this account")
	snapshotName       = all(length(1, 255), pattern(`[A-Za-z](?:-?[0-9A-Za-z])*`, "letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"))
)
