package deployer

// policies are the services of each policy. A policy must fit into MaxPolicy.
var policies = map[string][]string{
	"network":  {"ec2"},
	"cluster":  {"eks", "autoscaling", "ecr", "elasticloadbalancing", "ssm"},
	"identity": {"iam", "kms", "secretsmanager", "sts"},
	"stores":   {"rds", "elasticache", "logs", "cloudwatch", "events", "sqs"},
	"edge":     {"cloudfront", "wafv2", "acm", "route53", "s3"},
}

// resources are the ARNs of the stack's resources, by service.
var resources = map[string][]string{
	"autoscaling": {"arn:aws:autoscaling:*:ACCOUNT:autoScalingGroup:*:autoScalingGroupName/progressive-framework-v5-*-ENVIRONMENT"},
	"cloudwatch": {"arn:aws:cloudwatch:*:ACCOUNT:alarm:pf-ENVIRONMENT-*", "arn:aws:cloudwatch:*:ACCOUNT:alarm:progressive-framework-ENVIRONMENT-*",
		"arn:aws:cloudwatch:*:ACCOUNT:alarm:progressive-framework-v5-*-ENVIRONMENT-*"},
	"ecr":                  {"arn:aws:ecr:*:ACCOUNT:repository/progressive-framework-ENVIRONMENT/*"},
	"eks":                  {"arn:aws:eks:*:ACCOUNT:*/progressive-framework-ENVIRONMENT", "arn:aws:eks:*:ACCOUNT:*/progressive-framework-ENVIRONMENT/*"},
	"elasticache":          {"arn:aws:elasticache:*:ACCOUNT:*:progressive-framework-ENVIRONMENT*"},
	"elasticloadbalancing": {"arn:aws:elasticloadbalancing:*:ACCOUNT:*/app/pf-ENVIRONMENT/*", "arn:aws:elasticloadbalancing:*:ACCOUNT:targetgroup/pf-ENVIRONMENT-*"},
	"events":               {"arn:aws:events:*:ACCOUNT:rule/progressive-framework-ENVIRONMENT-*"},
	"iam":                  {"arn:aws:iam::ACCOUNT:role/progressive-framework-ENVIRONMENT-*", "arn:aws:iam::ACCOUNT:instance-profile/progressive-framework-ENVIRONMENT-*"},
	"kms":                  {"arn:aws:kms:*:ACCOUNT:alias/progressive-framework-ENVIRONMENT*", "arn:aws:kms:*:ACCOUNT:key/*"},
	"logs": {
		"arn:aws:logs:*:ACCOUNT:log-group:/aws/*/progressive-framework-ENVIRONMENT*",
		"arn:aws:logs:*:ACCOUNT:log-group:aws-waf-logs-progressive-framework-ENVIRONMENT*",
	},
	// RDS chooses the ids of automated backups.
	"rds":            {"arn:aws:rds:*:ACCOUNT:*:progressive-framework-ENVIRONMENT*", "arn:aws:rds:*:ACCOUNT:og:default*", "arn:aws:rds:*:ACCOUNT:auto-backup:*"},
	"route53":        {"arn:aws:route53:::hostedzone/HOSTED_ZONE"},
	"s3":             {"arn:aws:s3:::progressive-framework-ENVIRONMENT-*"},
	"secretsmanager": {"arn:aws:secretsmanager:*:ACCOUNT:secret:progressive-framework-ENVIRONMENT-*"},
	"sqs":            {"arn:aws:sqs:*:ACCOUNT:progressive-framework-ENVIRONMENT-*"},
	"ssm":            {"arn:aws:ssm:*::parameter/aws/service/eks/*"},
	"wafv2":          {"arn:aws:wafv2:*:ACCOUNT:*/webacl/progressive-framework-ENVIRONMENT/*", "arn:aws:wafv2:*:*:*/managedruleset/*"},
}

