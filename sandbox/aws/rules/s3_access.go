package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	ownershipType   = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	publicBlockType = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	bucketACLType   = "aws:s3/bucketAclV2:BucketAclV2"
)

// maxBucketPolicy is the maximum size of a bucket policy in bytes
// (AmazonS3/latest/userguide/add-bucket-policy.html).
const maxBucketPolicy = 20480

var _ = registerRows(
	&Row{
		Token:  publicBlockType,
		Source: "s3/bucket_public_access_block.go", Page: "AmazonS3/latest/userguide/access-control-block-public-access.html",
		Label: "S3 Bucket Public Access Block", Global: true, ID: "{bucket}", NotFound: "NoSuchPublicAccessBlockConfiguration", Put: true,
		Props: Props{
			"bucket":                {Replace: true, Ref: toBucket},
			"blockPublicAcls":       {Default: false},
			"blockPublicPolicy":     {Default: false},
			"ignorePublicAcls":      {Default: false},
			"restrictPublicBuckets": {Default: false},
		},
		Verify: verifyBucketRegion,
	},
	&Row{
		Token:  "aws:s3/bucketPolicy:BucketPolicy",
		Source: "s3/bucket_policy.go", Page: "AmazonS3/latest/userguide/add-bucket-policy.html",
		Label: "S3 Bucket Policy", Global: true, ID: "{bucket}", NotFound: "NoSuchBucketPolicy", Put: true,
		Props: Props{
			"bucket": {Replace: true, Ref: toBucket},
			"policy": {JSON: true, Valid: policyDocument(resourcePolicy, maxBucketPolicy)},
		},
		Verify: verifyBucketPolicy,
	},
	&Row{
		Token:  ownershipType,
		Source: "s3/bucket_ownership_controls.go", Page: "AmazonS3/latest/userguide/about-object-ownership.html",
		Label: "S3 Bucket Ownership Controls", Global: true, ID: "{bucket}", NotFound: "OwnershipControlsNotFoundError", Put: true,
		Props: Props{
			"bucket":               {Replace: true, Ref: toBucket},
			"rule":                 {},
			"rule.objectOwnership": {},
		},
		Verify: func(c *Call) error {
			bucket := c.In.String("bucket")
			acl, ok := c.bucketSetting(bucketACLType, bucket+",log-delivery-write")
			if ok && c.In.Object("rule").String("objectOwnership") == "BucketOwnerEnforced" {
				return refuse("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting (%s has %s)",
					bucket, acl.String("acl"))
			}
			return verifyBucketRegion(c)
		},
	},
	&Row{
		Token:  bucketACLType,
		Source: "s3/bucket_acl.go", Page: "AmazonS3/latest/userguide/acl-overview.html",
		Label: "S3 Bucket ACL", Global: true, ID: "{bucket},{acl}", NotFound: "NoSuchBucket", Put: true,
		Props: Props{
			"bucket": {Replace: true, Ref: toBucket},
			// AWS can change an ACL in place. But the provider's id contains the ACL, so a
			// change replaces the resource. The stand-in does not support the canned ACLs for
			// public access.
			"acl":                 {Replace: true, Required: true, Enum: []string{"private", "log-delivery-write"}},
			"accessControlPolicy": {Computed: true, Refuse: "use acl"},
			"expectedBucketOwner": {Replace: true, Refuse: noOtherOwners},
		},
		Verify: func(c *Call) error {
			if bucket := c.In.String("bucket"); !c.aclsEnabled(bucket) {
				return refuse("AccessControlListNotSupported", "The bucket does not allow ACLs: give %s ownership controls other than BucketOwnerEnforced first", bucket)
			}
			return verifyBucketRegion(c)
		},
	},
)

// aclsEnabled reports whether a bucket can have an ACL. Since April 2023, S3 disables ACLs by
// default (AmazonS3/latest/userguide/about-object-ownership.html).
func (c *Call) aclsEnabled(bucket string) bool {
	controls, ok := c.bucketSetting(ownershipType, bucket)
	return ok && controls.Object("rule").String("objectOwnership") != "BucketOwnerEnforced"
}

// verifyBucketPolicy returns an error for a policy with resources outside the bucket,
// and for a public policy that the public access block forbids. Buckets created since
// April 2023 block public policies until a public access block allows them.
func verifyBucketPolicy(c *Call) error {
	if err := verifyBucketRegion(c); err != nil {
		return err
	}
	if err := c.verifyPrincipals("policy", "MalformedPolicy", "Invalid principal in policy"); err != nil {
		return err
	}
	bucket := c.In.String("bucket")
	bucketARN := fmt.Sprintf("arn:%s:s3:::%s", c.Partition, bucket)
	accessBlock, exists := c.bucketSetting(publicBlockType, bucket)
	blocksPublicPolicy := !exists || accessBlock.Bool("blockPublicPolicy")
	var doc struct{ Statement any }
	if err := json.Unmarshal([]byte(c.In.String("policy")), &doc); err != nil {
		return refuse("MalformedPolicy", "%v", err)
	}
	for _, item := range asList(doc.Statement) {
		statement, _ := item.(map[string]any)
		for _, v := range append(asList(statement["Resource"]), asList(statement["NotResource"])...) {
			if resource, _ := v.(string); resource != bucketARN && !strings.HasPrefix(resource, bucketARN+"/") {
				return refuse("MalformedPolicy", "Policy has invalid resource: %v is neither %s nor inside it", v, bucketARN)
			}
		}
		for _, v := range append(asList(statement["Action"]), asList(statement["NotAction"])...) {
			if action, _ := v.(string); action != "*" && !strings.HasPrefix(action, "s3:") {
				return refuse("MalformedPolicy", "Policy has invalid action: %v", v)
			}
		}
		if blocksPublicPolicy && isPublicStatement(statement) {
			return refuse("AccessDenied", "Access Denied: the policy of %s allows public access, and its public access block forbids that", bucket)
		}
	}
	return nil
}

// isPublicStatement reports whether a statement of a policy gives everybody access. S3 evaluates
// conditions. The stand-in assumes that every condition restricts the access.
func isPublicStatement(statement map[string]any) bool {
	if statement["Effect"] != "Allow" || statement["Condition"] != nil {
		return false
	}
	principal, _ := statement["Principal"].(map[string]any)
	return statement["Principal"] == "*" || slices.Contains(asList(principal["AWS"]), any("*"))
}
