package rules

import (
	"crypto/md5" //nolint:gosec // S3's etag is an MD5
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
)

var _ = registerRows(
	&Row{
		Token:  "aws:s3/bucketVersioningV2:BucketVersioningV2",
		Source: "s3/bucket_versioning.go", Page: "AmazonS3/latest/userguide/Versioning.html",
		Label: "S3 Bucket Versioning", Global: true, ID: "{bucket}", NotFound: "NoSuchBucket", Put: true,
		Props: Props{
			"bucket":                            {Replace: true, Ref: toBucket},
			"expectedBucketOwner":               {Replace: true, Refuse: noOtherOwners},
			"mfa":                               {Refuse: "MFA delete is not supported"},
			"versioningConfiguration":           {},
			"versioningConfiguration.status":    {},
			"versioningConfiguration.mfaDelete": {Computed: true, Refuse: "MFA delete is not supported"},
		},
		Verify: func(c *Call) error {
			oldStatus, newStatus := c.Old.Object("versioningConfiguration").String("status"), c.In.Object("versioningConfiguration").String("status")
			if newStatus == "Disabled" && oldStatus != "" && oldStatus != newStatus {
				return fmt.Errorf("versioning_configuration.status cannot be updated from '%s' to '%s'", oldStatus, newStatus)
			}
			return verifyBucketRegion(c)
		},
	},
	&Row{
		Token:  "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
		Source: "s3/bucket_server_side_encryption_configuration.go", Page: "AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html",
		Label: "S3 Bucket Server-side Encryption Configuration", Global: true, ID: "{bucket}", NotFound: "ServerSideEncryptionConfigurationNotFoundError", Put: true,
		Props: Props{
			"bucket":                 {Replace: true, Ref: toBucket},
			"expectedBucketOwner":    {Replace: true, Refuse: noOtherOwners},
			"rules":                  {Set: true, Min: 1, Max: 1},
			"rules.bucketKeyEnabled": {},
			"rules.applyServerSideEncryptionByDefault":                {},
			"rules.applyServerSideEncryptionByDefault.sseAlgorithm":   {},
			"rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": {Valid: length(1, 2048)},
		},
		Check: func(in Object, fail Fail) {
			for i, rule := range in.Objects("rules") {
				encryption := rule.Object("applyServerSideEncryptionByDefault")
				if encryption.String("sseAlgorithm") == "AES256" && encryption.Has("kmsMasterKeyId") {
					fail(fmt.Sprintf("rules[%d].applyServerSideEncryptionByDefault.kmsMasterKeyId", i), "needs the sseAlgorithm aws:kms or aws:kms:dsse")
				}
			}
		},
		Verify: verifyBucketRegion,
	},
	&Row{
		Token:  "aws:s3/bucketLoggingV2:BucketLoggingV2",
		Source: "s3/bucket_logging.go", Page: "AmazonS3/latest/userguide/enable-server-access-logging.html",
		Label: "S3 Bucket Logging", Global: true, ID: "{bucket}", NotFound: "NoSuchBucket", Put: true,
		Props: Props{
			"bucket":                                  {Replace: true, Ref: toBucket},
			"expectedBucketOwner":                     {Replace: true, Refuse: noOtherOwners},
			"targetBucket":                            {Ref: &Ref{To: []string{bucketType}, Noun: "target bucket for logging", Missing: "InvalidTargetBucketForLogging"}},
			"targetPrefix":                            {AllowEmpty: true},
			"targetGrants":                            {Set: true, Refuse: "ACLs of objects are not supported"},
			"targetObjectKeyFormat":                   {},
			"targetObjectKeyFormat.simplePrefix":      {PresenceMatters: true},
			"targetObjectKeyFormat.partitionedPrefix": {},
			"targetObjectKeyFormat.partitionedPrefix.partitionDateSource": {},
		},
		Check: func(in Object, fail Fail) {
			if f := in.Object("targetObjectKeyFormat"); in.Known("targetObjectKeyFormat") && f.Has("simplePrefix") == f.Has("partitionedPrefix") {
				fail("targetObjectKeyFormat", "exactly one of simplePrefix and partitionedPrefix must be given")
			}
		},
		Verify: func(c *Call) error {
			target, _ := c.referencedObject("targetBucket")
			if targetRegion := Object(target.State).String("region"); targetRegion != c.Region {
				return refuse("CrossLocationLoggingProhibited", "Cross S3 location logging not allowed: %s is in %s, the bucket in %s", target.ID, targetRegion, c.Region)
			}
			return verifyBucketRegion(c)
		},
	},
)

// fillS3Object computes the etag of an S3 object and AWS's defaults.
func fillS3Object(c *Call) error {
	body, err := readObjectContent(c.In)
	if err != nil {
		return err
	}
	sum := md5.Sum(body) //nolint:gosec // S3's etag is an MD5
	c.Out["etag"] = hex.EncodeToString(sum[:])
	c.Out.setDefaults(map[string]any{"contentType": "application/octet-stream", "storageClass": "STANDARD"})
	return nil
}

// readObjectContent returns the content of an S3 object, from the inputs or from a file. The
// path of a file is relative to the program's folder, which is also the working directory of
// plugins.
func readObjectContent(in Object) ([]byte, error) {
	switch asset := in.Object("source"); {
	case in.Has("contentBase64"):
		body, err := base64.StdEncoding.DecodeString(in.String("contentBase64"))
		if err != nil {
			return nil, fmt.Errorf("contentBase64: %w", err)
		}
		return body, nil
	case asset.Has("path"):
		body, err := os.ReadFile(asset.String("path"))
		if err != nil {
			return nil, fmt.Errorf("source: %w", err)
		}
		return body, nil
	case asset.Has("text"):
		return []byte(asset.String("text")), nil
	case asset != nil:
		return nil, refuse("InvalidArgument", "source: the stand-in accepts a file or a string, and downloads nothing")
	}
	return []byte(in.String("content")), nil
}
