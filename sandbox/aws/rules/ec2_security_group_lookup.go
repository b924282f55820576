package rules

import (
	"errors"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// getSecurityGroup implements the Pulumi function aws:ec2/getSecurityGroup. Its source is
// ec2/vpc_security_group_data_source.go of terraform-provider-aws. The function also finds
// security groups that AWS creates, such as the group of CloudFront's VPC origins.
func getSecurityGroup(c *Call, in Object) (Object, error) {
	if in.Has("filters") || in.Has("tags") {
		return nil, errors.New("the stand-in finds security groups by id, name and vpcId")
	}
	var found []store.Object
	c.Tx.Each(c.scope(rows[securityGroupType]), securityGroupType, func(o store.Object) bool {
		state := Object(o.State)
		matches := func(input, value string) bool { return !in.Has(input) || in.String(input) == value }
		if matches("id", o.ID) && matches("name", state.String("name")) && matches("vpcId", state.String("vpcId")) {
			found = append(found, o)
		}
		return true
	})
	if len(found) == 0 {
		return nil, errors.New("no matching EC2 Security Group found")
	}
	if len(found) > 1 {
		return nil, errors.New("multiple EC2 Security Groups matched; use additional constraints to reduce matches to a single EC2 Security Group")
	}
	state := Object(found[0].State)
	tags := state.Object("tagsAll")
	if tags == nil {
		tags = Object{}
	}
	return Object{
		"id": found[0].ID, "arn": state.String("arn"), "name": state.String("name"), "description": state.String("description"),
		"vpcId": state.String("vpcId"), "tags": map[string]any(tags),
	}, nil
}
