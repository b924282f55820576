package cost

import (
	"maps"
	"slices"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// itemAdder adds the items of one resource to the report.
type itemAdder func(billing)

// billed maps a resource type to the function that adds the items of such a resource. It has the
// types with a charge that depends on the resource's inputs.
var billed = map[string]itemAdder{
	"aws:ec2/eip:Eip":                 func(b billing) { b.addHourly("public-ipv4", 1) },
	claimType:                         addVolumeClaim,
	"kubernetes:core/v1:Service":      addKubernetesService,
	token[awsview.KmsKey]():           func(b billing) { b.addFixed("kms:key", 1) },
	token[awsview.Ec2NatGateway]():    withView(addNATGateway),
	token[awsview.Ec2VpcEndpoint]():   withView(addVPCEndpoint),
	token[awsview.LbLoadBalancer]():   withView(addLoadBalancer),
	token[awsview.Wafv2WebAcl]():      withView(addWebACL),
	token[awsview.EksCluster]():       withView(addEKSCluster),
	token[awsview.AutoscalingGroup](): withView(addAutoScalingGroup),
	token[awsview.RdsInstance]():      withView(addDatabase),
	token[awsview.DocdbCluster]():     withView(addDocumentCluster),
	token[k8sview.StatefulSet]():      withView(addStatefulSet),

	token[awsview.CloudwatchMetricAlarm]():       withView(addMetricAlarm),
	token[awsview.SecretsmanagerSecret]():        withView(addSecret),
	token[awsview.DocdbClusterInstance]():        withView(addDocumentInstance),
	token[awsview.ElasticacheReplicationGroup](): withView(addReplicationGroup),
}

// token returns the resource type of a view.
func token[T rule.Typed]() string {
	var view T
	return view.Token()
}

// withView returns an itemAdder that passes the resource's typed view to add.
func withView[T rule.Typed](add func(billing, T)) itemAdder {
	return func(b billing) { add(b, value.As[T](b.resource.View())) }
}

// notBilled are the AWS types without a charge that depends on the resource's inputs. They are
// free, or their charge depends on usage. Usage is in the estimates or in NotCounted.
var notBilled = newSet(
	// Free.
	"aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation",
	"aws:autoscaling/attachment:Attachment", "aws:autoscaling/lifecycleHook:LifecycleHook", "aws:autoscaling/policy:Policy",
	"aws:backup/plan:Plan", "aws:backup/selection:Selection",
	"aws:cloudfront/cachePolicy:CachePolicy", "aws:cloudfront/originAccessControl:OriginAccessControl",
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", "aws:cloudfront/vpcOrigin:VpcOrigin",
	"aws:docdb/clusterParameterGroup:ClusterParameterGroup", "aws:docdb/subnetGroup:SubnetGroup",
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
	"aws:ec2/internetGateway:InternetGateway", "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/networkAcl:NetworkAcl",
	"aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation",
	"aws:ec2/securityGroup:SecurityGroup", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc",
	"aws:ecr/lifecyclePolicy:LifecyclePolicy", "aws:eks/accessEntry:AccessEntry",
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "aws:eks/addon:Addon",
	"aws:eks/podIdentityAssociation:PodIdentityAssociation", "aws:elasticache/parameterGroup:ParameterGroup",
	"aws:elasticache/subnetGroup:SubnetGroup", "aws:elasticache/user:User", "aws:elasticache/userGroup:UserGroup",
	"aws:iam/instanceProfile:InstanceProfile", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "aws:iam/policy:Policy",
	"aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
	"aws:kms/alias:Alias", "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule", "aws:lb/targetGroup:TargetGroup",
	"aws:rds/parameterGroup:ParameterGroup", "aws:rds/subnetGroup:SubnetGroup",
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "aws:s3/bucketLoggingV2:BucketLoggingV2",
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls", "aws:s3/bucketPolicy:BucketPolicy",
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
	"aws:s3/bucketVersioningV2:BucketVersioningV2", "aws:secretsmanager/secretVersion:SecretVersion",
	"aws:sqs/queuePolicy:QueuePolicy", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
	// Billed by usage.
	"aws:backup/vault:Vault", // storage of the snapshots, and traffic between regions
	"aws:cloudfront/distribution:Distribution", "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget",
	"aws:cloudwatch/logGroup:LogGroup", "aws:ec2/flowLog:FlowLog", "aws:ecr/repository:Repository",
	"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", // storage, and traffic between regions
	"aws:route53/record:Record", "aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/bucketV2:BucketV2", "aws:sqs/queue:Queue",
)

// newSet returns a set of names.
func newSet(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// BilledTypes returns the types with a charge that depends on the resource's inputs,
// sorted.
func BilledTypes() []string { return slices.Sorted(maps.Keys(billed)) }
