package rules

import (
	"slices"
	"strings"
)

const (
	dbParametersType  = "aws:rds/parameterGroup:ParameterGroup"
	dbSubnetGroupType = "aws:rds/subnetGroup:SubnetGroup"
)

// toDBParameters is a reference to a parameter group. AWS's default groups exist without
// a resource.
var toDBParameters = &Ref{
	To: []string{dbParametersType}, By: []string{"name"}, Noun: "parameter group", Missing: "DBParameterGroupNotFound",
	InUseCode: "InvalidDBParameterGroupState", Predefined: func(name string) bool { return slices.Contains(dbFamilies(), strings.TrimPrefix(name, "default.")) },
}

var toDBSubnetGroup = &Ref{
	To: []string{dbSubnetGroupType}, By: []string{"name"}, Noun: "DB subnet group", Missing: "DBSubnetGroupNotFoundFault", InUseCode: "InvalidDBSubnetGroupStateFault",
}

// dbFamilies returns the families of parameter groups for the stand-in's versions.
func dbFamilies() []string {
	var out []string
	for major := range postgresVersions {
		out = append(out, "postgres"+major)
	}
	slices.Sort(out)
	return out
}

var _ = registerRows(
	&Row{
		Token:  dbParametersType,
		Source: "rds/parameter_group.go", Page: "AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html",
		Label: "RDS DB Parameter Group", ID: "{name}", NotFound: "DBParameterGroupNotFound",
		ExistsCode: "DBParameterGroupAlreadyExists", ExistsText: "Parameter group {name} already exists",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
		Props: parameterProps("immediate").with(Props{
			"name":        {Replace: true, Computed: true, Valid: parameterGroupName},
			"namePrefix":  {Replace: true, Computed: true, Valid: parameterGroupPrefix},
			"family":      {Replace: true},
			"description": {Replace: true, Preset: managedBy},
			// With skipDestroy the provider keeps the group when the resource is
			// deleted.
			"skipDestroy": {Default: false},
		}),
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:rds:{region}:{account}:pg:{name}"},
		Check:     checkParameters,
		Verify: func(c *Call) error {
			if family := c.In.String("family"); !slices.Contains(dbFamilies(), family) {
				return refuse("InvalidParameterValue", "ParameterGroupFamily %s is not a valid parameter group family: the stand-in supports %v", family, dbFamilies())
			}
			return verifyParameters(c, postgresParameters)
		},
		Fill:         fillApplyMethods(postgresDefaults),
		BeforeDelete: keepIfSkipDestroy,
	},
	&Row{
		Token:  dbSubnetGroupType,
		Source: "rds/subnet_group.go", Page: "AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html",
		Label: "RDS DB Subnet Group", ID: "{name}", NotFound: "DBSubnetGroupNotFoundFault",
		ExistsCode: "DBSubnetGroupAlreadyExists", ExistsText: "The DB subnet group '{name}' already exists.",
		Naming:    &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
		Props:     subnetGroupProps(subnetGroupName).with(Props{"namePrefix": {Replace: true, Computed: true, Valid: subnetGroupPrefix}}),
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:rds:{region}:{account}:subgrp:{name}"},
		Verify:    verifySubnetGroup(2, "DBSubnetGroupDoesNotCoverEnoughAZs"),
		Fill: func(c *Call) error {
			c.Out["supportedNetworkTypes"] = []any{"IPV4"}
			c.Out["vpcId"] = Object(c.referencedObjects("subnetIds")[0].State)["vpcId"]
			return nil
		},
	},
)

// keepIfSkipDestroy is the BeforeDelete of rows with the property skipDestroy. With this
// property, the provider keeps an object when the resource is deleted.
func keepIfSkipDestroy(c *Call) error {
	if c.Old.Bool("skipDestroy") {
		return errKept
	}
	return nil
}
