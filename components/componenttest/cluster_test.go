package componenttest

import (
	"encoding/base64"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/addons"
	"github.com/progressive-framework/platform/components/autoscaler"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/network/access"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/terminationhandler"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
	"github.com/progressive-framework/platform/components/tier"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

func clusterArgs(stackAccount *account.Account) *cluster.Args {
	return &cluster.Args{
		Account: stackAccount, ClusterName: "app", Version: "1.34", VPCID: pulumi.String("vpc-1"), KeyARN: pulumi.String("arn:key"),
		Subnets:           map[string]pulumi.StringInput{"us-east-1a": pulumi.String("subnet-a"), "us-east-1b": pulumi.String("subnet-b"), "us-east-1c": pulumi.String("subnet-c")},
		ControlPlaneZones: []string{"us-east-1b", "us-east-1a"},
		PrivateAccess:     access.Sources([]string{"10.99.0.0/16"}, nil),
	}
}

func newCluster(change func(*cluster.Args)) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		args := clusterArgs(stackAccount)
		change(args)
		_, err := cluster.NewCluster(ctx, "app", args)
		return err
	}
}

func tierArgs(c *cluster.Cluster) *tier.Args {
	return &tier.Args{
		Profile: scaling.WebNodes(), Owner: scaling.ClusterAutoscaler{ClusterName: "app"}, Environment: "test", Cluster: c,
		SubnetIDs: subnets, Fleet: instancespec.DefaultFleet(), KeyARN: pulumi.String("arn:key"),
		Image: tier.Image{Release: instancespec.NewestRelease(c.Versions.ControlPlane)},
	}
}

func newTier(change func(*tier.Args)) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		c, err := cluster.NewCluster(ctx, "app", clusterArgs(stackAccount))
		if err != nil {
			return err
		}
		args := tierArgs(c)
		change(args)
		_, err = tier.NewTier(ctx, "app-web", args)
		return err
	}
}

// newNodes creates a cluster with a tier of nodes, the add-ons, the handler that drains nodes,
// and the Cluster Autoscaler.
func newNodes(ctx *pulumi.Context, stackAccount *account.Account) error {
	return newNodesWithImage(ctx, stackAccount, nil)
}

// newNodesWithImage is like newNodes. The handler and the autoscaler run image, such as an image
// in a mirror. nil means upstream's images.
func newNodesWithImage(ctx *pulumi.Context, stackAccount *account.Account, image pulumi.StringInput) error {
	c, err := cluster.NewCluster(ctx, "app", clusterArgs(stackAccount))
	if err != nil {
		return err
	}
	args := tierArgs(c)
	queue, err := terminationhandler.NewQueue(ctx, "app", &terminationhandler.QueueArgs{Groups: []string{args.Profile.FullGroupName("test")}})
	if err != nil {
		return err
	}
	args.RefreshAlarms = pulumi.StringArray{queue.AlarmName}
	web, err := tier.NewTier(ctx, "app-web", args)
	if err != nil {
		return err
	}
	if _, err := terminationhandler.NewHandler(ctx, "app", &terminationhandler.Args{
		Account: stackAccount, Cluster: c, Queue: queue, Image: image, Nodes: web.Ready,
		Groups: []terminationhandler.Group{{ShortName: "web", Name: web.GroupName, ARN: web.GroupARN}},
	}); err != nil {
		return err
	}
	if _, err := addons.NewAddons(ctx, "app", &addons.Args{Account: stackAccount, Cluster: c, KeyARN: pulumi.String("arn:key"), Nodes: web.Ready}); err != nil {
		return err
	}
	_, err = autoscaler.NewAutoscaler(ctx, "app", &autoscaler.Args{
		Account: stackAccount, Cluster: c, Options: scaling.DefaultClusterAutoscaler(), Image: image, Nodes: web.Ready,
	})
	return err
}

