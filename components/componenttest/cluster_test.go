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
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

func clusterArgs(where *account.Account) *cluster.Args {
	return &cluster.Args{
		Account: where, ClusterName: "app", Version: "1.34", VPCID: pulumi.String("vpc-1"), KeyARN: pulumi.String("arn:key"),
		Subnets:           map[string]pulumi.StringInput{"us-east-1a": pulumi.String("subnet-a"), "us-east-1b": pulumi.String("subnet-b"), "us-east-1c": pulumi.String("subnet-c")},
		ControlPlaneZones: []string{"us-east-1b", "us-east-1a"},
	}
}

func newCluster(change func(*cluster.Args)) program {
	return func(ctx *pulumi.Context, where *account.Account) error {
		args := clusterArgs(where)
		change(args)
		_, err := cluster.NewCluster(ctx, "app", args)
		return err
	}
}

func tierArgs(c *cluster.Cluster) *tier.Args {
	return &tier.Args{
		Profile: scaling.WebNodes(), Owner: scaling.ClusterAutoscaler{ClusterName: "app"}, Environment: "test", Cluster: c,
		SubnetIDs: subnets, Fleet: instancespec.DefaultFleet(), KeyARN: pulumi.String("arn:key"),
	}
}

func newTier(change func(*tier.Args)) program {
	return func(ctx *pulumi.Context, where *account.Account) error {
		c, err := cluster.NewCluster(ctx, "app", clusterArgs(where))
		if err != nil {
			return err
		}
		args := tierArgs(c)
		change(args)
		_, err = tier.NewTier(ctx, "app-web", args)
		return err
	}
}

// newNodes is a cluster with a tier, the add-ons and the Cluster Autoscaler.
func newNodes(ctx *pulumi.Context, where *account.Account) error {
	c, err := cluster.NewCluster(ctx, "app", clusterArgs(where))
	if err != nil {
		return err
	}
	web, err := tier.NewTier(ctx, "app-web", tierArgs(c))
	if err != nil {
		return err
	}
	if _, err := addons.NewAddons(ctx, "app", &addons.Args{Account: where, Cluster: c, KeyARN: pulumi.String("arn:key"), Nodes: web.Settled}); err != nil {
		return err
	}
	_, err = autoscaler.NewAutoscaler(ctx, "app", &autoscaler.Args{
		Account: where, Cluster: c, Options: scaling.DefaultClusterAutoscaler(), Nodes: web.Settled,
	})
	return err
}

const (
	eksCluster     = "aws:eks/cluster:Cluster"
	eksAddon       = "aws:eks/addon:Addon"
	launchTemplate = "aws:ec2/launchTemplate:LaunchTemplate"
	scalingGroup   = "aws:autoscaling/group:Group"
	metricAlarm    = "aws:cloudwatch/metricAlarm:MetricAlarm"
	rolePolicy     = "aws:iam/rolePolicy:RolePolicy"
	attachment     = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
)

func TestControlPlaneIsPrivateAndEncrypted(t *testing.T) {
	d := deploy(t, newCluster(func(*cluster.Args) {}))
	c := d.one(t, eksCluster)
	c.has(t, map[string]any{
		"name": "app", "version": "1.34", "vpcConfig.endpointPrivateAccess": true, "vpcConfig.endpointPublicAccess": false,
		"vpcConfig.subnetIds": []any{"subnet-a", "subnet-b"}, "accessConfig.authenticationMode": "API",
		"encryptionConfig.provider.keyArn": "arn:key", "encryptionConfig.resources": []any{"secrets"}, "bootstrapSelfManagedAddons": false,
		"upgradePolicy.supportType": "STANDARD",
		"enabledClusterLogTypes":    []any{"api", "audit", "authenticator", "controllerManager", "scheduler"},
	})
	log := d.one(t, "aws:cloudwatch/logGroup:LogGroup")
	log.has(t, map[string]any{"name": "/aws/eks/app/cluster", "kmsKeyId": "arn:key"})
	c.dependsOn(t, log, d.one(t, attachment, "app-control-plane-amazoneksclusterpolicy"))

	public := deploy(t, newCluster(func(a *cluster.Args) { a.PublicAccessCIDRs = []string{"203.0.113.0/24"} })).one(t, eksCluster)
	public.has(t, map[string]any{"vpcConfig.endpointPublicAccess": true, "vpcConfig.publicAccessCidrs": []any{"203.0.113.0/24"}})
}

