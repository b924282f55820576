package aws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// RDS and DocumentDB share one namespace of ARNs. So a subnet group of RDS and one of
// DocumentDB cannot have the same name.
func TestRDSAndDocumentDBShareOneNamespace(t *testing.T) {
	s := newSandbox(t, nil)
	vpc := s.mustCreate(vpcT, "vpc", props{"cidrBlock": "10.20.0.0/16"})
	var subnets []any
	for zone, block := range map[string]string{"us-east-1a": "10.20.0.0/20", "us-east-1b": "10.20.16.0/20"} {
		subnets = append(subnets, s.mustCreate(subnetT, zone, props{"vpcId": vpc.id, "cidrBlock": block, "availabilityZone": zone}).id)
	}
	group := props{"name": "main", "subnetIds": subnets}
	const rds, docdb = "aws:rds/subnetGroup:SubnetGroup", "aws:docdb/subnetGroup:SubnetGroup"
	for firstType, secondType := range map[string]string{rds: docdb, docdb: rds} {
		created := s.mustCreate(firstType, "group", group)
		_, err := s.create(secondType, "group", group)
		require.ErrorContains(t, err, "DBSubnetGroupAlreadyExists", "%s after %s", secondType, firstType)
		require.ErrorContains(t, err, "share one namespace")
		s.mustCreate(secondType, "other", with(group, props{"name": "other"}))
		require.NoError(t, s.delete(created))
		require.NoError(t, s.delete(s.mustCreate(secondType, "group", group)), "the name is free again")
		require.NoError(t, s.delete(&resource{token: secondType, name: "other", id: "other"}))
	}
}