// Types of resources.
const (
	eksCluster       = "aws:eks/cluster:Cluster"
	eksAddon         = "aws:eks/addon:Addon"
	launchTemplate   = "aws:ec2/launchTemplate:LaunchTemplate"
	scalingGroup     = "aws:autoscaling/group:Group"
	metricAlarm      = "aws:cloudwatch/metricAlarm:MetricAlarm"
	rolePolicy       = "aws:iam/rolePolicy:RolePolicy"
	scalingPolicy    = "aws:autoscaling/policy:Policy"
	policyAttachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
)

// The handler and the autoscaler run upstream's images, or the image in Args.Image.
func TestNodeControllersRunTheConfiguredImage(t *testing.T) {
	const mirrored = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mirror/a@sha256:0123"
	deployedImages := func(program func(*pulumi.Context, *account.Account) error) (deployed []any) {
		for _, pod := range deploy(t, program).ofType(k8sDeployment) {
			deployed = append(deployed, pod.input("spec.template.spec.containers[0].image"))
		}
		return deployed
	}
	for _, image := range deployedImages(newNodes) {
		require.Contains(t, []any{terminationspec.Image, "registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.4"}, image)
	}
	require.Equal(t, []any{mirrored, mirrored}, deployedImages(func(ctx *pulumi.Context, stackAccount *account.Account) error {
		return newNodesWithImage(ctx, stackAccount, pulumi.String(mirrored))
	}))
}

func TestControlPlaneIsPrivateAndEncrypted(t *testing.T) {
	d := deploy(t, newCluster(func(*cluster.Args) {}))
	c := d.find(t, eksCluster)
	c.requireInputs(t, map[string]any{
		"name": "app", "version": "1.34", "vpcConfig.endpointPrivateAccess": true, "vpcConfig.endpointPublicAccess": false,
		"vpcConfig.subnetIds": []any{"subnet-a", "subnet-b"}, "accessConfig.authenticationMode": "API",
		"encryptionConfig.provider.keyArn": "arn:key", "encryptionConfig.resources": []any{"secrets"}, "bootstrapSelfManagedAddons": false,
		"upgradePolicy.supportType": "STANDARD",
		"enabledClusterLogTypes":    []any{"api", "audit", "authenticator", "controllerManager", "scheduler"},
	})
	log := d.find(t, "aws:cloudwatch/logGroup:LogGroup")
	log.requireInputs(t, map[string]any{"name": "/aws/eks/app/cluster", "kmsKeyId": "arn:key"})
	c.requireDependsOn(t, log, d.find(t, policyAttachment, "app-control-plane-amazoneksclusterpolicy"))

	withPublicAccess := deploy(t, newCluster(func(a *cluster.Args) { a.PublicAccessCIDRs = []string{"203.0.113.0/24"} })).find(t, eksCluster)
	withPublicAccess.requireInputs(t, map[string]any{"vpcConfig.endpointPublicAccess": true, "vpcConfig.publicAccessCidrs": []any{"203.0.113.0/24"}})
}

// Each source in PrivateAccess gets a rule in the control plane's security group.
func TestPrivateEndpointAdmitsTheSourcesOfPrivateAccess(t *testing.T) {
	d := deploy(t, newCluster(func(a *cluster.Args) {
		a.PrivateAccess = access.Sources([]string{"10.99.0.0/16"}, []string{"sg-0123456789abcdef0"})
	}))
	const rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	for name, source := range map[string]map[string]any{
		"app-control-plane-from-10-99-0-0-16":         {"cidrIpv4": "10.99.0.0/16", "referencedSecurityGroupId": nil},
		"app-control-plane-from-sg-0123456789abcdef0": {"cidrIpv4": nil, "referencedSecurityGroupId": "sg-0123456789abcdef0"},
	} {
		d.find(t, rule, name).requireInputs(t, source)
		d.find(t, rule, name).requireInputs(t, map[string]any{"securityGroupId": "sg-eks", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443})
	}
	for wantError, change := range map[string]func(*cluster.Args){
		"nodes alone would reach the API server": func(a *cluster.Args) { a.PrivateAccess = nil },
		"source 10-99-0-0-16 is listed twice":    func(a *cluster.Args) { a.PrivateAccess = append(a.PrivateAccess, access.CIDRSource("10.99.0.0/16")) },
		"source x: must have a CIDR":             func(a *cluster.Args) { a.PrivateAccess = []access.Source{{Name: "x"}} },
	} {
		_, err := run(newCluster(change))
		require.ErrorContains(t, err, wantError)
	}
}

