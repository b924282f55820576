package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The refusedNamespaces of keys other than the project's own.
const (
	awsNamespace    = "aws"
	regionKey       = awsNamespace + ":region"
	pulumiNamespace = "pulumi"
)

// refusedAWS are keys of the AWS provider that this program does not pass on, each with what to do
// instead. The program creates its own provider, which would ignore such a key without an error.
var refusedAWS = map[string]string{
	"accessKey":                 "credentials do not belong into a stack's configuration: set aws:profile, or AWS_ACCESS_KEY_ID in the environment",
	"secretKey":                 "credentials do not belong into a stack's configuration: set aws:profile, or AWS_SECRET_ACCESS_KEY in the environment",
	"token":                     "credentials do not belong into a stack's configuration: set aws:profile, or AWS_SESSION_TOKEN in the environment",
	"allowedAccountIds":         oneAccount,
	"forbiddenAccountIds":       oneAccount,
	"assumeRoles":               assumedRole,
	"assumeRoleWithWebIdentity": assumedRole,

	"sharedConfigFiles":              byVariable("AWS_CONFIG_FILE"),
	"sharedCredentialsFiles":         byVariable("AWS_SHARED_CREDENTIALS_FILE"),
	"maxRetries":                     byVariable("AWS_MAX_ATTEMPTS"),
	"retryMode":                      byVariable("AWS_RETRY_MODE"),
	"useFipsEndpoint":                byVariable("AWS_USE_FIPS_ENDPOINT"),
	"useDualstackEndpoint":           byVariable("AWS_USE_DUALSTACK_ENDPOINT"),
	"customCaBundle":                 byVariable("AWS_CA_BUNDLE"),
	"httpProxy":                      byVariable("HTTP_PROXY"),
	"httpsProxy":                     byVariable("HTTPS_PROXY"),
	"noProxy":                        byVariable("NO_PROXY"),
	"stsRegion":                      "the provider uses STS of the stack's own region: take it out",
	"ec2MetadataServiceEndpoint":     byVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
	"ec2MetadataServiceEndpointMode": byVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),

	"endpoints":                      realAWS,
	"insecure":                       realAWS,
	"s3UsePathStyle":                 realAWS,
	"s3UsEast1RegionalEndpoint":      realAWS,
	"skipCredentialsValidation":      realAWS,
	"skipMetadataApiCheck":           realAWS,
	"skipRegionValidation":           realAWS,
	"skipRequestingAccountId":        realAWS,
	"tokenBucketRateLimiterCapacity": "the program keeps the provider's own limit: take it out",
}

const (
	oneAccount  = "every account but progressive-framework:account, which is required, is refused already: take it out"
	assumedRole = "is not passed on, because the kubeconfig's `aws eks get-token` would have another identity: write a profile with role_arn in AWS's config file, and set aws:profile"
	realAWS     = "is for servers that imitate AWS, and this program deploys to AWS only: take it out"
)

// byVariable returns the reason for a key that an environment variable replaces.
func byVariable(name string) string {
	return "is not passed on: set " + name + " in the environment, which both the provider and the command aws read"
}

// engineKeys are the keys of namespace pulumi that the engine reads.
var engineKeys = []string{"autonaming", "disable-default-providers", "env", "tags", "template"}

// refusedNamespaces are refusedNamespaces that a person may try, each with the reason why nothing reads
// its keys.
var refusedNamespaces = map[string]string{
	"kubernetes": "no key of the Kubernetes provider is read, because the program configures the provider of its own cluster: take it out",
	"ko":         "the image provider has no configuration: take it out",
}

