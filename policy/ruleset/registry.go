package ruleset

import (
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var registry = []*rule.Rule{
	registryRule("image-tags-immutable", "A tag names one image for ever", "Another image under the same tag runs at the next restart.",
		"components/repository, ImageTagMutability", rule.Medium, rule.Everywhere, []string{"FSBP ECR.2"}, func(s *rule.Subject, v awsview.EcrRepository) {
			s.Must(v.ImageTagMutability().Or("MUTABLE").Is("IMMUTABLE"), "imageTagMutability is %s", v.ImageTagMutability().Text())
		}),
	registryRule("image-scanned", "Images are scanned when they are pushed", "A known flaw would run until somebody looks.",
		"components/repository, ImageScanningConfiguration", rule.Medium, rule.Everywhere, []string{"FSBP ECR.1"}, func(s *rule.Subject, v awsview.EcrRepository) {
			s.Must(v.ImageScanningConfiguration().ScanOnPush().IsTrue(), "scanOnPush is not true")
		}),
	registryRule("image-repository-encrypted", "Images are encrypted with a KMS key", "Images hold our code.",
		"components/repository, EncryptionConfigurations", rule.Low, rule.Everywhere, []string{"FSBP ECR.5"}, func(s *rule.Subject, v awsview.EcrRepository) {
			s.Must(v.EncryptionConfigurations().Any(func(e awsview.EcrRepositoryEncryptionConfiguration) value.Truth {
				return e.EncryptionType().Is("KMS")
			}), "encryptionConfigurations names no KMS key")
		}),
	registryRule("image-repository-kept", "A destroy does not delete images", "The images of running pods would be gone, and no rollback would be possible.",
		"the key deletionProtection", rule.Medium, rule.Deployed, []string{"WA REL09"}, func(s *rule.Subject, v awsview.EcrRepository) {
			s.Must(v.ForceDelete().Or(false).IsFalse(), "forceDelete is true")
		}),
	{
		ID: "image-repository-lifecycle", Title: "Old images are deleted by themselves",
		Why: "Images are billed for ever.",
		Fix: "components/repository, a lifecycle policy", Standards: []string{"FSBP ECR.3"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.Across(func(s *rule.Subject, _ awsview.EcrRepository) {
			s.Must(rule.Referrers[awsview.EcrLifecyclePolicy](s.Graph, s.Resource, "repository").Exists(), "no lifecycle policy names it")
		}),
	},
}

// registryRule returns a rule on the properties of an image repository.
func registryRule(id, title, why, fix string, severity rule.Severity, levels rule.Levels, standards []string, check func(*rule.Subject, awsview.EcrRepository)) *rule.Rule {
	return &rule.Rule{ID: id, Title: title, Why: why, Fix: fix, Severity: severity, Levels: levels, Standards: standards, Check: rule.On(check)}
}
