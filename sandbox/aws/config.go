package aws

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// config is what the stand-in takes from the provider's configuration.
type config struct {
	region      string
	account     string
	defaultTags map[string]any
}

// configKeys are the keys of the provider's configuration that the stand-in
// accepts; those with a false do nothing here, because they say how AWS is
// reached. All others are refused: they lead to a real account.
var configKeys = map[string]bool{
	"region": true, "defaultTags": true, "allowedAccountIds": true, "forbiddenAccountIds": true,
	// Nobody but the program tags anything here.
	"ignoreTags": false,
	"profile":    false, "maxRetries": false, "retryMode": false, "stsRegion": false,
	"skipCredentialsValidation": false, "skipMetadataApiCheck": false, "skipRegionValidation": false, "skipRequestingAccountId": false,
	"useDualstackEndpoint": false, "useFipsEndpoint": false, "tokenBucketRateLimiterCapacity": false,
}

// engineKeys are put among a provider's properties by the engine itself.
var engineKeys = []string{"version", "pluginDownloadURL", "pluginChecksums", "__internal"}

// parseConfig reads a provider's properties. In stack configuration and in
// the SDKs, whatever is not a string is JSON in a string.
func parseConfig(props map[string]any) (config, []rules.Failure, error) {
	out := config{account: rules.Account}
	s, _, err := schema.ResourceOf(schema.ProviderToken)
	if err != nil {
		return out, nil, err
	}
	var failures []rules.Failure
	fail := func(path, format string, args ...any) {
		failures = append(failures, rules.Failure{Path: path, Reason: fmt.Sprintf(format, args...)})
	}
	known := map[string]any{}
	for name, v := range props {
		if slices.Contains(engineKeys, name) {
			continue
		}
		if _, accepted := configKeys[name]; !accepted {
			if _, real := s.Inputs[name]; real {
				fail(name, "the AWS stand-in does not take this key of the provider's configuration: add it to sandbox/aws/config.go if it can't lead to a real account")
			} else {
				fail(name, "the AWS provider has no such key of configuration")
			}
			continue
		}
		known[name] = decoded(strings.TrimSuffix(s.Inputs[name], "?"), v)
	}
	for _, p := range schema.Inputs(s.Inputs, s.Object, known) {
		fail(p.Path, "%s", p.Reason)
	}
	if len(failures) > 0 {
		return out, failures, nil
	}
	o := rules.Object(known)
	out.region = region(o)
	if !wire.IsUnknown(known["region"]) && !rules.KnownRegion(out.region) {
		fail("region", "%q: the AWS stand-in knows %s (sandbox/aws/rules/regions.go)", out.region, strings.Join(rules.Regions(), ", "))
	}
	if tags, ok := o.Object("defaultTags")["tags"].(map[string]any); ok {
		out.defaultTags = tags
	}
	// There are no credentials that would say which account this is, so that
	// the stand-in acts in the one that the configuration insists on.
	if allowed := o.Strings("allowedAccountIds"); len(allowed) > 0 {
		out.account = allowed[0]
	}
	if slices.Contains(o.Strings("forbiddenAccountIds"), out.account) {
		fail("forbiddenAccountIds", "AWS account ID not allowed: %s", out.account)
	}
	return out, failures, nil
}

// region is the configured one, or the one of the environment, as with the
// real provider.
func region(o rules.Object) string {
	for _, name := range []string{o.String("region"), os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")} {
		if name != "" {
			return name
		}
	}
	return ""
}

// decoded undoes the JSON in a string.
func decoded(typ string, v any) any {
	text, ok := v.(string)
	if !ok || typ == "string" {
		return v
	}
	var out any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return v // of the wrong type, which the schema reports
	}
	return out
}
