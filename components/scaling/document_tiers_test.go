package scaling

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	groupBlock  = regexp.MustCompile(`(?s)resource "aws_autoscaling_group" "(\w+)" \{(.*?)\n\}`)
	policyBlock = regexp.MustCompile(`(?s)resource "aws_autoscaling_policy" "(\w+)" \{(.*?)\n\}`)
	tagBlock    = regexp.MustCompile(`(?s)tag \{\s*key\s*= "(\w+)"\s*value\s*= ("[^"]*"|\S+)`)
)

// readNumber reads the number that a key has in a Terraform block.
func readNumber(t *testing.T, block, key string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^\s*` + key + `\s*= (-?\d+)`).FindStringSubmatch(block)
	require.NotNil(t, m, "the design document has no %s", key)
	n, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	return n
}

func TestTiersMatchTheDesignDocument(t *testing.T) {
	text, err := os.ReadFile("testdata/groups.tf")
	require.NoError(t, err)
	blocks := map[string]string{}
	for _, m := range append(groupBlock.FindAllStringSubmatch(string(text), -1), policyBlock.FindAllStringSubmatch(string(text), -1)...) {
		blocks[m[1]] = m[2]
	}
	for shortName, tier := range map[string]Tier{"web": WebNodes(), "app": ApplicationNodes()} {
		t.Run(shortName, func(t *testing.T) {
			group := blocks[shortName+"_tier_asg"]
			require.Contains(t, group, `"`+tier.GroupName+`-${var.environment}"`)
			require.Equal(t, Size{readNumber(t, group, "min_size"), readNumber(t, group, "desired_capacity"), readNumber(t, group, "max_size")}, tier.Size)
			require.Equal(t, toDuration(readNumber(t, group, "health_check_grace_period")), tier.HealthCheckGrace)
			require.Equal(t, toDuration(readNumber(t, group, "instance_warmup")), tier.Refresh.Warmup)
			// With the design document's share a refresh would terminate instances before it
			// launches new ones. Pods would then find no node.
			require.Greater(t, tier.Refresh.MinHealthy, Percent(readNumber(t, group, "min_healthy_percentage")))
			for _, m := range tagBlock.FindAllStringSubmatch(group, -1) {
				if m[1] == "Environment" {
					require.Equal(t, "prod", tier.InstanceTags("prod")[m[1]])
					continue
				}
				require.Equal(t, strings.Trim(m[2], `"`), tier.Tags[m[1]], m[1])
			}
			for suffix, step := range map[string]SimpleScalingPolicy{"_scale_up": tier.ScaleOut, "_scale_down": tier.ScaleIn} {
				policy := blocks[shortName+suffix]
				require.Contains(t, policy, `"`+step.Name+`"`)
				require.Equal(t, readNumber(t, policy, "scaling_adjustment"), step.Adjustment)
				require.Equal(t, toDuration(readNumber(t, policy, "cooldown")), step.Cooldown)
			}
		})
	}
}