// Nodes are reached by each other and, on a few ports, by the control plane.
func TestNodesAreReachedByTheClusterOnly(t *testing.T) {
	d := deploy(t, newCluster(func(*cluster.Args) {}))
	for _, rule := range d.ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		rule.has(t, map[string]any{"cidrIpv4": nil, "cidrIpv6": nil, "prefixListId": nil})
		require.Contains(t, []any{"app-node-id", "sg-eks"}, rule.get("referencedSecurityGroupId"), rule.Name)
	}
	d.one(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "app-node-from-control-plane-kubelet").
		has(t, map[string]any{"fromPort": 10250, "toPort": 10250, "securityGroupId": "app-node-id", "referencedSecurityGroupId": "sg-eks"})
}

func TestNodeRoleHasTheLeastPermissions(t *testing.T) {
	policies := func(d deployment) []string {
		var arns []string
		for _, a := range d.ofType(attachment) {
			if a.get("role") == "app-node-role" {
				arns = append(arns, a.get("policyArn").(string))
			}
		}
		return arns
	}
	least := []string{"arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"}
	require.ElementsMatch(t, least, policies(deploy(t, newCluster(func(*cluster.Args) {}))))
	require.ElementsMatch(t, append(least, "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
		policies(deploy(t, newCluster(func(a *cluster.Args) { a.SessionManager = true }))))
}

func TestAdminsHaveTheCluster(t *testing.T) {
	d := deploy(t, newCluster(func(a *cluster.Args) { a.Admins = []string{"arn:aws:iam::123456789012:role/ops/platform"} }))
	d.one(t, "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "app-admin-platform").has(t, map[string]any{
		"principalArn": "arn:aws:iam::123456789012:role/ops/platform", "accessScope.type": "cluster",
		"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
	})
}

func TestNodesAreEncryptedAndAnswerPodsNoMetadata(t *testing.T) {
	template := deploy(t, newTier(func(*tier.Args) {})).one(t, launchTemplate)
	template.has(t, map[string]any{
		"metadataOptions.httpTokens": "required", "metadataOptions.httpPutResponseHopLimit": 1,
		"blockDeviceMappings[0].ebs.encrypted": "true", "blockDeviceMappings[0].ebs.kmsKeyId": "arn:key", "blockDeviceMappings[0].ebs.volumeSize": 50,
		"networkInterfaces[0].associatePublicIpAddress": "false", "networkInterfaces[0].securityGroups": []any{"app-node-id"},
		"imageId": "ami-recommended", "keyName": nil,
	})
	require.Equal(t, []string{"imageId"}, template.IgnoreChanges, "a new image would replace every node")
	data, err := base64.StdEncoding.DecodeString(template.get("userData").(string))
	require.NoError(t, err)
	require.Contains(t, string(data), "https://eks.example.com")
	require.Contains(t, string(data), scaling.NodeLabel+"=web")

	named := deploy(t, newTier(func(a *tier.Args) { a.ImageID = "ami-1" })).one(t, launchTemplate)
	named.has(t, map[string]any{"imageId": "ami-1"})
	require.Empty(t, named.IgnoreChanges)
}

