package config

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
)

// mirrorPattern matches a prefix of ECR repositories (ECR API, CreateRepository).
var mirrorPattern = regexp.MustCompile(`^` + AccountRegistry + `[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$`)

// maxMirrorPrefix leaves 56 of the 256 characters of a repository's name (ECR API,
// CreateRepository) for the name of the image.
const maxMirrorPrefix = 200

// validatePodScaling checks the mirror, and the keys of Prometheus and of the forecast.
func validatePodScaling(s *Stack) field.ErrorList {
	var problems field.ErrorList
	if mirror := s.Images.Mirror; mirror != "" && (!mirrorPattern.MatchString(mirror) || len(mirror) > len(AccountRegistry)+maxMirrorPrefix) {
		problems = append(problems, field.Invalid(path("images.mirror"), mirror, fmt.Sprintf(
			"must be %sPREFIX, the first part of the names of ECR repositories, such as %smirror; at most %d characters of PREFIX", AccountRegistry, AccountRegistry, maxMirrorPrefix)))
	}
	if s.PodScaling.Enabled && s.Cluster.Nodes == NodesOwn && !s.isSet("storageClass") {
		problems = append(problems, field.Required(path("storageClass"), "the class of Prometheus' volumes; the stack creates a class only if it manages the nodes"))
	}
	if version := s.Cluster.Version; s.PodScaling.Predictive == PredictiveOn && version < toleranceVersion {
		problems = append(problems, field.Invalid(path("podScaling.predictive"), string(PredictiveOn), fmt.Sprintf(
			"needs cluster.version %s or later, but it is %s: older versions ignore the tolerance of an HPA; set shadow until the upgrade", toleranceVersion, version)))
	}
	return append(problems, validateWorkspace(s)...)
}

// validateWorkspace checks the workspace of Prometheus. The pods' role belongs to the stack's
// account, and a workspace admits only roles of the workspace's account.
func validateWorkspace(s *Stack) field.ErrorList {
	arn, keyPath := s.Prometheus.WorkspaceARN, path("prometheus.workspaceArn")
	if arn == "" {
		return nil
	}
	switch w, err := scrape.ParseWorkspace(arn); {
	case err != nil:
		return field.ErrorList{field.Invalid(keyPath, arn, "must be the ARN of a workspace, such as arn:aws:aps:"+s.Region+":123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef")}
	case w.Region != s.Region || regions.CheckARN(s.Region, arn) != nil:
		return field.ErrorList{field.Invalid(keyPath, arn, "must be in the stack's region "+s.Region)}
	case accountID.MatchString(s.Account) && w.Account != s.Account:
		return field.ErrorList{field.Invalid(keyPath, arn, "is a workspace of another account than "+s.Account+"; the pods' role may write to those of its own account only")}
	}
	return nil
}

// toleranceVersion is the first Kubernetes version in which the field tolerance of an HPA is on by
// default (feature gate HPAConfigurableTolerance). An older API server drops the field, and KEDA
// would write it again and again.
const toleranceVersion = "1.35"

// ThirdPartyImage returns the reference of a third-party image: the upstream reference, or the image
// in the stack's mirror. The mirror has the image in this repository, with the tag of the upstream
// reference.
func (s *Stack) ThirdPartyImage(upstream, repository string) string {
	if s.Images.Mirror == "" {
		return upstream
	}
	name, _, _ := strings.Cut(upstream, "@")
	return s.Images.Mirror + "/" + repository + name[strings.LastIndex(name, ":"):]
}
