package terminationspec

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/iam/policydocument"
	"github.com/progressive-framework/platform/components/scaling"
)

func TestEventsNameTheGroups(t *testing.T) {
	events, err := Events([]string{"web-prod", "app-prod"})
	require.NoError(t, err)
	types := map[string][]string{}
	for _, e := range events {
		var p pattern
		require.NoError(t, json.Unmarshal([]byte(e.Pattern), &p))
		types[e.Name] = p.DetailType
		if p.Source[0] == "aws.autoscaling" {
			require.Equal(t, []string{"web-prod", "app-prod"}, p.Detail["AutoScalingGroupName"])
		}
	}
	require.Equal(t, map[string][]string{
		"lifecycle":   {"EC2 Instance-launch Lifecycle Action", "EC2 Instance-terminate Lifecycle Action"},
		"spot":        {"EC2 Spot Instance Interruption Warning"},
		"state":       {"EC2 Instance State-change Notification"},
		"maintenance": {"AWS Health Event"},
	}, types)
	_, err = Events(nil)
	require.ErrorContains(t, err, "every group of the account")
}

// A drain must end before its hook, and the handler must complete the hook of a new instance before
// the event expires in the queue.
func TestDrainAndJoinEndBeforeTheirHooks(t *testing.T) {
	d := scaling.DefaultDrain()
	require.Less(t, d.DrainTimeout, d.HookTimeout)
	require.GreaterOrEqual(t, d.DrainTimeout, scaling.TerminationGrace)
	require.LessOrEqual(t, d.JoinTimeout, d.Retention)
	require.Greater(t, d.Replicas, 1, "one pod must drain the node of the other pod")
	env := Environment(d, "us-east-1", "kubernetes.io/cluster/app")
	envValue := func(name string) string {
		i := slices.IndexFunc(env, func(v Variable) bool { return v.Name == name })
		require.NotEqual(t, -1, i, name)
		return env[i].Value
	}
	limit, err := strconv.Atoi(envValue("NODE_TERMINATION_GRACE_PERIOD"))
	require.NoError(t, err)
	require.Equal(t, d.DrainTimeout, time.Duration(limit)*time.Second)
	require.Equal(t, "-1", envValue("POD_TERMINATION_GRACE_PERIOD"))
	require.Equal(t, "kubernetes.io/cluster/app", envValue("MANAGED_TAG"))
	require.Equal(t, "true", envValue("CHECK_TAG_BEFORE_DRAINING"), "the handler must not drain nodes of other clusters in the account")
}

func TestPermissionsAreThoseOfTheReadme(t *testing.T) {
	require.ElementsMatch(t, []string{
		"autoscaling:CompleteLifecycleAction", "autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeTags",
		"ec2:DescribeInstances", "sqs:DeleteMessage", "sqs:ReceiveMessage",
	}, slices.Concat(ReadActions(), GroupActions(), QueueActions()))
	require.NoError(t, policydocument.CheckIdentity(policydocument.Statement{Sid: "Look", Actions: ReadActions(), Resources: []string{policydocument.Any}}))
	for _, actions := range [][]string{GroupActions(), QueueActions()} {
		require.ErrorContains(t, policydocument.CheckIdentity(policydocument.Statement{Sid: "Act", Actions: actions, Resources: []string{policydocument.Any}}), "on resource *")
	}
	for _, r := range ClusterRules() {
		for _, list := range [][]string{r.Groups, r.Resources, r.Verbs} {
			require.NotEmpty(t, list)
			require.NotContains(t, list, "*")
		}
		require.NotContains(t, r.Resources, "secrets")
	}
}