// types has the permissions that each resource type of the stacks needs. The provider has one file
// for each type, with which a row can be compared.
var types = map[string][]grant{
	"aws:acm/certificate:Certificate": {
		on("acm", everything, "RequestCertificate", "AddTagsToCertificate", "DescribeCertificate", "ListTagsForCertificate"),
		on("acm", tagged, "DeleteCertificate", "RemoveTagsFromCertificate"),
	},
	"aws:acm/certificateValidation:CertificateValidation": {on("acm", everything, "DescribeCertificate")},

	"aws:autoscaling/group:Group": {
		on("autoscaling", everything, "Describe*"),
		on("autoscaling", named, "CreateAutoScalingGroup", "UpdateAutoScalingGroup", "DeleteAutoScalingGroup", "CreateOrUpdateTags", "DeleteTags",
			"EnableMetricsCollection", "DisableMetricsCollection", "SuspendProcesses", "ResumeProcesses", "SetInstanceProtection", "StartInstanceRefresh",
			"CancelInstanceRefresh", "AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups", "AttachTrafficSources", "DetachTrafficSources"),
		// The caller needs what a launch template says (EC2 Auto Scaling User Guide,
		// "Control Amazon EC2 launch template usage").
		on("ec2", everything, "RunInstances", "CreateTags"),
	},
	"aws:autoscaling/lifecycleHook:LifecycleHook": {on("autoscaling", named, "PutLifecycleHook", "DeleteLifecycleHook")},
	"aws:autoscaling/policy:Policy":               {on("autoscaling", named, "PutScalingPolicy", "DeletePolicy")},

	"aws:cloudfront/cachePolicy:CachePolicy": {on("cloudfront", everything, "CreateCachePolicy", "GetCachePolicy", "UpdateCachePolicy", "DeleteCachePolicy")},
	"aws:cloudfront/distribution:Distribution": {
		on("cloudfront", everything, "CreateDistribution", "GetDistribution", "GetDistributionConfig", "UpdateDistribution", "TagResource", "UntagResource", "ListTagsForResource"),
		on("cloudfront", tagged, "DeleteDistribution"),
		on("acm", everything, "DescribeCertificate"),
		on("wafv2", everything, "GetWebACL"),
		// For standard logs, CloudFront adds itself to the bucket's ACL with the caller's permissions.
		on("s3", named, "GetBucketAcl", "PutBucketAcl"),
	},
	"aws:cloudfront/originAccessControl:OriginAccessControl": {
		on("cloudfront", everything, "CreateOriginAccessControl", "GetOriginAccessControl", "UpdateOriginAccessControl", "DeleteOriginAccessControl"),
	},
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": {
		on("cloudfront", everything, "CreateResponseHeadersPolicy", "GetResponseHeadersPolicy", "UpdateResponseHeadersPolicy", "DeleteResponseHeadersPolicy"),
	},
	"aws:cloudfront/vpcOrigin:VpcOrigin": {
		on("cloudfront", everything, "CreateVpcOrigin", "GetVpcOrigin", "UpdateVpcOrigin", "DeleteVpcOrigin", "TagResource", "UntagResource", "ListTagsForResource"),
	},

	"aws:cloudwatch/eventRule:EventRule": {
		on("events", named, "PutRule", "DescribeRule", "EnableRule", "DisableRule", "DeleteRule", "TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:cloudwatch/eventTarget:EventTarget": {on("events", named, "PutTargets", "ListTargetsByRule", "RemoveTargets")},
	"aws:cloudwatch/logGroup:LogGroup": {
		on("logs", everything, "DescribeLogGroups"),
		on("logs", named, "CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy", "AssociateKmsKey", "DisassociateKmsKey",
			"TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		on("cloudwatch", everything, "DescribeAlarms"),
		on("cloudwatch", named, "PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource", "ListTagsForResource"),
	},

	// DocumentDB is managed by the API, the ARNs and the actions of RDS.
	"aws:docdb/cluster:Cluster": {
		on("rds", everything, "Describe*"),
		on("rds", named, "CreateDBCluster", "ModifyDBCluster", "DeleteDBCluster", "CreateDBClusterSnapshot", "RestoreDBClusterFromSnapshot",
			"RestoreDBClusterToPointInTime", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"),
	},
	"aws:docdb/clusterInstance:ClusterInstance":             {on("rds", named, "CreateDBInstance", "ModifyDBInstance", "DeleteDBInstance")},
	"aws:docdb/clusterParameterGroup:ClusterParameterGroup": {on("rds", named, "CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup", "DeleteDBClusterParameterGroup")},
	"aws:docdb/subnetGroup:SubnetGroup":                     {on("rds", named, "CreateDBSubnetGroup", "ModifyDBSubnetGroup", "DeleteDBSubnetGroup")},

	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
		on("ec2", everything, "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"), // AWS's own group has no tag yet
	},
	"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": {
		on("ec2", everything, "CreateEgressOnlyInternetGateway"), on("ec2", tagged, "DeleteEgressOnlyInternetGateway"),
	},
	"aws:ec2/eip:Eip":         {on("ec2", everything, "AllocateAddress"), on("ec2", tagged, "ReleaseAddress")},
	"aws:ec2/flowLog:FlowLog": {on("ec2", everything, "CreateFlowLogs"), on("ec2", tagged, "DeleteFlowLogs"), on("logs", everything, "CreateLogDelivery", "DeleteLogDelivery")},
	"aws:ec2/internetGateway:InternetGateway": {
		on("ec2", everything, "CreateInternetGateway", "AttachInternetGateway"), on("ec2", tagged, "DetachInternetGateway", "DeleteInternetGateway"),
	},
	"aws:ec2/launchTemplate:LaunchTemplate": {
		on("ec2", everything, "CreateLaunchTemplate"), on("ec2", tagged, "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "DeleteLaunchTemplate"),
	},
	"aws:ec2/natGateway:NatGateway": {on("ec2", everything, "CreateNatGateway"), on("ec2", tagged, "DeleteNatGateway")},
	"aws:ec2/networkAcl:NetworkAcl": {
		on("ec2", everything, "CreateNetworkAcl", "ReplaceNetworkAclAssociation"), // a new association takes the subnet from the VPC's default ACL
		on("ec2", tagged, "CreateNetworkAclEntry", "ReplaceNetworkAclEntry", "DeleteNetworkAclEntry", "DeleteNetworkAcl"),
	},
	"aws:ec2/route:Route":                                 {on("ec2", tagged, "CreateRoute", "ReplaceRoute", "DeleteRoute")},
	"aws:ec2/routeTable:RouteTable":                       {on("ec2", everything, "CreateRouteTable"), on("ec2", tagged, "DeleteRouteTable")},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {on("ec2", everything, "AssociateRouteTable", "ReplaceRouteTableAssociation", "DisassociateRouteTable")},
	"aws:ec2/securityGroup:SecurityGroup": {
		on("ec2", everything, "CreateSecurityGroup", "RevokeSecurityGroupEgress"), on("ec2", tagged, "DeleteSecurityGroup"),
	},
	"aws:ec2/subnet:Subnet": {
		on("ec2", everything, "CreateSubnet", "AssociateSubnetCidrBlock"), on("ec2", tagged, "ModifySubnetAttribute", "DisassociateSubnetCidrBlock", "DeleteSubnet"),
	},
	"aws:ec2/vpc:Vpc": {
		on("ec2", everything, "Describe*", "CreateVpc", "CreateTags", "AssociateVpcCidrBlock"),
		on("ec2", tagged, "ModifyVpcAttribute", "DisassociateVpcCidrBlock", "DeleteVpc", "DeleteTags"),
	},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {on("ec2", everything, "CreateVpcEndpoint"), on("ec2", tagged, "ModifyVpcEndpoint", "DeleteVpcEndpoints")},
	// The rules may be in security groups that EKS and CloudFront create. These groups do not have
	// the stack's tags.
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
		on("ec2", everything, "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "ModifySecurityGroupRules"),
	},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
		on("ec2", everything, "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "ModifySecurityGroupRules"),
	},

	"aws:ecr/repository:Repository": {
		on("ecr", named, "CreateRepository", "DescribeRepositories", "DeleteRepository", "PutImageScanningConfiguration", "PutImageTagMutability",
			"TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":   {on("ecr", named, "PutLifecyclePolicy", "GetLifecyclePolicy", "DeleteLifecyclePolicy")},
	"aws:ecr/repositoryPolicy:RepositoryPolicy": {on("ecr", named, "SetRepositoryPolicy", "GetRepositoryPolicy", "DeleteRepositoryPolicy")},

	"aws:eks/accessEntry:AccessEntry": {on("eks", named, "CreateAccessEntry", "DescribeAccessEntry", "UpdateAccessEntry", "DeleteAccessEntry")},
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {
		on("eks", named, "AssociateAccessPolicy", "ListAssociatedAccessPolicies", "DisassociateAccessPolicy"),
	},
	"aws:eks/addon:Addon": {on("eks", named, "CreateAddon", "DescribeAddon", "UpdateAddon", "DeleteAddon", "DescribeUpdate"), on("eks", everything, "DescribeAddonVersions")},
	"aws:eks/cluster:Cluster": {
		on("eks", everything, "CreateCluster"), // CreateCluster has no resource
		on("eks", named, "DescribeCluster", "UpdateClusterConfig", "UpdateClusterVersion", "DescribeUpdate", "DeleteCluster",
			"AssociateEncryptionConfig", "TagResource", "UntagResource", "ListTagsForResource"),
		on("kms", tagged, "DescribeKey", "CreateGrant"),
	},
	"aws:eks/podIdentityAssociation:PodIdentityAssociation": {
		on("eks", named, "CreatePodIdentityAssociation", "DescribePodIdentityAssociation", "ListPodIdentityAssociations", "UpdatePodIdentityAssociation", "DeletePodIdentityAssociation"),
	},

	"aws:elasticache/parameterGroup:ParameterGroup": {
		on("elasticache", everything, "Describe*"),
		on("elasticache", named, "CreateCacheParameterGroup", "ModifyCacheParameterGroup", "ResetCacheParameterGroup", "DeleteCacheParameterGroup",
			"AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"),
	},
	"aws:elasticache/replicationGroup:ReplicationGroup": {
		on("elasticache", named, "CreateReplicationGroup", "ModifyReplicationGroup", "ModifyReplicationGroupShardConfiguration", "IncreaseReplicaCount",
			"DecreaseReplicaCount", "CreateSnapshot", "DeleteReplicationGroup"),
		on("kms", tagged, "DescribeKey", "CreateGrant"),
		on("logs", everything, "CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies"),
	},
	"aws:elasticache/subnetGroup:SubnetGroup": {on("elasticache", named, "CreateCacheSubnetGroup", "ModifyCacheSubnetGroup", "DeleteCacheSubnetGroup")},
	"aws:elasticache/user:User":               {on("elasticache", named, "CreateUser", "ModifyUser", "DeleteUser")},
	"aws:elasticache/userGroup:UserGroup":     {on("elasticache", named, "CreateUserGroup", "ModifyUserGroup", "DeleteUserGroup")},

	"aws:iam/instanceProfile:InstanceProfile": {
		on("iam", named, "CreateInstanceProfile", "GetInstanceProfile", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile", "DeleteInstanceProfile",
			"TagInstanceProfile", "UntagInstanceProfile", "ListInstanceProfileTags"),
	},
	"aws:iam/role:Role": {
		on("iam", bounded, "CreateRole", "PutRolePermissionsBoundary"),
		on("iam", named, "GetRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy", "DeleteRole",
			"TagRole", "UntagRole", "ListRoleTags", "ListRolePolicies", "ListAttachedRolePolicies", "ListInstanceProfilesForRole"),
	},
	"aws:iam/rolePolicy:RolePolicy":                     {on("iam", bounded, "PutRolePolicy"), on("iam", named, "GetRolePolicy", "DeleteRolePolicy")},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {on("iam", bounded, "AttachRolePolicy"), on("iam", named, "DetachRolePolicy", "ListAttachedRolePolicies")},

	"aws:kms/alias:Alias": {on("kms", everything, "ListAliases"), on("kms", named, "CreateAlias", "UpdateAlias", "DeleteAlias")},
	"aws:kms/key:Key": {
		on("kms", everything, "CreateKey", "TagResource"), // CreateKey tags the key that it creates
		on("kms", tagged, "DescribeKey", "GetKeyPolicy", "GetPublicKey", "PutKeyPolicy", "GetKeyRotationStatus", "EnableKeyRotation", "DisableKeyRotation", "UpdateKeyDescription",
			"EnableKey", "DisableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "ListResourceTags", "UntagResource"),
	},

	"aws:lb/listener:Listener": {
		on("elasticloadbalancing", named, "CreateListener", "ModifyListener", "ModifyListenerAttributes", "DeleteListener", "AddListenerCertificates", "RemoveListenerCertificates"),
		on("acm", everything, "DescribeCertificate"),
	},
	"aws:lb/listenerRule:ListenerRule": {on("elasticloadbalancing", named, "CreateRule", "ModifyRule", "SetRulePriorities", "DeleteRule")},
	"aws:lb/loadBalancer:LoadBalancer": {
		on("elasticloadbalancing", everything, "Describe*", "CreateLoadBalancer", "AddTags"),
		on("elasticloadbalancing", named, "ModifyLoadBalancerAttributes", "SetSecurityGroups", "SetSubnets", "SetIpAddressType", "DeleteLoadBalancer", "RemoveTags"),
	},
	"aws:lb/targetGroup:TargetGroup": {on("elasticloadbalancing", named, "CreateTargetGroup", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup")},

	"aws:rds/instance:Instance": {
		on("rds", named, "CreateDBInstance", "ModifyDBInstance", "RebootDBInstance", "DeleteDBInstance", "CreateDBSnapshot",
			"RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime", "AddTagsToResource"),
		on("kms", tagged, "DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt"),
	},
	"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": {
		on("rds", named, "StartDBInstanceAutomatedBackupsReplication", "StopDBInstanceAutomatedBackupsReplication"),
		on("rds", everything, "Describe*"),
		on("kms", tagged, "DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt"),
	},
	"aws:rds/parameterGroup:ParameterGroup": {on("rds", named, "CreateDBParameterGroup", "ModifyDBParameterGroup", "ResetDBParameterGroup", "DeleteDBParameterGroup")},
	"aws:rds/subnetGroup:SubnetGroup":       {on("rds", named, "CreateDBSubnetGroup", "ModifyDBSubnetGroup", "DeleteDBSubnetGroup")},

	"aws:route53/record:Record": {
		on("route53", everything, "GetChange", "ListHostedZones"),
		on("route53", named, "ChangeResourceRecordSets", "ListResourceRecordSets", "GetHostedZone", "ListTagsForResource"),
	},

	"aws:s3/bucketV2:BucketV2": {
		// The provider reads every part of a bucket, also parts that the stack does not set.
		on("s3", named, "CreateBucket", "DeleteBucket", "ListBucket", "ListBucketVersions", "GetBucket*", "GetAccelerateConfiguration", "GetReplicationConfiguration",
			"GetLifecycleConfiguration", "GetEncryptionConfiguration", "PutBucketTagging", "DeleteObject", "DeleteObjectVersion"),
	},
	"aws:s3/bucketObjectv2:BucketObjectv2":                                                       {on("s3", named, "PutObject", "GetObject*", "PutObjectTagging", "DeleteObject", "DeleteObjectVersion", "ListBucketVersions", "AbortMultipartUpload")},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       {on("s3", named, "PutLifecycleConfiguration", "GetLifecycleConfiguration")},
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     {on("s3", named, "PutBucketLogging", "GetBucket*")},
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     {on("s3", named, "PutBucketOwnershipControls", "GetBucket*")},
	"aws:s3/bucketPolicy:BucketPolicy":                                                           {on("s3", named, "PutBucketPolicy", "GetBucket*", "DeleteBucketPolicy")},
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     {on("s3", named, "PutBucketPublicAccessBlock", "GetBucket*")},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {on("s3", named, "PutEncryptionConfiguration", "GetEncryptionConfiguration")},
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               {on("s3", named, "PutBucketVersioning", "GetBucket*")},

	"aws:secretsmanager/secret:Secret": {
		on("secretsmanager", named, "CreateSecret", "DescribeSecret", "UpdateSecret", "DeleteSecret", "RestoreSecret", "GetResourcePolicy", "TagResource", "UntagResource"),
		on("kms", tagged, "GenerateDataKey", "Decrypt"),
	},
	"aws:secretsmanager/secretPolicy:SecretPolicy":   {on("secretsmanager", named, "PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy", "ValidateResourcePolicy")},
	"aws:secretsmanager/secretVersion:SecretVersion": {on("secretsmanager", named, "PutSecretValue", "GetSecretValue", "UpdateSecretVersionStage")},

	"aws:sqs/queue:Queue": {
		on("sqs", named, "CreateQueue", "GetQueueAttributes", "SetQueueAttributes", "DeleteQueue", "TagQueue", "UntagQueue", "ListQueueTags"),
	},
	"aws:sqs/queuePolicy:QueuePolicy": {on("sqs", named, "GetQueueAttributes", "SetQueueAttributes")},

	"aws:wafv2/webAcl:WebAcl": {
		on("wafv2", everything, "GetWebACL", "DescribeManagedRuleGroup", "ListAvailableManagedRuleGroups"),
		on("wafv2", named, "CreateWebACL", "UpdateWebACL", "DeleteWebACL", "TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {
		on("wafv2", named, "PutLoggingConfiguration", "GetLoggingConfiguration", "DeleteLoggingConfiguration"),
		// AWS WAF Developer Guide, "Sending web ACL traffic logs to a CloudWatch Logs log group".
		on("logs", everything, "CreateLogDelivery", "DeleteLogDelivery", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
	},
}

// always are the permissions for the functions that the program calls, for images, and for the
// kubeconfig.
var always = []grant{
	on("sts", everything, "GetCallerIdentity"),
	on("ssm", named, "GetParameter"),
	on("secretsmanager", everything, "GetRandomPassword"),
	on("ecr", everything, "GetAuthorizationToken"),
	// Amazon ECR User Guide, "IAM permissions for pushing an image".
	on("ecr", named, "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "DescribeImages", "GetDownloadUrlForLayer", "InitiateLayerUpload",
		"ListImages", "PutImage", "UploadLayerPart", "BatchDeleteImage"),
}

// extra are statements that belong to no resource type.
var extra = map[string][]statement{
	"iam": {
		{
			Sid: "IamPass", Effect: "Allow", Action: []string{"iam:PassRole"},
			Resource:  []string{"arn:aws:iam::ACCOUNT:role/progressive-framework-ENVIRONMENT-*"},
			Condition: map[string]map[string]string{"StringLike": {"iam:PassedToService": "*.amazonaws.com"}},
		},
		// The first resource of a service in an account creates the service's own role.
		{
			Sid: "IamServiceLinkedRoles", Effect: "Allow", Action: []string{"iam:CreateServiceLinkedRole", "iam:GetRole"},
			Resource: serviceLinkedRoles(),
		},
	},
	// A promotion reads the images of another stack (Amazon ECR User Guide, "IAM permissions
	// for pulling an image").
	"ecr": {{
		Sid: "EcrPromotion", Effect: "Allow", Action: []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		Resource: []string{"arn:aws:ecr:*:ACCOUNT:repository/progressive-framework-*"},
	}},
	// RDS and DocumentDB create the secrets of their managed passwords for the caller
	// (RDS User Guide, "Permissions required for Secrets Manager integration").
	"secretsmanager": {{
		Sid: "ManagedPasswords", Effect: "Allow", Action: []string{"secretsmanager:CreateSecret", "secretsmanager:DescribeSecret", "secretsmanager:RotateSecret", "secretsmanager:TagResource"},
		Resource: []string{"arn:aws:secretsmanager:*:ACCOUNT:secret:rds!*"},
	}},
}

// serviceLinkedRoles returns the ARNs of the service-linked roles of the services that the stacks
// use (IAM User Guide, "AWS services that work with IAM").
func serviceLinkedRoles() []string {
	var arns []string
	for _, service := range []string{
		"autoscaling", "eks", "elasticache", "elasticloadbalancing", "rds", "spot", "vpcorigin.cloudfront", "wafv2",
	} {
		arns = append(arns, "arn:aws:iam::ACCOUNT:role/aws-service-role/"+service+".amazonaws.com/*")
	}
	return arns
}
