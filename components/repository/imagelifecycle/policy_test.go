package imagelifecycle

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// taggedImage is an image of a repository.
type taggedImage struct {
	tags    []string
	expired bool
}

// expire applies a policy as ECR does, to images sorted from the oldest to the newest. Only the
// first rule that selects an image can expire it (ECR User Guide, "How lifecycle policies work").
func expire(t *testing.T, policy string, images []*taggedImage) {
	t.Helper()
	var document struct{ Rules []rule }
	require.NoError(t, json.Unmarshal([]byte(policy), &document))
	require.True(t, slices.IsSortedFunc(document.Rules, func(a, b rule) int { return a.Priority - b.Priority }), "ECR returns the rules by priority")
	selected := map[*taggedImage]bool{}
	for _, r := range document.Rules {
		newer := 0
		for _, image := range slices.Backward(images) {
			matches := func(tag string) bool { return strings.HasPrefix(tag, r.Selection.TagPrefixList[0]) }
			if !slices.ContainsFunc(image.tags, matches) {
				continue
			}
			newer++
			if newer > r.Selection.CountNumber && !selected[image] {
				image.expired = true
			}
			selected[image] = true
		}
	}
}

func TestImageInUseNeverExpires(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 3))
	for range 200 {
		var images []*taggedImage
		for i := range 1 + rng.IntN(300) {
			tag := fmt.Sprintf("prod-pf-web-%012x", i)
			switch rng.IntN(4) {
			case 0:
				images = append(images, &taggedImage{tags: []string{"promoted-" + tag}})
			case 1:
				images = append(images, &taggedImage{tags: []string{tag, "promoted-" + tag}})
			default:
				images = append(images, &taggedImage{tags: []string{tag}})
			}
			images = append(images, &taggedImage{tags: []string{fmt.Sprintf("sha256-%064x.sbom", i)}}, &taggedImage{})
		}
		running := images[3*rng.IntN(len(images)/3)]
		policy, err := Policy(running.tags[0])
		require.NoError(t, err)
		expire(t, policy, images)
		require.False(t, running.expired, running.tags)
		kept := 0
		for _, image := range images {
			if len(image.tags) == 0 || strings.HasPrefix(image.tags[0], "sha256-") {
				require.False(t, image.expired, "no rule may match an SBOM or an untagged image")
			} else if !image.expired {
				kept++
			}
		}
		require.LessOrEqual(t, kept, 2*KeptImages+1, "KeptImages built images, KeptImages promoted images, and the image in use")
	}
}

func TestPolicyNeedsATagOfTheProvider(t *testing.T) {
	for _, tag := range []string{"", "latest", "-0123456789ab", "promoted-0123456789ab"} {
		_, err := Policy(tag)
		require.ErrorContains(t, err, "must be OWNER-DIGEST", tag)
	}
}
