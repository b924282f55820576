package rules

import (
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
)

// cloudFrontListName is the name of the prefix list with CloudFront's addresses.
const cloudFrontListName = "com.amazonaws.global.cloudfront.origin-facing"

// managedListWeights returns a map from the names of AWS's prefix lists in the region to the
// weights of the lists. In the quota of a security group, a rule with a list of weight 55
// counts as 55 rules (vpc/latest/userguide/working-with-aws-managed-prefix-lists.html).
func (c *Cloud) managedListWeights() map[string]int {
	regional := "com.amazonaws." + c.Region
	return map[string]int{cloudFrontListName: 55, regional + ".s3": 1, regional + ".dynamodb": 1}
}

// cloudFrontListIDs are the ids of CloudFront's list by region, from public source code. For other
// lists and regions, prefixListID computes the id from the name and the region.
var cloudFrontListIDs = map[string]string{
	"us-east-1": "pl-3b927c52", "us-east-2": "pl-b6a144df", "us-west-2": "pl-82a045eb", "eu-west-1": "pl-4fa04526", "eu-west-2": "pl-93a247fa",
	"eu-central-1": "pl-a3a144ca", "ap-southeast-1": "pl-31a34658", "ap-southeast-2": "pl-b8a742d1", "ap-northeast-1": "pl-58a04531",
}

// prefixListID returns the id of the prefix list with this name in the region.
func (c *Cloud) prefixListID(name string) string {
	if id, ok := cloudFrontListIDs[c.Region]; ok && name == cloudFrontListName {
		return id
	}
	return fmt.Sprintf("pl-%08x", crc32.ChecksumIEEE([]byte(c.Region+" "+name)))
}

// prefixListWeight returns the weight of the prefix list with an id, or 0 if no list has
// the id.
func (c *Cloud) prefixListWeight(id string) int {
	for name, weight := range c.managedListWeights() {
		if c.prefixListID(name) == id {
			return weight
		}
	}
	return 0
}

// getManagedPrefixList implements the Pulumi function aws:ec2/getManagedPrefixList. Its
// source is ec2/vpc_managed_prefix_list_data_source.go of terraform-provider-aws. AWS
// changes the networks of its lists. So each list of the stand-in has only one network,
// from a range that RFC 5737 reserves for documentation.
func getManagedPrefixList(c *Call, in Object) (Object, error) {
	if in.Has("filters") || in.Has("tags") {
		return nil, errors.New("the stand-in finds prefix lists by name or id")
	}
	known := slices.Sorted(maps.Keys(c.managedListWeights()))
	names := slices.DeleteFunc(slices.Clone(known), func(name string) bool {
		otherName := in.Has("name") && in.String("name") != name
		otherID := in.Has("id") && in.String("id") != c.prefixListID(name)
		return otherName || otherID
	})
	if len(names) != 1 {
		return nil, fmt.Errorf("%d EC2 Managed Prefix Lists matched; the stand-in has %s in %s", len(names), strings.Join(known, ", "), c.Region)
	}
	id := c.prefixListID(names[0])
	return Object{
		"id": id, "name": names[0], "addressFamily": "IPv4", "ownerId": "AWS", "maxEntries": 0.0, "version": 0.0, "tags": map[string]any{},
		"arn":     fmt.Sprintf("arn:%s:ec2:%s:aws:prefix-list/%s", c.Partition, c.Region, id),
		"entries": []any{map[string]any{"cidr": "203.0.113.0/24", "description": ""}},
	}, nil
}