// readAll reads every key of a stack's configuration. A key that nothing reads
// is refused.
func (r *reader) readAll(s *Stack, values map[string]string, secret []string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		namespace, name, _ := strings.Cut(key, ":")
		at := field.NewPath(key)
		switch {
		case slices.Contains(secret, key) && (namespace == Project || namespace == awsNamespace):
			// The value is not read: no error may show it.
			r.given[key] = true
			r.refuse(field.Forbidden(at, "is set with --secret, as a whole or in a member, but no key of the configuration is secret: "+
				"the program would write the value in clear text into the state. Set it again without --secret; passwords are generated"))
		case namespace == Project:
			r.readKey(at, "", name, reflect.ValueOf(s).Elem(), values[key])
		case key == regionKey:
			r.read(at, "", "", reflect.ValueOf(&s.Region).Elem(), values[key])
		case namespace == awsNamespace:
			if why, refused := refusedAWS[name]; refused {
				r.refuse(field.Forbidden(at, why))
				continue
			}
			r.readKey(at, "aws", name, reflect.ValueOf(&s.AWS).Elem(), values[key])
		case namespace == pulumiNamespace:
			if !slices.Contains(engineKeys, name) {
				r.refuse(field.Forbidden(at, "Pulumi's engine has no such key"+hint(name, engineKeys)))
			}
		default:
			r.refuse(field.Forbidden(at, unread(namespace, name)))
		}
	}
}

// unread returns the reason why nothing reads a key of a namespace.
func unread(namespace, name string) string {
	if why, known := refusedNamespaces[namespace]; known {
		return why
	}
	all := []string{Project, awsNamespace, pulumiNamespace}
	if nearest := near(namespace, all); nearest != "" {
		return fmt.Sprintf("nothing reads the namespace %q; did you mean %q?", namespace, nearest+":"+name)
	}
	return fmt.Sprintf("nothing reads the namespace %q; the program reads %s: and %s:", namespace, Project, awsNamespace)
}

// readKey reads a top-level key of a namespace into the member of v that has
// the same name.
func (r *reader) readKey(at *field.Path, pattern, name string, v reflect.Value, text string) {
	var known []string
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("key")
		if key == "" {
			continue
		}
		known = append(known, key)
		if key != name {
			continue
		}
		raw, err := parse(v.Field(i).Type(), text)
		if err != nil {
			r.given[at.String()] = true
			r.refuse(field.TypeInvalid(at, text, err.Error()))
			return
		}
		r.read(at, join(pattern, key), "", v.Field(i), raw)
		return
	}
	if pattern == awsNamespace {
		known = append(slices.Collect(maps.Keys(refusedAWS)), append(known, "region")...)
	}
	r.refuse(field.Forbidden(at, "no such key"+r.hintAt(pattern, name, known)))
}

// hintAt returns a hint to the key that was probably meant. It also finds a key in an object by its
// path, such as network.cidr without --path, or by its last part, such as cidr.
func (r *reader) hintAt(pattern, name string, known []string) string {
	if full := elsewhere(pattern, name); full != "" {
		return fmt.Sprintf("; did you mean %q?", full)
	}
	if pattern != "" {
		return hint(name, known)
	}
	for _, p := range paths() {
		if p == name {
			return fmt.Sprintf("; it is in an object: use `pulumi config set --path %s:%s`", Project, p)
		}
	}
	if near(name, known) == "" {
		for _, p := range paths() {
			if strings.HasSuffix(p, "."+name) && !strings.Contains(p, "*") {
				return fmt.Sprintf("; did you mean %q?", p)
			}
		}
	}
	return hint(name, known)
}

// elsewhere returns the full key if another namespace than that of pattern has a key of this name.
func elsewhere(pattern, name string) string {
	namespace, t := awsNamespace, reflect.TypeFor[AWS]()
	if pattern == awsNamespace {
		namespace, t = Project, reflect.TypeFor[Stack]()
	}
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("key"); key != "" && key == name {
			return namespace + ":" + name
		}
	}
	if namespace+":"+name == regionKey {
		return regionKey
	}
	return ""
}

// paths lists the keys at every depth, without namespace and with * for a name.
func paths() []string {
	var all []string
	var walk func(prefix string, t reflect.Type)
	walk = func(prefix string, t reflect.Type) {
		switch t.Kind() {
		case reflect.Struct:
			for i := range t.NumField() {
				if key := t.Field(i).Tag.Get("key"); key != "" {
					walk(join(prefix, key), t.Field(i).Type)
				}
			}
			return
		case reflect.Map:
			walk(join(prefix, "*"), t.Elem())
			return
		}
		all = append(all, prefix)
	}
	walk("", reflect.TypeFor[Stack]())
	return all
}
