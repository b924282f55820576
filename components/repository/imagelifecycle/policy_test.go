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

// tagged is an image of a repository, the oldest first.
type tagged struct {
	tags    []string
	expired bool
}

// expire applies a policy as ECR does (ECR User Guide, "How lifecycle policies work"): each
// image is expired by at most one rule, and not by a rule after the first one that selects it.
func expire(t *testing.T, policy string, images []*tagged) {
	t.Helper()
	var document struct{ Rules []rule }
	require.NoError(t, json.Unmarshal([]byte(policy), &document))
	require.True(t, slices.IsSortedFunc(document.Rules, func(a, b rule) int { return a.Priority - b.Priority }), "AWS returns them by priority")
	selected := map[*tagged]bool{}
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
		var images []*tagged
		for i := range 1 + rng.IntN(300) {
			tag := fmt.Sprintf("prod-pf-web-%012x", i)
			switch rng.IntN(4) {
			case 0:
				images = append(images, &tagged{tags: []string{"promoted-" + tag}})
			case 1:
				images = append(images, &tagged{tags: []string{tag, "promoted-" + tag}})
			default:
				images = append(images, &tagged{tags: []string{tag}})
			}
			images = append(images, &tagged{tags: []string{fmt.Sprintf("sha256-%064x.sbom", i)}}, &tagged{})
		}
		running := images[3*rng.IntN(len(images)/3)]
		policy, err := Policy(running.tags[0])
		require.NoError(t, err)
		expire(t, policy, images)
		require.False(t, running.expired, running.tags)
		kept := 0
		for _, image := range images {
			if len(image.tags) == 0 || strings.HasPrefix(image.tags[0], "sha256-") {
				require.False(t, image.expired, "what refers to an image is no image")
			} else if !image.expired {
				kept++
			}
		}
		require.LessOrEqual(t, kept, 2*Kept+1, "old images expire")
	}
}

func TestPolicyNeedsATagOfTheProvider(t *testing.T) {
	for _, tag := range []string{"", "latest", "-0123456789ab", "promoted-0123456789ab"} {
		_, err := Policy(tag)
		require.ErrorContains(t, err, "must be OWNER-DIGEST", tag)
	}
}
