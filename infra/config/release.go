package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/signkey"
)

// Release is what a promotion has written: the images that another stack built and
// signed. The stack then copies them and builds none. See docs/promotion.md.
type Release struct {
	// The git commit of the promoted program: 40 hexadecimal digits.
	Commit string `key:"commit" unset:"the stack builds its images"`
	// When it was promoted, such as `2026-12-01T10:00:00Z`, in quotes.
	At string `key:"at" unset:"required with release.images"`
	// The stack that built the images.
	From string `key:"from" unset:"required with release.images"`
	// Where that stack's images are: `REGISTRY/PREFIX`. The image `web` is in
	// `REGISTRY/PREFIX/web`.
	Repository string `key:"repository" unset:"required with release.images"`
	// No gate has judged the release: previews show it, and `pulumi up` refuses it.
	// `pf promote --draft` writes such a release.
	Draft bool `key:"draft"`
	// The digest of each image that the stack runs, by its short name, such as `web`.
	Images map[string]string `key:"images" unset:"the stack builds its images"`
}

// The short names of the images that are neither a service nor the migration.
const (
	// RedisAgentImage is the image of the agent of each Redis node in the cluster.
	RedisAgentImage = "redisnode"
	// WebhookCertificateImage is the image of the job that creates VPA's certificate.
	WebhookCertificateImage = "webhookcert"
	// DatabaseExporterImage is the image of the exporter of PostgreSQL's metrics.
	DatabaseExporterImage = "pgexporter"
	// ForecasterImage is the image of the forecaster.
	ForecasterImage = "forecaster"
)

// Promoted reports whether the stack runs the images of a promotion.
func (s *Stack) Promoted() bool { return len(s.Release.Images) > 0 }

// Source returns a promoted image as REPOSITORY@DIGEST. image is its short name, such as web.
func (r Release) Source(image string) string {
	return r.Repository + "/" + image + "@" + r.Images[image]
}

// imageNames returns the short names of the images that the program builds or promotes.
func (s *Stack) imageNames() []string {
	var names []string
	for _, p := range scaling.Services() {
		names = append(names, p.ShortName)
	}
	if s.Postgres.Kind != NoStore {
		names = append(names, scaling.MigrationTask().ShortName)
	}
	if s.Redis.Kind == InCluster {
		names = append(names, RedisAgentImage)
	}
	if s.PodScaling.Enabled {
		names = append(names, WebhookCertificateImage)
		if s.Postgres.Kind != NoStore {
			names = append(names, DatabaseExporterImage)
		}
	}
	if s.PodScaling.RunsForecaster() {
		names = append(names, ForecasterImage)
	}
	return names
}

var (
	commitID    = regexp.MustCompile(`^[0-9a-f]{40}$`)
	imageDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	// stackName matches a name that Pulumi accepts for a stack.
	stackName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)
	// registryPath is a registry with a path and no tag (OCI distribution specification).
	registryPath = regexp.MustCompile(`^[a-zA-Z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$`)
	// imageName is the last part of a repository's name.
	imageName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// validateRelease checks the keys of release, if the stack has them. A promotion writes them, and a
// person may have edited them.
func validateRelease(s *Stack) field.ErrorList {
	keyPath, r := path("release"), s.Release
	if !s.isSet("release") {
		return nil
	}
	var problems field.ErrorList
	_, timeErr := time.Parse(time.RFC3339, r.At)
	for _, f := range []struct {
		name, value string
		isValid     bool
		rule        string
	}{
		{"commit", r.Commit, commitID.MatchString(r.Commit), "must be 40 hexadecimal digits, as git rev-parse prints them"},
		{"at", r.At, timeErr == nil, "must be a time such as 2026-12-01T10:00:00Z, in quotes"},
		{"from", r.From, stackName.MatchString(r.From), "must be the name of a stack"},
		{"repository", r.Repository, registryPath.MatchString(r.Repository), "must be REGISTRY/PREFIX without a tag, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/progressive-framework-staging"},
	} {
		switch {
		case !s.isSet("release." + f.name):
			problems = append(problems, field.Required(keyPath.Child(f.name), "pf promote writes it with the other keys of release"))
		case !f.isValid:
			problems = append(problems, field.Invalid(keyPath.Child(f.name), f.value, f.rule))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Images)) {
		if !imageName.MatchString(name) || !imageDigest.MatchString(r.Images[name]) {
			problems = append(problems, field.Invalid(keyPath.Child("images", name), r.Images[name], "must be the digest of an image, sha256: and 64 hexadecimal digits"))
		}
	}
	for _, name := range s.imageNames() {
		if r.Images[name] == "" {
			problems = append(problems, field.Required(keyPath.Child("images", name), "the stack runs this image, and the promotion has no digest of it; promote from a stack that also runs it"))
		}
	}
	if len(s.Images.TrustedKeys) == 0 {
		problems = append(problems, field.Required(path("images.trustedKeys"), "the public keys that promoted images are verified with"))
	}
	return problems
}

// signerARN matches the ARN of an IAM role or user: its path and its name (IAM User Guide, "IAM
// identifiers"). No other principal may be in the policy of the stack's signing key.
var signerARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(?:role|user)/((?:[!-.0-~]+/)*)([A-Za-z0-9+=,.@_-]{1,64})$`)

// The names and paths of roles of IAM Identity Center begin with these texts. If the ARN in a policy
// lacks the path, KMS refuses the policy, because no role has that ARN.
const (
	identityCenterName = "AWSReservedSSO_"
	identityCenterPath = "aws-reserved/sso.amazonaws.com/"
)

// validateSigners checks who may sign with the stack's key of KMS.
func validateSigners(s *Stack) field.ErrorList {
	var problems field.ErrorList
	keyPath := path("images.kmsSigners")
	for i, arn := range s.Images.KMSSigners {
		match := signerARN.FindStringSubmatch(arn)
		if match == nil {
			problems = append(problems, field.Invalid(keyPath.Index(i), arn, "must be the ARN of a role or a user of IAM, such as arn:aws:iam::123456789012:role/deployer"))
		} else if strings.HasPrefix(match[2], identityCenterName) && !strings.HasPrefix(match[1], identityCenterPath) {
			problems = append(problems, field.Invalid(keyPath.Index(i), arn, "is a role of IAM Identity Center without its path: write role/"+identityCenterPath+"REGION/"+match[2]+", as `aws iam get-role` shows it"))
		} else if err := regions.CheckARN(s.Region, arn); err != nil {
			problems = append(problems, field.Invalid(keyPath.Index(i), arn, err.Error()))
		}
	}
	return problems
}

// validateGates checks the names of the required gates.
func validateGates(s *Stack) field.ErrorList {
	var problems field.ErrorList
	for i, name := range s.Images.RequiredGates {
		if !slices.Contains(gate.Names(), gate.Name(name)) {
			problems = append(problems, field.NotSupported(path("images.requiredGates").Index(i), name, gate.Names()))
		}
	}
	return problems
}

// checkTrustedKey checks a file with public keys.
func checkTrustedKey(content []byte) error {
	_, err := signkey.ParseTrusted(strings.TrimSpace(string(content)))
	return err
}