// Only nodes and, on a few ports, the control plane can connect to nodes.
func TestOnlyTheClusterCanConnectToNodes(t *testing.T) {
	d := deploy(t, newCluster(func(a *cluster.Args) { a.PrivateAccess, a.PublicAccessCIDRs = nil, []string{"203.0.113.0/24"} }))
	for _, rule := range d.ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		rule.requireInputs(t, map[string]any{"cidrIpv4": nil, "cidrIpv6": nil, "prefixListId": nil})
		require.Contains(t, []any{"app-node-id", "sg-eks"}, rule.input("referencedSecurityGroupId"), rule.Name)
	}
	d.find(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "app-node-from-control-plane-kubelet").
		requireInputs(t, map[string]any{"fromPort": 10250, "toPort": 10250, "securityGroupId": "app-node-id", "referencedSecurityGroupId": "sg-eks"})
}

func TestNodeRoleHasTheLeastPermissions(t *testing.T) {
	nodePolicies := func(d deployment) []string {
		var arns []string
		for _, a := range d.ofType(policyAttachment) {
			if a.input("role") == "app-node-role" {
				arns = append(arns, a.input("policyArn").(string))
			}
		}
		return arns
	}
	leastPolicies := []string{"arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"}
	require.ElementsMatch(t, leastPolicies, nodePolicies(deploy(t, newCluster(func(*cluster.Args) {}))))
	require.ElementsMatch(t, append(leastPolicies, "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
		nodePolicies(deploy(t, newCluster(func(a *cluster.Args) { a.SessionManager = true }))))
}

func TestAdminsMayAdministerTheCluster(t *testing.T) {
	d := deploy(t, newCluster(func(a *cluster.Args) { a.Admins = []string{"arn:aws:iam::123456789012:role/ops/platform"} }))
	d.find(t, "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "app-admin-platform").requireInputs(t, map[string]any{
		"principalArn": "arn:aws:iam::123456789012:role/ops/platform", "accessScope.type": "cluster",
		"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
	})
}

func TestNodesEncryptVolumesAndRefuseMetadataToPods(t *testing.T) {
	template := deploy(t, newTier(func(*tier.Args) {})).find(t, launchTemplate)
	template.requireInputs(t, map[string]any{
		"metadataOptions.httpTokens": "required", "metadataOptions.httpPutResponseHopLimit": 1,
		"blockDeviceMappings[0].ebs.encrypted": "true", "blockDeviceMappings[0].ebs.kmsKeyId": "arn:key", "blockDeviceMappings[0].ebs.volumeSize": 50,
		"networkInterfaces[0].associatePublicIpAddress": "false", "networkInterfaces[0].securityGroups": []any{"app-node-id"},
		"imageId": "ami-recommended", "keyName": nil,
	})
	require.Empty(t, template.IgnoreChanges, "the release is in the name of the image's parameter")
	data, err := base64.StdEncoding.DecodeString(template.input("userData").(string))
	require.NoError(t, err)
	require.Contains(t, string(data), "https://eks.example.com")
	require.Contains(t, string(data), scaling.NodeLabel+"=web")

	withAMI := deploy(t, newTier(func(a *tier.Args) { a.Image = tier.Image{ID: "ami-1"} }))
	withAMI.find(t, launchTemplate).requireInputs(t, map[string]any{"imageId": "ami-1"})
	require.NotContains(t, withAMI.names(metricAlarm), "app-web-image-age", "the age of an AMI is not known")
}

