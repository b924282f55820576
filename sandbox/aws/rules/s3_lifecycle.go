package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// minDaysToIA is the minimum age of objects, in days, for a transition to a storage class
// for infrequent access
// (AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html).
const minDaysToIA = 30

var _ = registerRows(
	&Row{
		Token:  "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
		Source: "s3/bucket_lifecycle_configuration.go", Page: "AmazonS3/latest/userguide/intro-lifecycle-rules.html",
		Label: "S3 Bucket Lifecycle Configuration", Global: true, ID: "{bucket}", NotFound: "NoSuchLifecycleConfiguration", Put: true,
		Props: Props{
			"bucket":                                     {Replace: true, Ref: toBucket},
			"expectedBucketOwner":                        {Replace: true, Computed: true, Refuse: noOtherOwners},
			"timeouts":                                   {Refuse: "the stand-in creates and deletes at once"},
			"transitionDefaultMinimumObjectSize":         {Computed: true, Enum: []string{"all_storage_classes_128K", "varies_by_storage_class"}},
			"rules":                                      {Required: true, Min: 1, Max: 1000},
			"rules.id":                                   {Valid: length(1, 255)},
			"rules.status":                               {},
			"rules.prefix":                               {Computed: true, Refuse: "deprecated; use filter"},
			"rules.filter":                               {Required: true},
			"rules.filter.prefix":                        {},
			"rules.filter.objectSizeGreaterThan":         {Valid: numbers(0, 1<<50)},
			"rules.filter.objectSizeLessThan":            {Valid: numbers(1, 1<<50)},
			"rules.filter.tag":                           {},
			"rules.filter.tag.key":                       {Valid: length(1, maxTagKey)},
			"rules.filter.tag.value":                     {AllowEmpty: true, Valid: length(0, maxTagValue)},
			"rules.filter.and":                           {Refuse: "filters with several conditions are not supported yet"},
			"rules.expiration":                           {},
			"rules.expiration.date":                      {Valid: checkMidnight},
			"rules.expiration.days":                      {Valid: numbers(1, 1<<31-1)},
			"rules.expiration.expiredObjectDeleteMarker": {},
			"rules.noncurrentVersionExpiration":          {},
			"rules.noncurrentVersionExpiration.newerNoncurrentVersions": {Valid: numbers(1, 100)},
			"rules.noncurrentVersionExpiration.noncurrentDays":          {Valid: numbers(1, 1<<31-1)},
			"rules.noncurrentVersionTransitions":                        {Set: true, Refuse: "no rules yet; expire old versions"},
			"rules.transitions":                                         {Set: true},
			"rules.transitions.date":                                    {Valid: checkMidnight},
			"rules.transitions.days":                                    {Valid: numbers(0, 1<<31-1)},
			"rules.transitions.storageClass":                            {},
			"rules.abortIncompleteMultipartUpload":                      {},
			"rules.abortIncompleteMultipartUpload.daysAfterInitiation":  {Required: true, Valid: numbers(1, 1<<31-1)},
		},
		Check: checkLifecycle,
		Verify: func(c *Call) error {
			for _, rule := range c.In.Objects("rules") {
				actions := []string{"expiration", "noncurrentVersionExpiration", "transitions", "abortIncompleteMultipartUpload"}
				if !slices.ContainsFunc(actions, rule.Has) {
					return refuse("InvalidRequest", "At least one action needs to be specified in a rule: %s has none", rule.String("id"))
				}
			}
			return verifyBucketRegion(c)
		},
		Fill: func(c *Call) error {
			if !c.Out.Has("transitionDefaultMinimumObjectSize") {
				c.Out["transitionDefaultMinimumObjectSize"] = "all_storage_classes_128K"
			}
			return nil
		},
	},
)

// checkLifecycle reports failures for settings of lifecycle rules that exclude each other.
func checkLifecycle(in Object, fail Fail) {
	seen := map[string]bool{}
	for i, rule := range in.Objects("rules") {
		path := fmt.Sprintf("rules[%d]", i)
		if id := rule.String("id"); id != "" && seen[id] {
			fail(path+".id", "%q is the id of another rule", id)
		}
		seen[rule.String("id")] = true
		if filter := rule.Object("filter"); len(filter) > 1 {
			fail(path+".filter", "has %d conditions, may have one", len(filter))
		}
		expiration := rule.Object("expiration")
		if rule.Has("expiration") && !wire.IsUnknown(rule["expiration"]) && len(expiration) != 1 {
			fail(path+".expiration", "exactly one of date, days and expiredObjectDeleteMarker must be given")
		}
		for _, name := range []string{"tag", "objectSizeGreaterThan", "objectSizeLessThan"} {
			if rule.Has("abortIncompleteMultipartUpload") && rule.Object("filter").Has(name) {
				fail(path+".abortIncompleteMultipartUpload", "can't be given with filter.%s: uploads have neither tags nor a size yet", name)
			}
		}
		for j, t := range rule.Objects("transitions") {
			class := t.String("storageClass")
			isInfrequent := class == "STANDARD_IA" || class == "ONEZONE_IA" // infrequent access
			switch {
			case t.Has("days") == t.Has("date"):
				fail(fmt.Sprintf("%s.transitions[%d]", path, j), "exactly one of days and date must be given")
			case isInfrequent && t.Known("days") && t.Int("days") < minDaysToIA:
				fail(fmt.Sprintf("%s.transitions[%d].days", path, j), "is %d, must be %d or more for %s", t.Int("days"), minDaysToIA, class)
			case t.Known("days") && expiration.Known("days") && expiration.Int("days") <= t.Int("days"):
				fail(path+".expiration.days", "is %d, must be above the days of the transition, %d", expiration.Int("days"), t.Int("days"))
			}
		}
	}
}

// checkMidnight returns a message unless v is a time in ISO 8601 at midnight UTC, which S3
// requires (AmazonS3/latest/API/API_LifecycleExpiration.html).
func checkMidnight(v any) string {
	s, _ := v.(string)
	if t, err := time.Parse(time.RFC3339, s); err != nil || !t.UTC().Equal(t.UTC().Truncate(24*time.Hour)) {
		return fmt.Sprintf("%q must be midnight UTC as in 2027-01-01T00:00:00Z", s)
	}
	return ""
}
