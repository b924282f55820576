package rules

const cacheSubnetGroupType = "aws:elasticache/subnetGroup:SubnetGroup"

var toCacheSubnetGroup = &Ref{
	To: []string{cacheSubnetGroupType}, By: []string{"name"}, Noun: "cache subnet group", Missing: "CacheSubnetGroupNotFoundFault", InUseCode: "CacheSubnetGroupInUse",
}

var _ = registerRows(&Row{
	Token:  cacheSubnetGroupType,
	Source: "elasticache/subnet_group.go", Page: "AmazonElastiCache/latest/APIReference/API_CreateCacheSubnetGroup.html",
	Label: "ElastiCache Subnet Group", ID: "{name}", NotFound: "CacheSubnetGroupNotFoundFault",
	ExistsCode: "CacheSubnetGroupAlreadyExists", ExistsText: "Cache subnet group {name} already exists.",
	Naming: &Naming{Prop: "name", Max: 255},
	// AWS stores names in lower case. Capital letters are refused here, not converted.
	Props:   subnetGroupProps(all(length(1, 255), pattern(`[a-z0-9-]+`, "lower-case letters, digits and hyphens"), checkNotDefault)),
	Outputs: map[string]string{"arn": "arn:{partition}:elasticache:{region}:{account}:subnetgroup:{name}"},
	Verify:  verifySubnetGroup(1, "InvalidParameterValue"),
	Fill: func(c *Call) error {
		c.Out["vpcId"] = Object(c.referencedObjects("subnetIds")[0].State)["vpcId"]
		return nil
	},
})