// Either the Cluster Autoscaler or scaling policies change the number of instances, and not
// both.
func TestGroupHasOneCapacityOwner(t *testing.T) {
	tagKeys := func(group registration) []any {
		var keys []any
		for _, tag := range group.input("tags").([]any) {
			keys = append(keys, tag.(map[string]any)["key"])
		}
		return keys
	}
	d := deploy(t, newTier(func(*tier.Args) {}))
	group := d.find(t, scalingGroup)
	group.requireInputs(t, map[string]any{
		"name": "progressive-framework-v5-web-test", "minSize": 3, "desiredCapacity": 6, "maxSize": 30,
		"suspendedProcesses": []any{"AZRebalance"}, "healthCheckType": "EC2",
		"mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity": 100,
		"mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version":        "7",
	})
	require.Equal(t, []string{"desiredCapacity"}, group.IgnoreChanges)
	require.Contains(t, tagKeys(group), scaling.DiscoveryCluster("app"))
	require.NotContains(t, d.names(metricAlarm), "app-web-cpu-low")
	require.Empty(t, d.names(scalingPolicy), "the Cluster Autoscaler adds and removes instances")
	withTopic := deploy(t, newTier(func(a *tier.Args) { a.AlarmTopicARN = "arn:topic" })).find(t, metricAlarm, "app-web-cpu-high")
	withTopic.requireInputs(t, map[string]any{"alarmActions": []any{"arn:topic"}, "okActions": []any{"arn:topic"}})
	d.find(t, metricAlarm, "app-web-cpu-high").requireInputs(t, map[string]any{"alarmActions": nil})
	for _, addon := range d.ofType(eksAddon) {
		group.requireDependsOn(t, addon)
	}

	d = deploy(t, newTier(func(a *tier.Args) { a.Owner = scaling.ScalingPolicies{} }))
	require.NotContains(t, tagKeys(d.find(t, scalingGroup)), scaling.DiscoveryCluster("app"))
	require.Equal(t, []string{"app-web-web-scale-down", "app-web-web-scale-up"}, d.names(scalingPolicy))
	for alarm, policy := range map[string]string{"app-web-cpu-high": "app-web-web-scale-up", "app-web-cpu-low": "app-web-web-scale-down"} {
		d.find(t, metricAlarm, alarm).requireInputs(t, map[string]any{"alarmActions": []any{"arn:aws:mock:us-east-1:123456789012:" + policy}})
	}
}

// preferences is the path of the preferences of an instance refresh.
const preferences = "instanceRefresh.preferences."

// An instance refresh launches new instances before it terminates old ones. The refresh waits at
// checkpoints. It stops when it fails, or when an alarm is in the state ALARM. The previous version
// of the launch template stays, so that a person can set the group back to this version.
func TestRefreshStopsWhenItFails(t *testing.T) {
	d := deploy(t, newNodes)
	group := d.find(t, scalingGroup)
	group.requireInputs(t, map[string]any{
		preferences + "autoRollback": nil, preferences + "skipMatching": true,
		preferences + "minHealthyPercentage": 100, preferences + "maxHealthyPercentage": 110, preferences + "instanceWarmup": "300",
		preferences + "checkpointPercentages": []any{10.0, 50.0, 100.0}, preferences + "checkpointDelay": "600",
		preferences + "alarmSpecification.alarms": []any{"app-termination-handler-silent"},
	})
	d.find(t, "aws:autoscaling/lifecycleHook:LifecycleHook", "app-termination-web-join").requireInputs(t, map[string]any{
		"lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "heartbeatTimeout": 300, "defaultResult": "ABANDON",
	})
	deployTemplate := func(version string) registration {
		return deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
			args := clusterArgs(stackAccount)
			args.Version = version
			c, err := cluster.NewCluster(ctx, "app", args)
			if err != nil {
				return err
			}
			_, err = tier.NewTier(ctx, "app-web", tierArgs(c))
			return err
		}).find(t, launchTemplate)
	}
	require.Equal(t, deployTemplate("1.33").URN, deployTemplate("1.34").URN, "another Kubernetes version is a version of the same template")
}

