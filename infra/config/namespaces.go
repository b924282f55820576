package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The namespaces of keys other than the project's own, and the key of the region.
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
	"allowedAccountIds":         oneAccountReason,
	"forbiddenAccountIds":       oneAccountReason,
	"assumeRoles":               assumedRoleReason,
	"assumeRoleWithWebIdentity": assumedRoleReason,

	"sharedConfigFiles":              variableReason("AWS_CONFIG_FILE"),
	"sharedCredentialsFiles":         variableReason("AWS_SHARED_CREDENTIALS_FILE"),
	"maxRetries":                     variableReason("AWS_MAX_ATTEMPTS"),
	"retryMode":                      variableReason("AWS_RETRY_MODE"),
	"useFipsEndpoint":                variableReason("AWS_USE_FIPS_ENDPOINT"),
	"useDualstackEndpoint":           variableReason("AWS_USE_DUALSTACK_ENDPOINT"),
	"customCaBundle":                 variableReason("AWS_CA_BUNDLE"),
	"httpProxy":                      variableReason("HTTP_PROXY"),
	"httpsProxy":                     variableReason("HTTPS_PROXY"),
	"noProxy":                        variableReason("NO_PROXY"),
	"stsRegion":                      "the provider uses STS of the stack's own region: remove it",
	"ec2MetadataServiceEndpoint":     variableReason("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
	"ec2MetadataServiceEndpointMode": variableReason("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),

	"endpoints":                      realAWSReason,
	"insecure":                       realAWSReason,
	"s3UsePathStyle":                 realAWSReason,
	"s3UsEast1RegionalEndpoint":      realAWSReason,
	"skipCredentialsValidation":      realAWSReason,
	"skipMetadataApiCheck":           realAWSReason,
	"skipRegionValidation":           realAWSReason,
	"skipRequestingAccountId":        realAWSReason,
	"tokenBucketRateLimiterCapacity": "the program keeps the provider's own limit: remove it",
}

const (
	oneAccountReason  = "every account but progressive-framework:account, which is required, is refused already: remove it"
	assumedRoleReason = "is not passed on, because the kubeconfig's `aws eks get-token` would have another identity: write a profile with role_arn in AWS's config file, and set aws:profile"
	realAWSReason     = "is for servers that imitate AWS, and this program deploys to AWS only: remove it"
)

// variableReason returns the reason for a key that an environment variable replaces.
func variableReason(name string) string {
	return "is not passed on: set " + name + " in the environment, which both the provider and the command aws read"
}

// engineKeys are the keys of namespace pulumi that the engine reads.
var engineKeys = []string{"autonaming", "disable-default-providers", "env", "tags", "template"}

// refusedNamespaces are namespaces that a person may try, each with the reason why nothing reads
// its keys.
var refusedNamespaces = map[string]string{
	"kubernetes": "no key of the Kubernetes provider is read, because the program configures the provider of its own cluster: remove it",
	"ko":         "the image provider has no configuration: remove it",
}

// readAll reads every key of a stack's configuration. A key that nothing reads
// is refused.
func (r *reader) readAll(s *Stack, values map[string]string, secretKeys []string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		namespace, name, _ := strings.Cut(key, ":")
		keyPath := field.NewPath(key)
		switch {
		case slices.Contains(secretKeys, key) && (namespace == Project || namespace == awsNamespace):
			// The value is not read: no error may show it.
			r.setKeys[key] = true
			r.addProblem(field.Forbidden(keyPath, "is set with --secret, as a whole or in a member, but no key of the configuration is secret: "+
				"the program would write the value in clear text into the state. Set it again without --secret; passwords are generated"))
		case namespace == Project:
			r.readKey(keyPath, "", name, reflect.ValueOf(s).Elem(), values[key])
		case key == regionKey:
			r.read(keyPath, "", "", reflect.ValueOf(&s.Region).Elem(), values[key])
		case namespace == awsNamespace:
			if why, refused := refusedAWS[name]; refused {
				r.addProblem(field.Forbidden(keyPath, why))
				continue
			}
			r.readKey(keyPath, awsNamespace, name, reflect.ValueOf(&s.AWS).Elem(), values[key])
		case namespace == pulumiNamespace:
			if !slices.Contains(engineKeys, name) {
				r.addProblem(field.Forbidden(keyPath, "Pulumi's engine has no such key"+keyHint(name, engineKeys)))
			}
		default:
			r.addProblem(field.Forbidden(keyPath, unreadReason(namespace, name)))
		}
	}
}

// unreadReason returns the reason why nothing reads a key of a namespace.
func unreadReason(namespace, name string) string {
	if why, known := refusedNamespaces[namespace]; known {
		return why
	}
	namespaces := []string{Project, awsNamespace, pulumiNamespace}
	if nearest := nearestName(namespace, namespaces); nearest != "" {
		return fmt.Sprintf("nothing reads the namespace %q; did you mean %q?", namespace, nearest+":"+name)
	}
	return fmt.Sprintf("nothing reads the namespace %q; the program reads %s: and %s:", namespace, Project, awsNamespace)
}

// readKey reads a top-level key into the field of v that has this key. namespace is "aws", or "" for
// the project's own keys. name is the key without its namespace.
func (r *reader) readKey(keyPath *field.Path, namespace, name string, v reflect.Value, text string) {
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
		raw, err := parseValue(v.Field(i).Type(), text)
		if err != nil {
			r.setKeys[keyPath.String()] = true
			r.addProblem(field.TypeInvalid(keyPath, text, err.Error()))
			return
		}
		r.read(keyPath, join(namespace, key), "", v.Field(i), raw)
		return
	}
	if namespace == awsNamespace {
		// The hint may name a refused key: the error of that key then says what to do.
		known = append(slices.Collect(maps.Keys(refusedAWS)), append(known, "region")...)
	}
	r.addProblem(field.Forbidden(keyPath, "no such key"+r.hintFor(namespace, name, known)))
}

// hintFor returns the end of an error message that suggests the key that was probably meant. It is
// empty if no key is similar. It also finds a key in an object by its path, such as network.cidr
// without --path, or by its last part, such as cidr.
func (r *reader) hintFor(pattern, name string, known []string) string {
	if fullKey := keyInOtherNamespace(pattern, name); fullKey != "" {
		return fmt.Sprintf("; did you mean %q?", fullKey)
	}
	if pattern != "" {
		return keyHint(name, known)
	}
	for _, p := range keyPaths() {
		if p == name {
			return fmt.Sprintf("; it is in an object: use `pulumi config set --path %s:%s`", Project, p)
		}
	}
	if nearestName(name, known) == "" {
		for _, p := range keyPaths() {
			if strings.HasSuffix(p, "."+name) && !strings.Contains(p, "*") {
				return fmt.Sprintf("; did you mean %q?", p)
			}
		}
	}
	return keyHint(name, known)
}

// keyInOtherNamespace returns the full key if a namespace other than that of pattern has a key with
// this name. Otherwise it returns "".
func keyInOtherNamespace(pattern, name string) string {
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

// keyPaths returns the paths of the keys at every depth, without namespace and with * for a name.
func keyPaths() []string {
	var paths []string
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
		paths = append(paths, prefix)
	}
	walk("", reflect.TypeFor[Stack]())
	return paths
}
