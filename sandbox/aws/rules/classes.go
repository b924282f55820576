package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/models"
)

// The instance classes of RDS for PostgreSQL, DocumentDB and ElastiCache, as of late 2025. The
// sources are AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html,
// documentdb/latest/developerguide/db-instance-classes.html and
// AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html. The variable upTo16 has the sizes
// from large to 16xlarge, upTo24 those to 24xlarge, and upTo32 those to 32xlarge.
var (
	upTo16         = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge")
	upTo24         = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge")
	upTo32         = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge")
	burstableSizes = splitSizes("micro small medium large xlarge 2xlarge")

	dbClasses = families{
		"db.t3": burstableSizes, "db.t4g": burstableSizes,
		"db.m5": upTo24, "db.m5d": upTo24, "db.m6g": upTo16, "db.m6gd": upTo16, "db.m6i": upTo32, "db.m6id": upTo32, "db.m7g": upTo16, "db.m7i": upTo24,
		"db.m8g": append(slices.Clone(upTo24), "48xlarge"),
		"db.r5":  upTo24, "db.r5b": upTo24, "db.r5d": upTo24, "db.r6g": upTo16, "db.r6gd": upTo16, "db.r6i": upTo32, "db.r6id": upTo32, "db.r7g": upTo16, "db.r7i": upTo24,
		"db.r8g":   append(slices.Clone(upTo24), "48xlarge"),
		"db.x2g":   append(splitSizes("medium"), upTo16...),
		"db.x2idn": splitSizes("16xlarge 24xlarge 32xlarge"), "db.x2iedn": splitSizes("xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge"),
	}
	docdbClasses = families{
		"db.t3": splitSizes("medium"), "db.t4g": splitSizes("medium"),
		"db.r5": upTo24, "db.r6g": upTo16, "db.r8g": upTo16, "db.r6gd": splitSizes("xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
	}
	cacheTypes = families{
		"cache.t3": splitSizes("micro small medium"), "cache.t4g": splitSizes("micro small medium"),
		"cache.m4": splitSizes("large xlarge 2xlarge 4xlarge 10xlarge"), "cache.m5": splitSizes("large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"), "cache.m6g": upTo16, "cache.m7g": upTo16,
		"cache.r4": splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"), "cache.r5": splitSizes("large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"), "cache.r6g": upTo16, "cache.r7g": upTo16,
		"cache.r6gd": splitSizes("xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"), "cache.c7gn": upTo16,
	}
)

// families maps a family of classes, such as db.m6g, to the sizes of the family.
type families map[string][]string

// splitSizes splits a list of sizes at the spaces.
func splitSizes(list string) []string { return strings.Fields(list) }

// check returns a message unless v is a class of one of the families.
func (f families) check(v any) string {
	s, _ := v.(string)
	dot := strings.LastIndex(s, ".")
	if dot < 0 || !slices.Contains(f[s[:dot]], s[dot+1:]) {
		return fmt.Sprintf("%q is in no list of AWS's classes (sandbox/aws/rules/classes.go)", s)
	}
	return ""
}

// checkInstanceType returns a message unless v is an instance type of EC2. The check
// is needed because the models of some services declare instance types as plain strings.
func checkInstanceType(v any) string {
	s, _ := v.(string)
	if !slices.Contains(models.Load().Enums["ec2.InstanceType"], s) {
		return fmt.Sprintf("%q is not an instance type of EC2", s)
	}
	return ""
}