func TestTagsStartNoRefresh(t *testing.T) {
	withoutTag := deploy(t, newTier(func(*tier.Args) {}))
	withTag := deploy(t, newTier(func(a *tier.Args) { a.Tags = map[string]string{"CostCenter": "42"} }))
	require.Equal(t, withoutTag.find(t, launchTemplate).Inputs, withTag.find(t, launchTemplate).Inputs, "a new version of the template would start a refresh")
	require.NotEqual(t, withoutTag.find(t, scalingGroup).input("tags"), withTag.find(t, scalingGroup).input("tags"))
	withTag.find(t, scalingGroup).requireInputs(t, map[string]any{"instanceRefresh.triggers": nil})
}

func TestOldImageRaisesAnAlarm(t *testing.T) {
	release, err := instancespec.ParseRelease("1.34-20260923")
	require.NoError(t, err)
	alarm := deploy(t, newTier(func(a *tier.Args) { a.Image.Release, a.AlarmTopicARN = release, "arn:topic" })).find(t, metricAlarm, "app-web-image-age")
	alarm.requireInputs(t, map[string]any{
		"metricQueries[0].expression": "(EPOCH(cpu) - 1790121600) / 86400", "threshold": 60, "comparisonOperator": "GreaterThanThreshold", // 1790121600 is 2026-09-23 00:00 UTC
		"alarmActions": []any{"arn:topic"},
	})
}

// The handler receives the events of the group and may act only on this group. The handler runs
// before the join hook is created, because the hook makes new instances wait for the handler.
func TestHandlerDrainsTheNodesOfItsGroup(t *testing.T) {
	d := deploy(t, newNodes)
	group, queue := d.find(t, scalingGroup), d.find(t, "aws:sqs/queue:Queue")
	queue.requireInputs(t, map[string]any{"messageRetentionSeconds": 300, "sqsManagedSseEnabled": true})
	d.find(t, "aws:cloudwatch/eventRule:EventRule", "app-lifecycle").requireInputs(t, map[string]any{
		"eventPattern": `{"source":["aws.autoscaling"],"detail-type":["EC2 Instance-launch Lifecycle Action","EC2 Instance-terminate Lifecycle Action"],` +
			`"detail":{"AutoScalingGroupName":["progressive-framework-v5-web-test"]}}`,
	})
	require.Equal(t, []string{"app-lifecycle", "app-maintenance", "app-spot", "app-state"}, d.names("aws:cloudwatch/eventRule:EventRule"))
	policy := d.find(t, "aws:sqs/queuePolicy:QueuePolicy")
	require.Contains(t, policy.input("policy"), `"ArnEquals":{"aws:SourceArn":["arn:aws:mock:us-east-1:123456789012:app-lifecycle"`)
	for _, target := range d.ofType("aws:cloudwatch/eventTarget:EventTarget") {
		target.requireDependsOn(t, policy)
	}

	permissions := d.find(t, rolePolicy, "app-termination-policy").input("policy")
	require.Contains(t, permissions, `{"Action":["autoscaling:CompleteLifecycleAction"],"Effect":"Allow","Resource":["arn:aws:mock:us-east-1:123456789012:app-web-group"]`)
	require.Contains(t, permissions, `{"Action":["sqs:DeleteMessage","sqs:ReceiveMessage"],"Effect":"Allow","Resource":["arn:aws:mock:us-east-1:123456789012:app-events"]`)

	handler := d.find(t, k8sDeployment, "app-termination")
	requireRestricted(t, handler, "spec.template.spec", 1000)
	handler.requireInputs(t, map[string]any{"spec.replicas": 2})
	handler.requireDependsOn(t, group, policy, d.find(t, rolePolicy, "app-termination-policy"),
		d.find(t, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "app-termination"))
	env := map[any]any{}
	for _, v := range handler.input("spec.template.spec.containers[0].env").([]any) {
		env[v.(map[string]any)["name"]] = v.(map[string]any)["value"]
	}
	require.Equal(t, "https://sqs.example.com/app-events", env["QUEUE_URL"])
	require.Equal(t, "kubernetes.io/cluster/app", env["MANAGED_TAG"])
	var hasManagedTag bool
	for _, tag := range group.input("tags").([]any) {
		hasManagedTag = hasManagedTag || tag.(map[string]any)["key"] == env["MANAGED_TAG"] && tag.(map[string]any)["propagateAtLaunch"] == true
	}
	require.True(t, hasManagedTag, "instances have the tag by which the handler selects them")

	d.find(t, "aws:autoscaling/lifecycleHook:LifecycleHook", "app-web-drain").requireInputs(t, map[string]any{
		"lifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "heartbeatTimeout": 600, "defaultResult": "CONTINUE",
	})
	d.find(t, "aws:autoscaling/lifecycleHook:LifecycleHook", "app-termination-web-join").requireDependsOn(t, handler)
	d.find(t, "kubernetes:policy/v1:PodDisruptionBudget", "app-termination").requireInputs(t, map[string]any{
		"spec.maxUnavailable": 1, "spec.selector.matchLabels.app": "aws-node-termination-handler",
	})
}

