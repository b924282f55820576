package rules

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

const (
	distributionType = "aws:cloudfront/distribution:Distribution"
	noLegacySettings = "legacy cache settings have no rules; use cachePolicyId"
	noRules          = "no rules yet"
)

// distributionZoneID is the id of the hosted zone that all distributions share
// (general/latest/gr/cf_region.html).
const distributionZoneID = "Z2FDTNDATAQYW2"

// The lists of HTTP methods that CloudFront accepts in a cache behaviour.
var (
	readMethods    = []any{"GET", "HEAD"}
	optionsMethods = []any{"GET", "HEAD", "OPTIONS"}
	allMethods     = []any{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
)

// cacheBehaviorProps returns the property rules of the cache behaviour at a path.
func cacheBehaviorProps(path string) Props {
	out := Props{}
	for name, p := range (Props{
		"targetOriginId":                   {Required: true, Valid: length(1, 128)},
		"viewerProtocolPolicy":             {},
		"allowedMethods":                   {Required: true, Set: true},
		"cachedMethods":                    {Required: true, Set: true},
		"cachePolicyId":                    {Required: true, Ref: toCachePolicy},
		"originRequestPolicyId":            {Ref: toOriginRequestPolicy},
		"responseHeadersPolicyId":          {Ref: toResponseHeadersPolicy},
		"compress":                         {Default: false},
		"functionAssociations":             {Set: true, Max: 2},
		"functionAssociations.eventType":   {Enum: []string{"viewer-request", "viewer-response"}},
		"functionAssociations.functionArn": {Valid: checkARN, Ref: toEdgeFunction},
		"forwardedValues":                  {Refuse: noLegacySettings},
		"minTtl":                           {Refuse: noLegacySettings},
		"defaultTtl":                       {Computed: true, Refuse: noLegacySettings},
		"maxTtl":                           {Computed: true, Refuse: noLegacySettings},
		"smoothStreaming":                  {Refuse: noRules},
		"fieldLevelEncryptionId":           {Refuse: noRules},
		"grpcConfig":                       {Computed: true, Refuse: noRules},
		"lambdaFunctionAssociations":       {Set: true, Refuse: unsupportedReference},
		"realtimeLogConfigArn":             {Refuse: unsupportedReference},
		"trustedKeyGroups":                 {Computed: true, Refuse: unsupportedReference},
		"trustedSigners":                   {Computed: true, Refuse: unsupportedReference},
	}) {
		out[path+"."+name] = p
	}
	return out
}

var _ = registerRows(&Row{
	Token:  distributionType,
	Source: "cloudfront/distribution.go", Page: "cloudfront/latest/APIReference/API_DistributionConfig.html",
	Label: "CloudFront Distribution", Global: true, ID: "E{id13}", NotFound: "NoSuchDistribution",
	Props: Props{
		"enabled":                           {},
		"aliases":                           {Set: true, Valid: checkDomainName},
		"comment":                           {Valid: length(0, 128)},
		"defaultRootObject":                 {Valid: all(length(0, 255), withoutPrefix("/"))},
		"httpVersion":                       {Default: "http2"},
		"isIpv6Enabled":                     {Default: false},
		"priceClass":                        {Default: "PriceClass_All"},
		"retainOnDelete":                    {Default: false},
		"waitForDeployment":                 {Default: true},
		"staging":                           {Replace: true, Default: false, Refuse: noRules},
		"continuousDeploymentPolicyId":      {Computed: true, Refuse: unsupportedReference},
		"webAclId":                          {Valid: checkARN, Ref: toWebACL},
		"defaultCacheBehavior":              {},
		"orderedCacheBehaviors":             {},
		"orderedCacheBehaviors.pathPattern": {Valid: length(1, 255)},
		"customErrorResponses":              {Set: true},
		"customErrorResponses.errorCode":    {Valid: oneOf(400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)},
		"customErrorResponses.errorCachingMinTtl":     {Valid: numbers(0, 1<<31-1)},
		"customErrorResponses.responseCode":           {Valid: oneOf(200, 400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)},
		"customErrorResponses.responsePagePath":       {Valid: pattern(`/.*`, "a path that begins with /")},
		"loggingConfig":                               {},
		"loggingConfig.bucket":                        {Ref: toStandardLogBucket},
		"loggingConfig.includeCookies":                {Default: false},
		"loggingConfig.prefix":                        {AllowEmpty: true, AllowOmitted: true, Valid: withoutPrefix("/")},
		"restrictions":                                {},
		"restrictions.geoRestriction":                 {},
		"restrictions.geoRestriction.locations":       {Set: true, Computed: true, Valid: pattern(`[A-Z]{2}`, "a country's code of two capitals")},
		"restrictions.geoRestriction.restrictionType": {},
		"originGroups":                                {Set: true, Refuse: noRules},
	}.with(cacheBehaviorProps("defaultCacheBehavior"), cacheBehaviorProps("orderedCacheBehaviors"), originProps, viewerCertificateProps),
	Check: func(in Object, fail Fail) {
		checkBehavior(in.Object("defaultCacheBehavior"), "defaultCacheBehavior", fail)
		for i, b := range in.Objects("orderedCacheBehaviors") {
			checkBehavior(b, fmt.Sprintf("orderedCacheBehaviors[%d]", i), fail)
		}
		checkOrigins(in, fail)
		if !wire.IsUnknown(in["viewerCertificate"]) {
			checkViewerCertificate(in.Object("viewerCertificate"), fail)
		}
		for i, e := range in.Objects("customErrorResponses") {
			if e.hasExactlyOne("responseCode", "responsePagePath") {
				fail(fmt.Sprintf("customErrorResponses[%d]", i), "responseCode and responsePagePath go together")
			}
		}
		geo := in.Object("restrictions").Object("geoRestriction")
		hasLocations := len(geo.Strings("locations")) > 0
		if kind := geo.String("restrictionType"); kind != "" && geo.Known("locations") && hasLocations == (kind == "none") {
			fail("restrictions.geoRestriction.locations", "must be given if restrictionType is blacklist or whitelist, and omitted if it is none")
		}
	},
	Outputs: map[string]string{
		"arn": cloudfrontARN + "distribution/{id}", "etag": "E{id13}", "hostedZoneId": distributionZoneID,
	},
	Volatile: []string{"etag", "lastModifiedTime"},
	Verify: func(c *Call) error {
		for _, verify := range []func(*Call) error{verifyBehaviors, verifyOrigins, verifyAliases, verifyViewerCertificate, verifyLogBucket} {
			if err := verify(c); err != nil {
				return err
			}
		}
		return nil
	},
	Fill:         fillDistribution,
	BeforeDelete: retainDistribution,
})

// checkBehavior reports failures for sets of HTTP methods that CloudFront does not allow
// in a cache behaviour.
func checkBehavior(b Object, path string, fail Fail) {
	for name, sets := range map[string][][]any{
		"allowedMethods": {readMethods, optionsMethods, allMethods}, "cachedMethods": {readMethods, optionsMethods},
	} {
		allowed := !b.Known(name) // an unknown value is not refused
		for _, set := range sets {
			allowed = allowed || canonicalText(b[name], sortLists) == canonicalText(set, sortLists)
		}
		if !allowed {
			fail(path+"."+name, "are %v, must be one of %v", b[name], sets)
		}
	}
}

// verifyBehaviors returns an error if two behaviours have the same path, an origin does not
// exist, or a function is not published.
func verifyBehaviors(c *Call) error {
	originIDs := map[string]bool{}
	for _, o := range c.In.Objects("origins") {
		originIDs[o.String("originId")] = true
	}
	seenPaths := map[string]bool{}
	for _, b := range append([]Object{c.In.Object("defaultCacheBehavior")}, c.In.Objects("orderedCacheBehaviors")...) {
		if id := b.String("targetOriginId"); !originIDs[id] {
			return refuse("NoSuchOrigin", "One or more of your origins or origin groups do not exist: %s", id)
		}
		path := b.String("pathPattern")
		if seenPaths[path] {
			return refuse(cloudfrontInvalidArgument, "The parameter PathPattern contains %s more than once", path)
		}
		seenPaths[path] = true
	}
	for _, path := range []string{"defaultCacheBehavior", "orderedCacheBehaviors"} {
		for _, f := range c.referencedObjects(path + ".functionAssociations.functionArn") {
			if Object(f.State).String("status") == "UNPUBLISHED" {
				return refuse("InvalidFunctionAssociation", "The function %s must be published before it is associated", f.ID)
			}
		}
	}
	return nil
}

// fillDistribution computes the status and the time of the last change. At the creation, it
// also computes the other values that CloudFront chooses.
func fillDistribution(c *Call) error {
	now := c.Now().UTC()
	c.Out["lastModifiedTime"] = now.Format("2006-01-02 15:04:05.000 +0000 UTC")
	c.Out["status"] = "Deployed"
	if !c.In.Bool("waitForDeployment") {
		c.Out["status"] = "InProgress"
	}
	if c.Old != nil {
		return nil
	}
	label, err := randomID(13)
	if err != nil {
		return err
	}
	disabled := func() []any { return []any{map[string]any{"enabled": false}} }
	maps.Copy(c.Out, Object{
		"domainName": "d" + strings.ToLower(label) + ".cloudfront.net", "inProgressValidationBatches": 0.0,
		"callerReference": "terraform-" + now.Format(time.RFC3339Nano), "trustedSigners": disabled(), "trustedKeyGroups": disabled(),
	})
	return nil
}

// retainDistribution disables a distribution with retainOnDelete instead of deleting it,
// as the provider does.
func retainDistribution(c *Call) error {
	if !c.Old.Bool("retainOnDelete") {
		return nil
	}
	object, _ := c.Tx.Get(c.key())
	object.State["enabled"] = false
	c.Tx.Put(object)
	return errKept
}

// distributionAt returns the distribution with a domain name of CloudFront, such as
// d111111abcdef8.cloudfront.net. ok is false if there is no such distribution.
func (c *Call) distributionAt(domain string) (found store.Object, ok bool) {
	c.Tx.Each(c.scope(rows[distributionType]), distributionType, func(o store.Object) bool {
		found, ok = o, o.State["domainName"] == domain
		return !ok
	})
	return found, ok
}
