package models

// newerValues has allowed values that are not in the models of July 2024. A key is a key of
// Table.Enums. The pages are below docs.aws.amazon.com.
var newerValues = map[string][]string{
	// autoscaling/ec2/APIReference/API_InstanceRequirements.html
	"autoscaling.CpuManufacturer": {"apple"},
	"ec2.CpuManufacturer":         {"apple"},
	// AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html
	"cloudfront.MinimumProtocolVersion": {"TLSv1.2_2025", "TLSv1.3_2025"},
	// Route53/latest/DeveloperGuide/ResourceRecordTypes.html
	"route53.RRType": {"HTTPS", "SSHFP", "SVCB", "TLSA"},
	// AmazonS3/latest/userguide/acl-overview.html, "Canned ACL"; the model leaves it out.
	"s3.BucketCannedACL": {"log-delivery-write"},
	// The provider accepts this value and does not send it to AWS
	// (terraform-provider-aws, internal/service/s3/bucket_versioning.go).
	"s3.BucketVersioningStatus": {"Disabled"},
}

// newerMin has minimums that AWS has changed since July 2024. A key is a Limit.From.
var newerMin = map[string]float64{
	// waf/latest/APIReference/API_RateBasedStatement.html, since 2024-08
	"wafv2 RateBasedStatement.Limit": 10,
}
