// Package imagelifecycle has the rules by which ECR expires images. The image that pods run
// never expires.
package imagelifecycle

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/components/image/imagetag"
)

// Kept is how many images of one kind a repository keeps, in addition to the one in
// use: those of the last 50 pushes. A rollback and a promotion need recent ones only.
const Kept = 50

// unlimited is a count that the images of one tag never reach.
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

// Policy returns the policy of a repository of which pods run the image with the tag inUse.
// An image that a rule selects is never expired by a rule of a later priority (ECR User
// Guide, "How lifecycle policies work"). So the first rule protects the image in use.
func Policy(inUse string) (string, error) {
	built := strings.TrimPrefix(imagetag.OwnerPrefix(inUse), imagetag.Promoted)
	if built == "" {
		return "", fmt.Errorf("tag %q: must be OWNER-DIGEST, as the image provider sets it", inUse)
	}
	var rules []rule
	for _, r := range []struct {
		description, prefix string
		kept                int
	}{
		{"the image in use", inUse, unlimited},
		{"images that the stack built", built, Kept},
		{"images that were promoted to the stack", imagetag.Promoted + built, Kept},
	} {
		rules = append(rules, rule{
			Priority: len(rules) + 1, Description: r.description, Action: action{Type: "expire"},
			Selection: selection{TagStatus: "tagged", TagPrefixList: []string{r.prefix}, CountType: "imageCountMoreThan", CountNumber: r.kept},
		})
	}
	document, err := json.Marshal(map[string]any{"rules": rules})
	return string(document), err
}
