package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var toOriginAccessControl = &Ref{
	To: []string{originAccessControlType}, Noun: "origin access control", Missing: "NoSuchOriginAccessControl", InUseCode: "OriginAccessControlInUse",
}

// toStandardLogBucket is a reference to the bucket of access logs, by its host name.
var toStandardLogBucket = &Ref{
	To: []string{bucketType}, By: []string{"bucketDomainName", "bucketRegionalDomainName"}, Noun: "S3 bucket that you specified for CloudFront logs",
	Missing: cloudfrontInvalidArgument,
}

// maxOriginTimeout is the default quota of an origin's read timeout and of its keep-alive
// timeout, in seconds (AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
const maxOriginTimeout = 120

// originProps has the rules of a distribution's origins.
var originProps = Props{
	"origins":                                           {Set: true, Min: 1},
	"origins.originId":                                  {Valid: length(1, 128)},
	"origins.domainName":                                {Valid: checkDomainName},
	"origins.originPath":                                {Valid: pattern(`(?:/.*[^/])?`, "empty, or a path that begins with / and does not end with it")},
	"origins.connectionAttempts":                        {Default: 3.0, Valid: numbers(1, 3)},
	"origins.connectionTimeout":                         {Default: 10.0, Valid: numbers(1, 10)},
	"origins.originAccessControlId":                     {Ref: toOriginAccessControl},
	"origins.customHeaders":                             {Set: true, Max: 30},
	"origins.customHeaders.name":                        {Valid: all(length(1, 256), checkOriginHeader)},
	"origins.customHeaders.value":                       {Valid: length(1, 1783)},
	"origins.customOriginConfig":                        {},
	"origins.customOriginConfig.httpPort":               {Valid: checkOriginPort},
	"origins.customOriginConfig.httpsPort":              {Valid: checkOriginPort},
	"origins.customOriginConfig.originKeepaliveTimeout": {Default: 5.0, Valid: numbers(1, maxOriginTimeout)},
	"origins.customOriginConfig.originReadTimeout":      {Default: 30.0, Valid: numbers(1, maxOriginTimeout)},
	"origins.customOriginConfig.originProtocolPolicy":   {},
	"origins.customOriginConfig.originSslProtocols":     {Required: true, Set: true},
	"origins.originShield":                              {},
	"origins.originShield.enabled":                      {},
	"origins.originShield.originShieldRegion":           {Enum: shieldRegions},
	"origins.s3OriginConfig":                            {Refuse: "origin access identities are not supported; use originAccessControlId"},
	// cloudfront/latest/APIReference/API_VpcOriginConfig.html.
	"origins.vpcOriginConfig":                        {},
	"origins.vpcOriginConfig.vpcOriginId":            {Ref: toVPCOrigin},
	"origins.vpcOriginConfig.originKeepaliveTimeout": {Computed: true, Valid: numbers(1, maxOriginTimeout)},
	"origins.vpcOriginConfig.originReadTimeout":      {Computed: true, Valid: numbers(1, maxOriginTimeout)},
}

// shieldRegions are the regions with Origin Shield
// (AmazonCloudFront/latest/DeveloperGuide/origin-shield.html). The list was not checked
// against this page.
var shieldRegions = []string{
	"us-east-1", "us-east-2", "us-west-2", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "eu-central-1",
	"eu-west-1", "eu-west-2", "sa-east-1",
}

// refusedHeaders are headers that cannot be added to requests to an origin
// (AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html).
var refusedHeaders = []string{
	"authorization", "cache-control", "connection", "content-length", "cookie", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
	"if-unmodified-since", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "proxy-connection", "range", "request-range", "te",
	"trailer", "transfer-encoding", "upgrade", "via", "x-real-ip",
}

// checkOriginHeader returns a message unless v is the name of a header that CloudFront
// can add to requests to an origin.
func checkOriginHeader(v any) string {
	name, _ := v.(string)
	lower := strings.ToLower(name)
	if slices.Contains(refusedHeaders, lower) || strings.HasPrefix(lower, "x-amz-") || strings.HasPrefix(lower, "x-edge-") {
		return fmt.Sprintf("%q is a header that CloudFront can't add to origin requests", name)
	}
	return pattern(`[A-Za-z0-9!#$%&'*+.^_|~-]+`, "the name of an HTTP header")(v)
}

// checkOriginPort returns a message unless CloudFront allows the port for an origin
// (cloudfront/latest/APIReference/API_CustomOriginConfig.html).
func checkOriginPort(v any) string {
	if n, _ := v.(float64); n != 80 && n != 443 && (n < 1024 || n > 65535) {
		return fmt.Sprintf("is %v, must be 80, 443 or 1024 to 65535", n)
	}
	return ""
}

// bucketHostPattern matches the host name of a bucket that is an origin.
var bucketHostPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com$`)

// checkOrigins reports failures for two origins with the same id, and for an enabled
// Origin Shield without a region.
func checkOrigins(in Object, fail Fail) {
	seen := map[string]bool{}
	for i, o := range in.Objects("origins") {
		path := fmt.Sprintf("origins[%d]", i)
		if id := o.String("originId"); id != "" && seen[id] {
			fail(path+".originId", "%q is the id of another origin", id)
		}
		seen[o.String("originId")] = true
		if shield := o.Object("originShield"); shield.Bool("enabled") && !shield.Has("originShieldRegion") {
			fail(path+".originShield.originShieldRegion", "must be given for an enabled shield")
		}
	}
}

// verifyOrigins returns an error for:
//
//   - an origin with both vpcOriginConfig and customOriginConfig
//   - an origin that is neither a bucket nor a VPC origin, and has no customOriginConfig
//   - a VPC origin that cannot serve requests
//   - an origin access control for another type of origin
func verifyOrigins(c *Call) error {
	for _, o := range c.In.Objects("origins") {
		if o.Has("vpcOriginConfig") {
			if o.Has("customOriginConfig") {
				return refuse(cloudfrontInvalidArgument, "The origin %s has both vpcOriginConfig and customOriginConfig", o.String("originId"))
			}
			if err := verifyVPCOriginReachable(c, o); err != nil {
				return err
			}
			continue
		}
		isCustom, isBucket := o.Has("customOriginConfig"), bucketHostPattern.MatchString(o.String("domainName"))
		if !isCustom && !isBucket {
			return refuse(cloudfrontInvalidArgument, "The parameter Origin DomainName does not refer to a valid S3 bucket: %s; other origins need customOriginConfig",
				o.String("domainName"))
		}
		control, hasControl := c.resolve(toOriginAccessControl, o.String("originAccessControlId"))
		controlIsForBuckets := control.State["originAccessControlOriginType"] == "s3"
		if hasControl && controlIsForBuckets == isCustom {
			return refuse(cloudfrontInvalidArgument, "The origin access control %s is for origins of the type %v, and the origin %s has another type",
				control.ID, control.State["originAccessControlOriginType"], o.String("originId"))
		}
	}
	return nil
}

// verifyLogBucket returns an error for a log bucket with disabled ACLs, because CloudFront
// writes logs with an ACL. The error text is from public bug reports.
func verifyLogBucket(c *Call) error {
	bucket, ok := c.referencedObject("loggingConfig.bucket")
	if ok && !c.aclsEnabled(bucket.ID) {
		return refuse(cloudfrontInvalidArgument, "The S3 bucket that you specified for CloudFront logs does not enable ACL access: %s",
			c.In.Object("loggingConfig").String("bucket"))
	}
	return nil
}