// The count belongs to what scales the group, and the group has one scale-in
// owner.
func TestGroupHasOneScaleInOwner(t *testing.T) {
	tags := func(group registration) []any {
		var keys []any
		for _, tag := range group.get("tags").([]any) {
			keys = append(keys, tag.(map[string]any)["key"])
		}
		return keys
	}
	d := deploy(t, newTier(func(*tier.Args) {}))
	group := d.one(t, scalingGroup)
	group.has(t, map[string]any{
		"name": "progressive-framework-v5-web-test", "minSize": 3, "desiredCapacity": 6, "maxSize": 30,
		"suspendedProcesses": []any{"AZRebalance"}, "healthCheckType": "EC2",
		"mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity": 100,
		"mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version":        "7",
	})
	require.Equal(t, []string{"desiredCapacity"}, group.IgnoreChanges)
	require.Contains(t, tags(group), scaling.DiscoveryCluster("app"))
	require.NotContains(t, d.names(metricAlarm), "app-web-cpu-low")
	require.Contains(t, d.names(metricAlarm), "app-web-cpu-high")
	for _, needed := range d.ofType(eksAddon) {
		group.dependsOn(t, needed)
	}

	d = deploy(t, newTier(func(a *tier.Args) { a.Owner = scaling.ScalingPolicies{} }))
	require.NotContains(t, tags(d.one(t, scalingGroup)), scaling.DiscoveryCluster("app"))
	require.Contains(t, d.names(metricAlarm), "app-web-cpu-low")
}

func TestAlarmsWatchEveryTarget(t *testing.T) {
	d := deploy(t, newTier(func(a *tier.Args) {
		a.LoadBalancer = pulumi.String("app/alb")
		a.Targets = []tier.Target{{Name: "web", ARN: pulumi.String("arn:web"), ARNSuffix: pulumi.String("targetgroup/web")}}
	}))
	d.one(t, scalingGroup).has(t, map[string]any{"targetGroupArns": []any{"arn:web"}})
	d.one(t, metricAlarm, "app-web-response-time-high-web").has(t, map[string]any{
		"threshold": 0.5, "namespace": "AWS/ApplicationELB", "dimensions.TargetGroup": "targetgroup/web", "dimensions.LoadBalancer": "app/alb",
	})
}

func TestAddonsWaitForNodesAndEncryptVolumes(t *testing.T) {
	d := deploy(t, newNodes)
	group := d.one(t, scalingGroup)
	for _, name := range []string{"app-coredns", "app-aws-ebs-csi-driver", "app-metrics-server", "app-aws-secrets-store-csi-driver-provider"} {
		d.one(t, eksAddon, name).dependsOn(t, group)
	}
	d.one(t, "kubernetes:storage.k8s.io/v1:StorageClass").has(t, map[string]any{
		"metadata.name": "fast-ssd", "parameters.encrypted": "true", "parameters.kmsKeyId": "arn:key", "reclaimPolicy": "Retain",
		"volumeBindingMode": "WaitForFirstConsumer",
	})
	require.Contains(t, d.one(t, eksAddon, "app-aws-secrets-store-csi-driver-provider").get("configurationValues"), `"enableSecretRotation":true`)
}

func TestAutoscalerIsScopedToItsCluster(t *testing.T) {
	d := deploy(t, newNodes)
	policy := d.one(t, rolePolicy, "app-policy").get("policy")
	require.Contains(t, policy, `"aws:ResourceTag/k8s.io/cluster-autoscaler/app":["owned"]`)
	require.NotContains(t, policy, `"autoscaling:*"`)
	deployed := d.one(t, "kubernetes:apps/v1:Deployment")
	requireRestricted(t, deployed, "spec.template.spec", 65534)
	deployed.has(t, map[string]any{"spec.template.spec.containers[0].image": "registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.4"})
	deployed.dependsOn(t, d.one(t, "aws:eks/podIdentityAssociation:PodIdentityAssociation"), d.one(t, rolePolicy, "app-policy"))
	for _, kind := range []string{"kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "kubernetes:rbac.authorization.k8s.io/v1:Role"} {
		for _, rule := range d.one(t, kind).get("rules").([]any) {
			require.NotContains(t, rule.(map[string]any)["verbs"], "*")
			require.NotContains(t, rule.(map[string]any)["resources"], "secrets")
		}
	}
}
