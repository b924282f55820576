// Package regions owns the facts about AWS regions that need no request to AWS: the form
// of their names, their partitions, and the availability zones of the listed regions. It
// imports no SDK.
package regions

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Commercial is the partition of AWS's public cloud. The platform supports CloudFront with a
// custom domain only in this partition.
const Commercial = "aws"

// directionPattern matches the last word of a region's name, such as "east" in us-east-1.
const directionPattern = `(north|south|east|west|central|northeast|northwest|southeast|southwest)`

// regionNamePattern matches the name of every region, also in partitions that are not listed here.
var regionNamePattern = regexp.MustCompile(`^[a-z]{2,5}(-[a-z]+)*-` + directionPattern + `-[1-9]$`)

// partitions lists AWS's partitions by the names of their regions (AWS SDKs,
// partitions.json). The first match wins, so a longer prefix comes before a shorter one.
var partitions = []struct {
	regions *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`^us-gov-`), "aws-us-gov"},
	{regexp.MustCompile(`^us-iso-`), "aws-iso"},
	{regexp.MustCompile(`^us-isob-`), "aws-iso-b"},
	{regexp.MustCompile(`^eu-isoe-`), "aws-iso-e"},
	{regexp.MustCompile(`^us-isof-`), "aws-iso-f"},
	{regexp.MustCompile(`^eusc-`), "aws-eusc"},
	{regexp.MustCompile(`^cn-`), "aws-cn"},
	{regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-` + directionPattern + `-[1-9]$`), Commercial},
}

// zoneLetters are the letters of a region's availability zones (AWS, "AWS Availability
// Zones"). In us-west-1 and ap-northeast-1 an account can use only some of the zones. A
// region that is not listed may have any letter.
var zoneLetters = map[string]string{
	"us-east-1": "abcdef", "us-east-2": "abc", "us-west-1": "abc", "us-west-2": "abcd",
	"ca-central-1": "abd", "ca-west-1": "abc", "mx-central-1": "abc", "sa-east-1": "abc",
	"eu-central-1": "abc", "eu-central-2": "abc", "eu-north-1": "abc", "eu-south-1": "abc", "eu-south-2": "abc",
	"eu-west-1": "abc", "eu-west-2": "abc", "eu-west-3": "abc",
	"ap-east-1": "abc", "ap-northeast-1": "abcd", "ap-northeast-2": "abcd", "ap-northeast-3": "abc",
	"ap-south-1": "abc", "ap-south-2": "abc", "ap-southeast-1": "abc", "ap-southeast-2": "abc",
	"ap-southeast-3": "abc", "ap-southeast-4": "abc", "ap-southeast-5": "abc", "ap-southeast-7": "abc",
	"af-south-1": "abc", "il-central-1": "abc", "me-central-1": "abc", "me-south-1": "abc",
	"us-gov-east-1": "abc", "us-gov-west-1": "abc", "cn-north-1": "abd", "cn-northwest-1": "abc",
}

// Check returns an error for a text that does not have the form of a region's name.
func Check(name string) error {
	if !regionNamePattern.MatchString(name) {
		return errors.New("must be the name of an AWS region, such as us-east-1 or eusc-de-east-1")
	}
	return nil
}

// Partition returns the partition of a region, such as "aws-cn". It returns "" for a
// region that matches no row of partitions.
func Partition(region string) string {
	for _, p := range partitions {
		if p.regions.MatchString(region) {
			return p.name
		}
	}
	return ""
}

// CheckZone returns an error for a zone that a region does not have. It accepts every
// zone of a region that is not listed. It also accepts a zone that is not the name of the
// region with a lower-case letter, because package subnet refuses such a zone.
func CheckZone(region, zone string) error {
	letter, found := strings.CutPrefix(zone, region)
	if !found || letter < "a" || letter > "z" {
		return nil // package subnet refuses the zone
	}
	letters, listed := zoneLetters[region]
	if !listed || strings.Contains(letters, letter) {
		return nil
	}
	return fmt.Errorf("%s has no zone %q: its zones have the letters %s", region, zone, strings.Join(strings.Split(letters, ""), ", "))
}

// CheckARN returns an error if the ARN and the region have different partitions. It accepts
// every ARN for a region with an unknown partition, and a text that is not an ARN.
func CheckARN(region, arn string) error {
	partition, parts := Partition(region), strings.SplitN(arn, ":", 3)
	if partition == "" || len(parts) < 3 || parts[1] == partition {
		return nil
	}
	return fmt.Errorf("is of partition %s; region %s is in %s, and nothing crosses partitions", parts[1], region, partition)
}
