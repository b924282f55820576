package rules

import (
	"slices"
	"strings"
)

const (
	docdbParametersType  = "aws:docdb/clusterParameterGroup:ClusterParameterGroup"
	docdbSubnetGroupType = "aws:docdb/subnetGroup:SubnetGroup"
)

// The references of a cluster to its groups. AWS's default parameter groups exist without
// a resource.
var (
	toDocdbParameters = &Ref{
		To: []string{docdbParametersType}, By: []string{"name"}, Noun: "cluster parameter group", Missing: "DBClusterParameterGroupNotFound",
		InUseCode: "InvalidDBParameterGroupState", Predefined: func(name string) bool { return slices.Contains(docdbFamilies(), strings.TrimPrefix(name, "default.")) },
	}
	toDocdbSubnetGroup = &Ref{
		To: []string{docdbSubnetGroupType}, By: []string{"name"}, Noun: "DB subnet group", Missing: "DBSubnetGroupNotFoundFault", InUseCode: "InvalidDBSubnetGroupStateFault",
	}
)

// docdbParameters are the parameters of all versions of DocumentDB
// (documentdb/latest/developerguide/cluster_parameter_groups-list_of_parameters.html).
var docdbParameters = map[string]parameter{
	"tls":                                  oneWord("disabled", "enabled", "fips-140-3", "tls1.2+", "tls1.3+").atRestart(),
	"profiler":                             oneWord("enabled", "disabled"),
	"profiler_threshold_ms":                wholeNumber("ms", 50, maxInteger-1),
	"profiler_sampling_rate":               fraction(0, 1),
	"audit_logs":                           wordList("enabled", "disabled", "ddl", "dml_read", "dml_write", "all", "none"),
	"ttl_monitor":                          oneWord("enabled", "disabled"),
	"change_stream_log_retention_duration": wholeNumber("s", 3600, 604800),
}

var _ = registerRows(
	&Row{
		Token:  docdbParametersType,
		Source: "docdb/cluster_parameter_group.go", Page: "documentdb/latest/developerguide/cluster_parameter_groups.html",
		Label: "DocumentDB Cluster Parameter Group", ID: "{name}", NotFound: "DBParameterGroupNotFound",
		ExistsCode: "DBParameterGroupAlreadyExists", ExistsText: "Parameter group {name} already exists",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
		Props: parameterProps("pending-reboot").with(Props{
			"name":        {Replace: true, Computed: true, Valid: parameterGroupName},
			"namePrefix":  {Replace: true, Computed: true, Valid: parameterGroupPrefix},
			"family":      {Replace: true},
			"description": {Replace: true, Default: managedBy},
		}),
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:rds:{region}:{account}:cluster-pg:{name}"},
		Check:     checkParameters,
		Verify: func(c *Call) error {
			if family := c.In.String("family"); !slices.Contains(docdbFamilies(), family) {
				return refuse("InvalidParameterValue", "ParameterGroupFamily %s is not a valid parameter group family: the stand-in supports %v", family, docdbFamilies())
			}
			return verifyParameters(c, docdbParameters)
		},
		Fill: fillApplyMethods(docdbDefaults),
	},
	&Row{
		Token:  docdbSubnetGroupType,
		Source: "docdb/subnet_group.go", Page: "documentdb/latest/developerguide/document-db-subnet-groups.html",
		Label: "DocumentDB Subnet Group", ID: "{name}", NotFound: "DBSubnetGroupNotFoundFault",
		ExistsCode: "DBSubnetGroupAlreadyExists", ExistsText: "The DB subnet group '{name}' already exists.",
		Naming:    &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
		Props:     subnetGroupProps(subnetGroupName).with(Props{"namePrefix": {Replace: true, Computed: true, Valid: subnetGroupPrefix}}),
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:rds:{region}:{account}:subgrp:{name}"},
		Verify:    verifySubnetGroup(2, "DBSubnetGroupDoesNotCoverEnoughAZs"),
	},
)
