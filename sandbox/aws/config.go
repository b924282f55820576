package aws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// config is the part of the provider's configuration that the stand-in uses.
type config struct {
	region      string
	account     string
	role        string
	defaultTags map[string]any
}

// configKeys are the keys of the provider's configuration that the stand-in accepts. A key with
// the value true has an effect. A key with the value false has no effect, because it only
// concerns the connection to AWS. All other keys are refused, because they could connect a
// user to a real account.
var configKeys = map[string]bool{
	"region": true, "defaultTags": true, "allowedAccountIds": true, "forbiddenAccountIds": true, "assumeRole": true,
	// Only the program sets tags in a sandbox, so there are no tags to ignore.
	"ignoreTags": false,
	"profile":    false, "maxRetries": false, "retryMode": false, "stsRegion": false,
	"skipCredentialsValidation": false, "skipMetadataApiCheck": false, "skipRegionValidation": false, "skipRequestingAccountId": false,
	"useDualstackEndpoint": false, "useFipsEndpoint": false, "tokenBucketRateLimiterCapacity": false,
}

// engineKeys are keys that the engine adds to a provider's properties.
var engineKeys = []string{"version", "pluginDownloadURL", "pluginChecksums", "__internal"}

// parseConfig parses a provider's properties. Pulumi passes every value that is not a string as
// JSON in a string. The result has a failure for each refused property.
func parseConfig(props map[string]any) (config, []rules.Failure, error) {
	out := config{account: rules.Account}
	s, _, err := schema.LookupResource(schema.ProviderToken)
	if err != nil {
		return out, nil, err
	}
	var failures []rules.Failure
	fail := func(path, format string, args ...any) {
		failures = append(failures, rules.Failure{Path: path, Reason: fmt.Sprintf(format, args...)})
	}
	values := map[string]any{}
	for name, v := range props {
		if slices.Contains(engineKeys, name) {
			continue
		}
		if _, accepted := configKeys[name]; !accepted {
			if _, exists := s.Inputs[name]; exists {
				fail(name, "the AWS stand-in does not accept this key of the provider's configuration: add it to sandbox/aws/config.go if it can't lead to a real account")
			} else {
				fail(name, "the AWS provider has no such key of configuration")
			}
			continue
		}
		values[name] = decodeJSON(strings.TrimSuffix(s.Inputs[name], "?"), v)
	}
	for _, p := range schema.CheckInputs(s.Inputs, s.Object, values) {
		fail(p.Path, "%s", p.Reason)
	}
	if len(failures) > 0 {
		return out, failures, nil
	}
	object := rules.Object(values)
	out.region = configuredRegion(object)
	if !wire.IsUnknown(values["region"]) && !rules.HasRegion(out.region) {
		fail("region", "%q: the AWS stand-in supports %s (sandbox/aws/rules/regions.go)", out.region, strings.Join(rules.Regions(), ", "))
	}
	if tags, ok := object.Object("defaultTags")["tags"].(map[string]any); ok {
		out.defaultTags = tags
	}
	// Without credentials the account is not known, so the stand-in uses the first
	// allowed account.
	if allowed := object.Strings("allowedAccountIds"); len(allowed) > 0 {
		out.account = allowed[0]
	}
	if assumed := object.Object("assumeRole"); len(assumed) > 0 {
		out.role = assumed.String("roleArn")
		for name := range assumed {
			if name != "roleArn" {
				fail("assumeRole."+name, "the AWS stand-in evaluates no trust policy, so it accepts roleArn only")
			}
		}
		if !strings.HasPrefix(out.role, "arn:"+rules.Partition+":iam::"+out.account+":role/") {
			fail("assumeRole.roleArn", "AWS account ID not allowed: %q is not a role of account %s", out.role, out.account)
		}
	}
	if slices.Contains(object.Strings("forbiddenAccountIds"), out.account) {
		fail("forbiddenAccountIds", "AWS account ID not allowed: %s", out.account)
	}
	return out, failures, nil
}

// configuredRegion returns the region in the provider's configuration, or else the region in the
// environment. The real provider uses the same order.
func configuredRegion(o rules.Object) string {
	return cmp.Or(o.String("region"), os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
}

// decodeJSON decodes a value that Pulumi passes as JSON in a string. typ is the type of the
// property. A value of the type string is returned unchanged.
func decodeJSON(typ string, v any) any {
	text, ok := v.(string)
	if !ok || typ == "string" {
		return v
	}
	var out any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return v // the schema check reports the wrong type
	}
	return out
}
