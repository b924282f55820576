// Package imagelifecycle has the rules by which ECR expires images. The image that pods run
// never expires.
package imagelifecycle

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/components/image/imagetag"
)

// KeptImages is the number of images of one kind that a repository keeps in addition to the image in
// use. These images are the ones of the last 50 pushes. A rollback and a promotion need only recent
// images.
const KeptImages = 50

// unlimited is a number of images that one tag never has, so that its image never expires.
const unlimited = 1000

// rule is a rule of a lifecycle policy (ECR User Guide, "Lifecycle policy properties").
type rule struct {
	Priority    int       `json:"rulePriority"`
	Description string    `json:"description"`
	Selection   selection `json:"selection"`
	Action      action    `json:"action"`
}

type selection struct {
	TagStatus     string   `json:"tagStatus"`
	TagPrefixList []string `json:"tagPrefixList"`
	CountType     string   `json:"countType"`
	CountNumber   int      `json:"countNumber"`
}

type action struct {
	Type string `json:"type"`
}

// Policy returns the lifecycle policy of a repository. tagInUse is the tag of the image that pods
// run. If a rule selects an image, no rule with a later priority can expire the image (ECR User
// Guide, "How lifecycle policies work"). So the first rule protects the image in use.
func Policy(tagInUse string) (string, error) {
	builtPrefix := strings.TrimPrefix(imagetag.OwnerPrefix(tagInUse), imagetag.Promoted)
	if builtPrefix == "" {
		return "", fmt.Errorf("tag %q: must be OWNER-DIGEST, as the image provider sets it", tagInUse)
	}
	var rules []rule
	for _, r := range []struct {
		description, prefix string
		kept                int
	}{
		{"the image in use", tagInUse, unlimited},
		{"images that the stack built", builtPrefix, KeptImages},
		{"images that were promoted to the stack", imagetag.Promoted + builtPrefix, KeptImages},
	} {
		rules = append(rules, rule{
			Priority: len(rules) + 1, Description: r.description, Action: action{Type: "expire"},
			Selection: selection{TagStatus: "tagged", TagPrefixList: []string{r.prefix}, CountType: "imageCountMoreThan", CountNumber: r.kept},
		})
	}
	document, err := json.Marshal(map[string]any{"rules": rules})
	return string(document), err
}
