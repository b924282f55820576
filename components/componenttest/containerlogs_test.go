package componenttest

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/containerlogs"
)

func newContainerLogs(change func(*containerlogs.Args)) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		c, err := cluster.NewCluster(ctx, "app", clusterArgs(stackAccount))
		if err != nil {
			return err
		}
		args := &containerlogs.Args{
			Account: stackAccount, Cluster: c, Namespace: "platform", KeyARN: pulumi.String("arn:key"), Image: pulumi.String("fluent-bit" + digest),
		}
		change(args)
		_, err = containerlogs.NewShipper(ctx, "app-logs", args)
		return err
	}
}

// A pod runs on each node of a tier, also on tainted nodes. The pod is not root. It can read the
// log files of the node, and no other files of the node.
func TestContainerLogsAreReadOnEachNode(t *testing.T) {
	d := deploy(t, newContainerLogs(func(*containerlogs.Args) {}))
	daemonSet := d.find(t, "kubernetes:apps/v1:DaemonSet")
	requireRestricted(t, daemonSet, "spec.template.spec", 65532)
	const pod = "spec.template.spec."
	daemonSet.requireInputs(t, map[string]any{
		"metadata.namespace": "kube-system", pod + "serviceAccountName": "fluent-bit", pod + "automountServiceAccountToken": false,
		pod + "priorityClassName": "system-node-critical", pod + "tolerations": []any{map[string]any{"operator": "Exists"}},
		pod + "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions": []any{
			map[string]any{"key": "progressive-framework/tier", "operator": "Exists"},
		},
		pod + "securityContext.runAsGroup": 0, // the group of the log files
		pod + "containers[0].image":        "fluent-bit" + digest,
		pod + "containers[0].volumeMounts[2]": map[string]any{
			"name": "logs", "mountPath": "/var/log/pods", "readOnly": true,
		},
		pod + "volumes[0].configMap.name": "fluent-bit", pod + "volumes[1].emptyDir.sizeLimit": "64Mi",
		pod + "volumes[2].hostPath.path": "/var/log/pods",
	})
	require.Len(t, daemonSet.input(pod+"volumes"), 3)
	config := d.find(t, "kubernetes:core/v1:ConfigMap").input(`data["fluent-bit.yaml"]`)
	require.Contains(t, config, "/var/log/pods/platform_*/*/*.log")
	require.NotEmpty(t, daemonSet.input(`spec.template.metadata.annotations["progressive-framework/config"]`), "a changed setting must replace the pods")
	daemonSet.requireDependsOn(t, d.find(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy"), d.find(t, podIdentityAssociation, "app-logs"), d.find(t, rolePolicy, "app-logs-policy"))
}

// The shipper may write only to the stack's two log groups, which have a key and a retention
// time. It may not create log groups.
func TestShipperMayWriteOnlyToItsLogGroups(t *testing.T) {
	d := deploy(t, newContainerLogs(func(*containerlogs.Args) {}))
	for name, group := range map[string]string{"app-logs-application": "/aws/containerinsights/app/application", "app-logs-dataplane": "/aws/containerinsights/app/dataplane"} {
		d.find(t, "aws:cloudwatch/logGroup:LogGroup", name).requireInputs(t, map[string]any{"name": group, "kmsKeyId": "arn:key", "retentionInDays": 90})
	}
	d.find(t, podIdentityAssociation, "app-logs").requireInputs(t, map[string]any{"namespace": "kube-system", "serviceAccount": "fluent-bit", "clusterName": "app"})
	var policy struct {
		Statement []struct {
			Action, Resource []string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(d.find(t, rolePolicy, "app-logs-policy").input("policy").(string)), &policy))
	require.Len(t, policy.Statement, 1)
	require.Equal(t, []string{"logs:CreateLogStream", "logs:PutLogEvents"}, policy.Statement[0].Action)
	require.Len(t, policy.Statement[0].Resource, 2)
	for _, arn := range policy.Statement[0].Resource {
		require.Regexp(t, `.+:\*$`, arn)
	}
}

// The alarm fires when no log event arrives. CloudWatch then has no data, so missing data must
// count as breaching.
func TestSilentContainerLogsRaiseAnAlarm(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:123456789012:alarms"
	d := deploy(t, newContainerLogs(func(a *containerlogs.Args) { a.AlarmTopicARN = topic }))
	alarm := d.find(t, metricAlarm, "app-logs-silent")
	alarm.requireInputs(t, map[string]any{
		"name": "app-logs-silent", "namespace": "AWS/Logs", "metricName": "IncomingLogEvents", "statistic": "Sum",
		"dimensions.LogGroupName": "/aws/containerinsights/app/dataplane", "comparisonOperator": "LessThanThreshold", "threshold": 1,
		"period": 3600, "evaluationPeriods": 4, "treatMissingData": "breaching", "alarmActions": []any{topic}, "okActions": []any{topic},
	})
	alarm.requireDependsOn(t, d.find(t, "kubernetes:apps/v1:DaemonSet"))
	require.Nil(t, deploy(t, newContainerLogs(func(*containerlogs.Args) {})).find(t, metricAlarm, "app-logs-silent").input("alarmActions"))
}

func TestContainerLogsRefuseMissingArgs(t *testing.T) {
	for reason, change := range map[string]func(*containerlogs.Args){
		"no key":       func(a *containerlogs.Args) { a.KeyARN = nil },
		"no image":     func(a *containerlogs.Args) { a.Image = nil },
		"no namespace": func(a *containerlogs.Args) { a.Namespace = "" },
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := run(newContainerLogs(change))
			require.ErrorContains(t, err, "must be set")
		})
	}
}
