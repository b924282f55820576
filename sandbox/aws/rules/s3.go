package rules

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	bucketType          = "aws:s3/bucketV2:BucketV2"
	bucketObjectType    = "aws:s3/bucketObjectv2:BucketObjectv2"
	useSeparateResource = "deprecated; use the separate resource for this setting"
	noOtherOwners       = "buckets of other accounts are not supported"
)

// toBucket is the reference of a bucket's setting, such as its policy, to the bucket. AWS
// deletes the setting together with the bucket. toBucketOfObject is the reference of an S3
// object to its bucket. AWS refuses to delete a bucket that has objects.
var (
	toBucket         = &Ref{To: []string{bucketType}, Noun: "bucket", Missing: "NoSuchBucket", DeletedWith: true}
	toBucketOfObject = &Ref{To: []string{bucketType}, Noun: "bucket", Missing: "NoSuchBucket", InUseCode: "BucketNotEmpty"}
)

// Names of S3 buckets are unique over all regions, so the store keeps buckets with the
// global services. The output region has the bucket's region.
var _ = registerRows(
	&Row{
		Token:  bucketType,
		Source: "s3/bucket.go", Page: "AmazonS3/latest/userguide/bucketnamingrules.html",
		Label: "S3 Bucket", Global: true, ID: "{bucket}", NotFound: "NoSuchBucket",
		ExistsCode: "BucketAlreadyOwnedByYou",
		ExistsText: "Your previous request to create the named bucket succeeded and you already own it.",
		Naming:     &Naming{Prop: "bucket", PrefixProp: "bucketPrefix", Max: 63, Lower: true},
		Props: Props{
			"bucket":                             {Replace: true, Computed: true, Valid: checkBucketName},
			"bucketPrefix":                       {Replace: true, Computed: true, Valid: all(length(1, 37), checkBucketPrefix)},
			"forceDestroy":                       {Default: false},
			"accelerationStatus":                 {Computed: true, Refuse: useSeparateResource},
			"acl":                                {Computed: true, Refuse: useSeparateResource},
			"corsRules":                          {Computed: true, Refuse: useSeparateResource},
			"grants":                             {Computed: true, Refuse: useSeparateResource},
			"lifecycleRules":                     {Computed: true, Refuse: useSeparateResource},
			"loggings":                           {Computed: true, Refuse: useSeparateResource},
			"objectLockConfiguration":            {Computed: true, Refuse: useSeparateResource},
			"objectLockEnabled":                  {Replace: true, Computed: true, Refuse: "object lock is not supported yet"},
			"policy":                             {Computed: true, Refuse: useSeparateResource},
			"replicationConfigurations":          {Computed: true, Refuse: useSeparateResource},
			"requestPayer":                       {Computed: true, Refuse: useSeparateResource},
			"serverSideEncryptionConfigurations": {Computed: true, Refuse: useSeparateResource},
			"versionings":                        {Computed: true, Refuse: useSeparateResource},
			"websites":                           {Computed: true, Refuse: useSeparateResource},
		},
		AtMostOne: [][]string{{"bucket", "bucketPrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:s3:::{bucket}", "bucketDomainName": "{bucket}.s3.amazonaws.com"},
		Fill: func(c *Call) error {
			if c.Old == nil {
				c.Out["region"] = c.Region
			}
			c.Out["bucketRegionalDomainName"] = fmt.Sprintf("%s.s3.%s.amazonaws.com", c.ID, c.Out.String("region"))
			return nil
		},
		BeforeDelete: emptyBucket,
	},
	&Row{
		Token:  bucketObjectType,
		Source: "s3/object.go", Page: "AmazonS3/latest/API/API_PutObject.html",
		// The provider's id is only the key. Here the bucket is part of the id, because
		// ids must be unique in the store.
		Label: "S3 Object", Global: true, ID: "{bucket}/{key}", NotFound: "NoSuchKey", Put: true,
		MaxTags: 10, // S3 User Guide, "Categorizing your objects using tags"
		Props: Props{
			"bucket":                    {Replace: true, Ref: toBucketOfObject},
			"key":                       {Replace: true, Required: true, Valid: length(1, 1024)},
			"content":                   {},
			"contentBase64":             {},
			"contentType":               {Computed: true},
			"cacheControl":              {},
			"serverSideEncryption":      {Computed: true, Refuse: "the bucket defines how its objects are encrypted"},
			"kmsKeyId":                  {Computed: true, Refuse: "the bucket defines how its objects are encrypted"},
			"metadata":                  {Refuse: "no rules yet"},
			"etag":                      {Computed: true, Refuse: "S3 computes it"},
			"source":                    {},
			"sourceHash":                {Refuse: "the engine detects a change of the asset by its hash"},
			"acl":                       {Computed: true, Refuse: "ACLs of objects are not supported"},
			"bucketKeyEnabled":          {Computed: true, Refuse: "the bucket defines how its objects are encrypted"},
			"checksumAlgorithm":         {Refuse: "checksums are not supported yet"},
			"contentDisposition":        {},
			"contentEncoding":           {},
			"contentLanguage":           {},
			"forceDestroy":              {Default: false},
			"objectLockLegalHoldStatus": {Computed: true, Refuse: "object lock is not supported yet"},
			"objectLockMode":            {Computed: true, Refuse: "object lock is not supported yet"},
			"objectLockRetainUntilDate": {Computed: true, Refuse: "object lock is not supported yet"},
			"overrideProvider":          {Refuse: "an object without the default tags is not supported"},
			"storageClass":              {Computed: true, Enum: []string{"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE"}},
			"websiteRedirect":           {Refuse: "websites are not supported"},
		},
		AtMostOne: [][]string{{"source", "content", "contentBase64"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:s3:::{bucket}/{key}"},
		Verify:    verifyBucketRegion,
		Fill:      fillS3Object,
	},
)

// checkBucketName returns a message unless S3 accepts the name for a bucket.
func checkBucketName(v any) string {
	if reason := all(length(3, 63), pattern(`[a-z0-9][a-z0-9.-]*[a-z0-9]`, "lower-case letters, digits, dots and dashes, with a letter or digit at both ends"),
		withoutPrefix("xn--"), withoutPrefix("sthree-"), withoutPrefix("amzn-s3-demo-"))(v); reason != "" {
		return reason
	}
	name, _ := v.(string)
	if _, err := netip.ParseAddr(name); err == nil || strings.Contains(name, "..") {
		return fmt.Sprintf("%q can't be an IP address or have two dots together", name)
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return fmt.Sprintf("%q can't end with %s, which S3 reserves", name, suffix)
		}
	}
	return ""
}

// checkBucketPrefix returns a message unless the name of a bucket can begin with the prefix. It
// checks a name with a suffix in the format that the provider generates.
func checkBucketPrefix(v any) string {
	s, _ := v.(string)
	return checkBucketName(s + "20060102150405000000000001")
}

// emptyBucket deletes the objects of a bucket with forceDestroy. Without forceDestroy, the
// objects prevent the deletion of the bucket.
func emptyBucket(c *Call) error {
	if c.Old.Bool("forceDestroy") {
		c.Tx.Each(c.scope(c.Row), bucketObjectType, func(o store.Object) bool {
			if o.State["bucket"] == c.ID {
				c.Tx.Delete(o.Key)
			}
			return true
		})
	}
	return nil
}

// verifyBucketRegion returns an error for a call to a bucket of another region.
func verifyBucketRegion(c *Call) error {
	bucket, ok := c.referencedObject("bucket")
	if bucketRegion := Object(bucket.State).String("region"); ok && bucketRegion != c.Region {
		return refuse("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint: "+
			"%s is in %s, the provider in %s", bucket.ID, bucketRegion, c.Region)
	}
	return nil
}

// bucketSetting returns the properties of a setting of a bucket, such as the ACL. token is the
// type of the setting. id is the id of the setting: BUCKET,ACL for an ACL, and the bucket's name for
// every other setting.
func (c *Call) bucketSetting(token, id string) (setting Object, exists bool) {
	o, ok := c.Tx.Get(store.Key{Scope: c.scope(rows[token]), Type: token, ID: id})
	return o.State, ok
}
