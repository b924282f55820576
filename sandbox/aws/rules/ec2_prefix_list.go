package rules

import (
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
)

const cloudFrontList = "com.amazonaws.global.cloudfront.origin-facing"

// managedLists are AWS's prefix lists in the call's region by name, with their
// weight: as how many rules of a security group one of them counts.
// vpc/latest/userguide/working-with-aws-managed-prefix-lists.html.
func (c *Cloud) managedLists() map[string]int {
	regional := "com.amazonaws." + c.Region
	return map[string]int{cloudFrontList: 55, regional + ".s3": 1, regional + ".dynamodb": 1}
}

// knownLists are ids that were found in public programs; those of other lists
// and regions are made up, and stay the same.
var knownLists = map[string]string{
	"us-east-1": "pl-3b927c52", "us-east-2": "pl-b6a144df", "us-west-2": "pl-82a045eb", "eu-west-1": "pl-4fa04526", "eu-west-2": "pl-93a247fa",
	"eu-central-1": "pl-a3a144ca", "ap-southeast-1": "pl-31a34658", "ap-southeast-2": "pl-b8a742d1", "ap-northeast-1": "pl-58a04531",
}

// listID is the id of AWS's list of a name, in the call's region.
func (c *Cloud) listID(name string) string {
	if id, ok := knownLists[c.Region]; ok && name == cloudFrontList {
		return id
	}
	return fmt.Sprintf("pl-%08x", crc32.ChecksumIEEE([]byte(c.Region+" "+name)))
}

// listWeight is the weight of the list with an id, 0 where there is none.
func (c *Cloud) listWeight(id string) int {
	for name, weight := range c.managedLists() {
		if c.listID(name) == id {
			return weight
		}
	}
	return 0
}

// managedPrefixList: ec2/vpc_managed_prefix_list_data_source.go. What the list
// holds is AWS's and changes; one network that nobody has stands for it.
func managedPrefixList(c *Call, in Object) (Object, error) {
	if in.Has("filters") || in.Has("tags") {
		return nil, errors.New("the stand-in finds prefix lists by name or id")
	}
	known := slices.Sorted(maps.Keys(c.managedLists()))
	names := slices.DeleteFunc(slices.Clone(known), func(name string) bool {
		return (in.Has("name") && in.String("name") != name) || (in.Has("id") && in.String("id") != c.listID(name))
	})
	if len(names) != 1 {
		return nil, fmt.Errorf("%d EC2 Managed Prefix Lists matched; the stand-in has %s in %s", len(names), strings.Join(known, ", "), c.Region)
	}
	id := c.listID(names[0])
	return Object{
		"id": id, "name": names[0], "addressFamily": "IPv4", "ownerId": "AWS", "maxEntries": 0.0, "version": 0.0, "tags": map[string]any{},
		"arn":     fmt.Sprintf("arn:%s:ec2:%s:aws:prefix-list/%s", c.Partition, c.Region, id),
		"entries": []any{map[string]any{"cidr": "203.0.113.0/24", "description": ""}},
	}, nil
}
