package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const repositoryType = "aws:ecr/repository:Repository"

// toRepository is a reference to a repository. The deletion of the repository also
// deletes the resource that has the reference.
var toRepository = &Ref{To: []string{repositoryType}, By: []string{"name"}, Noun: "repository with name", Missing: "RepositoryNotFoundException", DeletedWith: true}

var checkRepositoryName = pattern(`(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`,
	"lower-case words, joined by single . _ - and separated by /")

var _ = registerRows(
	&Row{
		Token:  repositoryType,
		Source: "ecr/repository.go", Page: "AmazonECR/latest/APIReference/API_CreateRepository.html",
		Label: "ECR Repository", ID: "{name}", NotFound: "RepositoryNotFoundException",
		ExistsCode: "RepositoryAlreadyExistsException",
		ExistsText: "The repository with name '{name}' already exists in the registry with id '{account}'",
		Naming:     &Naming{Prop: "name", Max: 255},
		Props: Props{
			"name":                                    {Replace: true, Valid: all(length(2, 256), checkRepositoryName)},
			"imageTagMutability":                      {Default: "MUTABLE"},
			"forceDelete":                             {},
			"imageScanningConfiguration":              {Computed: true},
			"imageScanningConfiguration.scanOnPush":   {},
			"encryptionConfigurations":                {Replace: true, Computed: true, Max: 1},
			"encryptionConfigurations.encryptionType": {Replace: true, Default: "AES256"},
			"encryptionConfigurations.kmsKey":         {Replace: true, Computed: true, Valid: checkARN, Ref: toKeyARN},
		},
		Check: func(in Object, fail Fail) {
			for i, e := range in.Objects("encryptionConfigurations") {
				if e.Has("kmsKey") && e.String("encryptionType") != "KMS" && (e.Known("encryptionType") || !e.Has("encryptionType")) {
					fail(fmt.Sprintf("encryptionConfigurations[%d].kmsKey", i), "needs encryptionType KMS")
				}
			}
		},
		Outputs: map[string]string{
			"arn":        "arn:{partition}:ecr:{region}:{account}:repository/{name}",
			"registryId": "{account}",
		},
		Fill:         fillRepository,
		BeforeDelete: beforeDeleteRepository,
	},
	&Row{
		Token:  "aws:ecr/lifecyclePolicy:LifecyclePolicy",
		Source: "ecr/lifecycle_policy.go", Page: "AmazonECR/latest/userguide/LifecyclePolicies.html",
		Label: "ECR Lifecycle Policy", ID: "{repository}", NotFound: "LifecyclePolicyNotFoundException", Put: true,
		DeleteBeforeReplace: true,
		Props: Props{
			"repository": {Replace: true, Ref: toRepository},
			"policy":     {Replace: true, JSON: true, Valid: checkLifecyclePolicy},
		},
		Outputs: map[string]string{"registryId": "{account}"},
	},
	&Row{
		Token:  "aws:ecr/repositoryPolicy:RepositoryPolicy",
		Source: "ecr/repository_policy.go", Page: "AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html",
		Label: "ECR Repository Policy", ID: "{repository}", NotFound: "RepositoryPolicyNotFoundException", Put: true,
		Props: Props{
			"repository": {Replace: true, Ref: toRepository},
			"policy":     {JSON: true, Valid: policyDocument(repositoryPolicy, 10240)},
		},
		Outputs: map[string]string{"registryId": "{account}"},
		Verify: func(c *Call) error {
			return c.verifyPrincipals("policy", "InvalidParameterException",
				"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
		},
	},
)

// fillRepository computes the URL and the defaults of scanning and encryption.
func fillRepository(c *Call) error {
	c.Out["repositoryUrl"] = c.Layout.RegistryAddress() + "/" + c.Out.String("name")
	if !c.Out.Has("imageScanningConfiguration") {
		c.Out["imageScanningConfiguration"] = map[string]any{"scanOnPush": false}
	}
	list, _ := c.Out["encryptionConfigurations"].([]any)
	if len(list) == 0 {
		list = []any{map[string]any{"encryptionType": "AES256"}}
	}
	for _, e := range list {
		m, ok := e.(map[string]any)
		if ok && m["encryptionType"] == "KMS" && isZero(m["kmsKey"]) {
			m["kmsKey"] = c.awsKeyARN("ecr")
		}
	}
	c.Out["encryptionConfigurations"] = list
	return nil
}

// awsKeyARN returns the ARN of the AWS managed key of a service. The ARN depends only on the
// service, the account and the region. The key's id has the form of a UUID of version 4, in
// which the digits 4 and 8 are fixed.
func (c *Call) awsKeyARN(service string) string {
	sum := sha256.Sum256([]byte(c.Account + " " + c.Region + " " + service))
	digits := hex.EncodeToString(sum[:16])
	return fmt.Sprintf("arn:%s:kms:%s:%s:key/%s-%s-4%s-8%s-%s", c.Partition, c.Region, c.Account, digits[:8], digits[8:12], digits[13:16], digits[17:20], digits[20:])
}

// beforeDeleteRepository refuses the deletion of a repository with images, unless forceDelete is
// set. With forceDelete, it deletes the images.
func beforeDeleteRepository(c *Call) error {
	registry := registryClient{layout: c.Layout}
	name := c.Old.String("name")
	hasImages, err := registry.hasImages(c.Context, name)
	if err != nil {
		return err
	}
	if !hasImages {
		return nil
	}
	if !c.Old.Bool("forceDelete") {
		return refuse("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still "+
			"contains images; consider forceDelete", name, c.Account)
	}
	return registry.deleteImages(c.Context, name)
}

// checkLifecyclePolicy returns a message unless v is a document that ECR accepts
// (AmazonECR/latest/userguide/lifecycle_policy_parameters.html).
func checkLifecyclePolicy(v any) string {
	s, _ := v.(string)
	if len(s) > 30720 {
		return fmt.Sprintf("has %d characters; AWS allows 30720", len(s))
	}
	var doc struct {
		Rules []map[string]any `json:"rules"`
	}
	if err := json.Unmarshal([]byte(s), &doc); err != nil {
		return fmt.Sprintf("is not a lifecycle policy: %v", err)
	}
	if len(doc.Rules) < 1 || len(doc.Rules) > 50 {
		return fmt.Sprintf("has %d rules, must have 1 to 50", len(doc.Rules))
	}
	seen := map[any]bool{}
	lastRule := slices.MaxFunc(doc.Rules, func(a, b map[string]any) int {
		return cmp.Compare(Object(a).Int("rulePriority"), Object(b).Int("rulePriority"))
	})
	for i, rule := range doc.Rules {
		reason := checkLifecycleRule(rule)
		coversAllImages := Object(rule).Object("selection").String("tagStatus") == "any"
		if reason == "" && coversAllImages && Object(rule).Int("rulePriority") != Object(lastRule).Int("rulePriority") {
			reason = "has the tagStatus any, so its rulePriority must be the highest: ECR applies it last"
		}
		if priority := rule["rulePriority"]; reason == "" && seen[priority] {
			reason = fmt.Sprintf("has the rulePriority %v of another rule", priority)
		} else {
			seen[priority] = true
		}
		if reason != "" {
			return fmt.Sprintf("rule %d %s", i, reason)
		}
	}
	return ""
}

// maxWildcards is the maximum number of wildcards in a tag pattern.
const maxWildcards = 4

// checkLifecycleRule returns the reason why ECR refuses a rule, or "" if ECR accepts the rule.
// The stand-in also refuses the archiving of images (transition, storageClass, sinceImagePulled). It
// follows the provider's source, which does not handle archiving.
func checkLifecycleRule(rule Object) string {
	selection, action := rule.Object("selection"), rule.Object("action")
	tagStatus, countType := selection.String("tagStatus"), selection.String("countType")
	hasTags := selection.Has("tagPrefixList") || selection.Has("tagPatternList")
	switch {
	case describeUnknownKey(rule, "rulePriority", "description", "selection", "action") != "":
		return "has the unknown element " + describeUnknownKey(rule, "rulePriority", "description", "selection", "action")
	case describeUnknownKey(selection, "tagStatus", "tagPrefixList", "tagPatternList", "countType", "countUnit", "countNumber") != "":
		return "has the unknown selection element " + describeUnknownKey(selection, "tagStatus", "tagPrefixList", "tagPatternList", "countType", "countUnit", "countNumber")
	case rule.Int("rulePriority") < 1:
		return "needs a rulePriority of 1 or more"
	case action.String("type") != "expire":
		return fmt.Sprintf("has the action %q; the stand-in supports expire", action.String("type"))
	case !slices.Contains([]string{"tagged", "untagged", "any"}, tagStatus):
		return fmt.Sprintf("has the tagStatus %q: must be tagged, untagged or any", tagStatus)
	case tagStatus == "tagged" && !hasTags:
		return "needs tagPrefixList or tagPatternList for tagged images"
	case selection.Has("tagPrefixList") && selection.Has("tagPatternList"):
		return "has both tagPrefixList and tagPatternList; the stand-in supports rules with one of them"
	case slices.ContainsFunc(selection.Strings("tagPatternList"), func(s string) bool { return strings.Count(s, "*") > maxWildcards }):
		return fmt.Sprintf("has a tag pattern with more than %d wildcards", maxWildcards)
	case tagStatus != "tagged" && hasTags:
		return "can have tagPrefixList or tagPatternList for tagged images only"
	case !slices.Contains([]string{"imageCountMoreThan", "sinceImagePushed"}, countType):
		return fmt.Sprintf("has the countType %q; the stand-in supports imageCountMoreThan and sinceImagePushed", countType)
	case selection.Int("countNumber") < 1:
		return "needs a countNumber of 1 or more"
	case countType == "sinceImagePushed" && selection.String("countUnit") != "days":
		return "needs the countUnit days"
	case countType == "imageCountMoreThan" && selection.Has("countUnit"):
		return "can't have a countUnit with imageCountMoreThan"
	}
	return ""
}

// describeUnknownKey returns a text for errors with the first key of o that is not in known,
// and the keys in known. It returns "" if all keys are known.
func describeUnknownKey(o Object, known ...string) string {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(known, key) {
			return key + ": must be one of " + strings.Join(known, ", ")
		}
	}
	return ""
}