func TestTierHasAnAlarmForEachTarget(t *testing.T) {
	d := deploy(t, newTier(func(a *tier.Args) {
		a.LoadBalancer = pulumi.String("app/alb")
		a.Targets = []tier.Target{{Name: "web", ARN: pulumi.String("arn:web"), ARNSuffix: pulumi.String("targetgroup/web")}}
	}))
	d.find(t, scalingGroup).requireInputs(t, map[string]any{"targetGroupArns": []any{"arn:web"}})
	d.find(t, metricAlarm, "app-web-response-time-high-web").requireInputs(t, map[string]any{
		"threshold": 0.5, "namespace": "AWS/ApplicationELB", "dimensions.TargetGroup": "targetgroup/web", "dimensions.LoadBalancer": "app/alb",
	})
}

func TestAddonsWaitForNodesAndEncryptVolumes(t *testing.T) {
	d := deploy(t, newNodes)
	group := d.find(t, scalingGroup)
	for _, name := range []string{"app-coredns", "app-aws-ebs-csi-driver", "app-metrics-server", "app-aws-secrets-store-csi-driver-provider"} {
		d.find(t, eksAddon, name).requireDependsOn(t, group)
	}
	d.find(t, "kubernetes:storage.k8s.io/v1:StorageClass").requireInputs(t, map[string]any{
		"metadata.name": "fast-ssd", "parameters.encrypted": "true", "parameters.kmsKeyId": "arn:key", "reclaimPolicy": "Retain",
		"volumeBindingMode": "WaitForFirstConsumer",
	})
	require.Contains(t, d.find(t, eksAddon, "app-aws-secrets-store-csi-driver-provider").input("configurationValues"), `"enableSecretRotation":true`)
}

func TestAutoscalerIsScopedToItsCluster(t *testing.T) {
	d := deploy(t, newNodes)
	policy := d.find(t, rolePolicy, "app-policy").input("policy")
	require.Contains(t, policy, `"aws:ResourceTag/k8s.io/cluster-autoscaler/app":["owned"]`)
	require.NotContains(t, policy, `"autoscaling:*"`)
	autoscalerPod := d.find(t, k8sDeployment, "app")
	requireRestricted(t, autoscalerPod, "spec.template.spec", 65534)
	autoscalerPod.requireInputs(t, map[string]any{"spec.template.spec.containers[0].image": "registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.4"})
	autoscalerPod.requireDependsOn(t, d.find(t, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "app"), d.find(t, rolePolicy, "app-policy"))
	for _, kind := range []string{"kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "kubernetes:rbac.authorization.k8s.io/v1:Role"} {
		for _, role := range d.ofType(kind) {
			for _, rule := range role.input("rules").([]any) {
				require.NotContains(t, rule.(map[string]any)["verbs"], "*")
				require.NotContains(t, rule.(map[string]any)["resources"], "secrets")
			}
		}
	}
}
