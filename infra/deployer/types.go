package deployer

// policyServices are the services of each policy, by the policy's name. A policy must fit into
// MaxPolicy.
var policyServices = map[string][]string{
	"network":  {"ec2"},
	"cluster":  {"eks", "autoscaling", "ecr", "elasticloadbalancing", "ssm"},
	"identity": {"iam", "kms", "secretsmanager", "sts"},
	"stores":   {"rds", "elasticache", "logs", "cloudwatch", "events", "sqs", "backup"},
	"edge":     {"cloudfront", "wafv2", "acm", "route53", "s3"},
}

// resourceARNs are the ARNs of the stack's resources, by service.
var resourceARNs = map[string][]string{
	"autoscaling": {"arn:aws:autoscaling:*:ACCOUNT:autoScalingGroup:*:autoScalingGroupName/progressive-framework-v5-*-ENVIRONMENT"},
	// AWS Backup chooses the ids of plans.
	"backup": {"arn:aws:backup:*:ACCOUNT:backup-vault:progressive-framework-ENVIRONMENT-*", "arn:aws:backup:*:ACCOUNT:backup-plan:*"},
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

// grantsByType has the permissions that each resource type of the stacks needs. The AWS provider
// has one file for each type, with the calls that a row must permit.
var grantsByType = map[string][]grant{
	"aws:acm/certificate:Certificate": {
		allow("acm", everything, "RequestCertificate", "AddTagsToCertificate", "DescribeCertificate", "ListTagsForCertificate"),
		allow("acm", tagged, "DeleteCertificate", "RemoveTagsFromCertificate"),
	},
	"aws:acm/certificateValidation:CertificateValidation": {allow("acm", everything, "DescribeCertificate")},

	"aws:autoscaling/group:Group": {
		allow("autoscaling", everything, "Describe*"),
		allow("autoscaling", named, "CreateAutoScalingGroup", "UpdateAutoScalingGroup", "DeleteAutoScalingGroup", "CreateOrUpdateTags", "DeleteTags",
			"EnableMetricsCollection", "DisableMetricsCollection", "SuspendProcesses", "ResumeProcesses", "SetInstanceProtection", "StartInstanceRefresh",
			"CancelInstanceRefresh", "AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups", "AttachTrafficSources", "DetachTrafficSources"),
		// The caller needs the permissions to start an instance with the launch template (EC2 Auto
		// Scaling User Guide, "Control Amazon EC2 launch template usage").
		allow("ec2", everything, "RunInstances", "CreateTags"),
	},
	"aws:autoscaling/lifecycleHook:LifecycleHook": {allow("autoscaling", named, "PutLifecycleHook", "DeleteLifecycleHook")},
	"aws:autoscaling/policy:Policy":               {allow("autoscaling", named, "PutScalingPolicy", "DeletePolicy")},

	"aws:backup/plan:Plan":           {allow("backup", named, "CreateBackupPlan", "GetBackupPlan", "UpdateBackupPlan", "DeleteBackupPlan", "TagResource", "UntagResource", "ListTags")},
	"aws:backup/selection:Selection": {allow("backup", named, "CreateBackupSelection", "GetBackupSelection", "DeleteBackupSelection")},
	"aws:backup/vault:Vault": {
		// A vault with discardData lists and deletes its snapshots. They have ARNs of RDS.
		allow("backup", named, "CreateBackupVault", "DescribeBackupVault", "DeleteBackupVault", "ListRecoveryPointsByBackupVault", "TagResource", "UntagResource", "ListTags"),
		allow("backup", tagged, "DescribeRecoveryPoint", "DeleteRecoveryPoint"),
		allow("kms", tagged, "DescribeKey", "CreateGrant", "RetireGrant", "GenerateDataKey", "Decrypt"),
	},

	"aws:cloudfront/cachePolicy:CachePolicy": {allow("cloudfront", everything, "CreateCachePolicy", "GetCachePolicy", "UpdateCachePolicy", "DeleteCachePolicy")},
	"aws:cloudfront/distribution:Distribution": {
		allow("cloudfront", everything, "CreateDistribution", "GetDistribution", "GetDistributionConfig", "UpdateDistribution", "TagResource", "UntagResource", "ListTagsForResource"),
		allow("cloudfront", tagged, "DeleteDistribution"),
		allow("acm", everything, "DescribeCertificate"),
		allow("wafv2", everything, "GetWebACL"),
		// For standard logs, CloudFront adds itself to the bucket's ACL with the caller's permissions.
		allow("s3", named, "GetBucketAcl", "PutBucketAcl"),
	},
	"aws:cloudfront/originAccessControl:OriginAccessControl": {
		allow("cloudfront", everything, "CreateOriginAccessControl", "GetOriginAccessControl", "UpdateOriginAccessControl", "DeleteOriginAccessControl"),
	},
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": {
		allow("cloudfront", everything, "CreateResponseHeadersPolicy", "GetResponseHeadersPolicy", "UpdateResponseHeadersPolicy", "DeleteResponseHeadersPolicy"),
	},
	"aws:cloudfront/vpcOrigin:VpcOrigin": {
		allow("cloudfront", everything, "CreateVpcOrigin", "GetVpcOrigin", "UpdateVpcOrigin", "DeleteVpcOrigin", "TagResource", "UntagResource", "ListTagsForResource"),
	},

	"aws:cloudwatch/eventRule:EventRule": {
		allow("events", named, "PutRule", "DescribeRule", "EnableRule", "DisableRule", "DeleteRule", "TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:cloudwatch/eventTarget:EventTarget": {allow("events", named, "PutTargets", "ListTargetsByRule", "RemoveTargets")},
	"aws:cloudwatch/logGroup:LogGroup": {
		allow("logs", everything, "DescribeLogGroups"),
		allow("logs", named, "CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy", "AssociateKmsKey", "DisassociateKmsKey",
			"TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		allow("cloudwatch", everything, "DescribeAlarms"),
		allow("cloudwatch", named, "PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource", "ListTagsForResource"),
	},

	// DocumentDB is managed by the API, the ARNs and the actions of RDS.
	"aws:docdb/cluster:Cluster": {
		allow("rds", everything, "Describe*"),
		allow("rds", named, "CreateDBCluster", "ModifyDBCluster", "DeleteDBCluster", "CreateDBClusterSnapshot", "RestoreDBClusterFromSnapshot",
			"RestoreDBClusterToPointInTime", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"),
	},
	"aws:docdb/clusterInstance:ClusterInstance":             {allow("rds", named, "CreateDBInstance", "ModifyDBInstance", "DeleteDBInstance")},
	"aws:docdb/clusterParameterGroup:ClusterParameterGroup": {allow("rds", named, "CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup", "DeleteDBClusterParameterGroup")},
	"aws:docdb/subnetGroup:SubnetGroup":                     {allow("rds", named, "CreateDBSubnetGroup", "ModifyDBSubnetGroup", "DeleteDBSubnetGroup")},

	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
		allow("ec2", everything, "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"), // AWS's own group has no tag yet
	},
	"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": {
		allow("ec2", everything, "CreateEgressOnlyInternetGateway"), allow("ec2", tagged, "DeleteEgressOnlyInternetGateway"),
	},
	"aws:ec2/eip:Eip":         {allow("ec2", everything, "AllocateAddress"), allow("ec2", tagged, "ReleaseAddress")},
	"aws:ec2/flowLog:FlowLog": {allow("ec2", everything, "CreateFlowLogs"), allow("ec2", tagged, "DeleteFlowLogs"), allow("logs", everything, "CreateLogDelivery", "DeleteLogDelivery")},
	"aws:ec2/internetGateway:InternetGateway": {
		allow("ec2", everything, "CreateInternetGateway", "AttachInternetGateway"), allow("ec2", tagged, "DetachInternetGateway", "DeleteInternetGateway"),
	},
	"aws:ec2/launchTemplate:LaunchTemplate": {
		allow("ec2", everything, "CreateLaunchTemplate"), allow("ec2", tagged, "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "DeleteLaunchTemplate"),
	},
	"aws:ec2/natGateway:NatGateway": {allow("ec2", everything, "CreateNatGateway"), allow("ec2", tagged, "DeleteNatGateway")},
	"aws:ec2/networkAcl:NetworkAcl": {
		allow("ec2", everything, "CreateNetworkAcl", "ReplaceNetworkAclAssociation"), // a new association takes the subnet from the VPC's default ACL
		allow("ec2", tagged, "CreateNetworkAclEntry", "ReplaceNetworkAclEntry", "DeleteNetworkAclEntry", "DeleteNetworkAcl"),
	},
	"aws:ec2/route:Route":                                 {allow("ec2", tagged, "CreateRoute", "ReplaceRoute", "DeleteRoute")},
	"aws:ec2/routeTable:RouteTable":                       {allow("ec2", everything, "CreateRouteTable"), allow("ec2", tagged, "DeleteRouteTable")},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {allow("ec2", everything, "AssociateRouteTable", "ReplaceRouteTableAssociation", "DisassociateRouteTable")},
	"aws:ec2/securityGroup:SecurityGroup": {
		allow("ec2", everything, "CreateSecurityGroup", "RevokeSecurityGroupEgress"), allow("ec2", tagged, "DeleteSecurityGroup"),
	},
	"aws:ec2/subnet:Subnet": {
		allow("ec2", everything, "CreateSubnet", "AssociateSubnetCidrBlock"), allow("ec2", tagged, "ModifySubnetAttribute", "DisassociateSubnetCidrBlock", "DeleteSubnet"),
	},
	"aws:ec2/vpc:Vpc": {
		allow("ec2", everything, "Describe*", "CreateVpc", "CreateTags", "AssociateVpcCidrBlock"),
		allow("ec2", tagged, "ModifyVpcAttribute", "DisassociateVpcCidrBlock", "DeleteVpc", "DeleteTags"),
	},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {allow("ec2", everything, "CreateVpcEndpoint"), allow("ec2", tagged, "ModifyVpcEndpoint", "DeleteVpcEndpoints")},
	// The rules may be in security groups that EKS and CloudFront create. These groups do not have
	// the stack's tags.
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {
		allow("ec2", everything, "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "ModifySecurityGroupRules"),
	},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
		allow("ec2", everything, "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "ModifySecurityGroupRules"),
	},

	"aws:ecr/repository:Repository": {
		allow("ecr", named, "CreateRepository", "DescribeRepositories", "DeleteRepository", "PutImageScanningConfiguration", "PutImageTagMutability",
			"TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":   {allow("ecr", named, "PutLifecyclePolicy", "GetLifecyclePolicy", "DeleteLifecyclePolicy")},
	"aws:ecr/repositoryPolicy:RepositoryPolicy": {allow("ecr", named, "SetRepositoryPolicy", "GetRepositoryPolicy", "DeleteRepositoryPolicy")},

	"aws:eks/accessEntry:AccessEntry": {allow("eks", named, "CreateAccessEntry", "DescribeAccessEntry", "UpdateAccessEntry", "DeleteAccessEntry")},
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {
		allow("eks", named, "AssociateAccessPolicy", "ListAssociatedAccessPolicies", "DisassociateAccessPolicy"),
	},
	"aws:eks/addon:Addon": {allow("eks", named, "CreateAddon", "DescribeAddon", "UpdateAddon", "DeleteAddon", "DescribeUpdate"), allow("eks", everything, "DescribeAddonVersions")},
	"aws:eks/cluster:Cluster": {
		allow("eks", everything, "CreateCluster"), // CreateCluster has no resource
		allow("eks", named, "DescribeCluster", "UpdateClusterConfig", "UpdateClusterVersion", "DescribeUpdate", "DeleteCluster",
			"AssociateEncryptionConfig", "TagResource", "UntagResource", "ListTagsForResource"),
		allow("kms", tagged, "DescribeKey", "CreateGrant"),
	},
	"aws:eks/podIdentityAssociation:PodIdentityAssociation": {
		allow("eks", named, "CreatePodIdentityAssociation", "DescribePodIdentityAssociation", "ListPodIdentityAssociations", "UpdatePodIdentityAssociation", "DeletePodIdentityAssociation"),
	},

	"aws:elasticache/parameterGroup:ParameterGroup": {
		allow("elasticache", everything, "Describe*"),
		allow("elasticache", named, "CreateCacheParameterGroup", "ModifyCacheParameterGroup", "ResetCacheParameterGroup", "DeleteCacheParameterGroup",
			"AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"),
	},
	"aws:elasticache/replicationGroup:ReplicationGroup": {
		allow("elasticache", named, "CreateReplicationGroup", "ModifyReplicationGroup", "ModifyReplicationGroupShardConfiguration", "IncreaseReplicaCount",
			"DecreaseReplicaCount", "CreateSnapshot", "DeleteReplicationGroup"),
		allow("kms", tagged, "DescribeKey", "CreateGrant"),
		allow("logs", everything, "CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies"),
	},
	"aws:elasticache/subnetGroup:SubnetGroup": {allow("elasticache", named, "CreateCacheSubnetGroup", "ModifyCacheSubnetGroup", "DeleteCacheSubnetGroup")},
	"aws:elasticache/user:User":               {allow("elasticache", named, "CreateUser", "ModifyUser", "DeleteUser")},
	"aws:elasticache/userGroup:UserGroup":     {allow("elasticache", named, "CreateUserGroup", "ModifyUserGroup", "DeleteUserGroup")},

	"aws:iam/instanceProfile:InstanceProfile": {
		allow("iam", named, "CreateInstanceProfile", "GetInstanceProfile", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile", "DeleteInstanceProfile",
			"TagInstanceProfile", "UntagInstanceProfile", "ListInstanceProfileTags"),
	},
	"aws:iam/role:Role": {
		allow("iam", bounded, "CreateRole", "PutRolePermissionsBoundary"),
		allow("iam", named, "GetRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy", "DeleteRole",
			"TagRole", "UntagRole", "ListRoleTags", "ListRolePolicies", "ListAttachedRolePolicies", "ListInstanceProfilesForRole"),
	},
	"aws:iam/rolePolicy:RolePolicy":                     {allow("iam", bounded, "PutRolePolicy"), allow("iam", named, "GetRolePolicy", "DeleteRolePolicy")},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {allow("iam", bounded, "AttachRolePolicy"), allow("iam", named, "DetachRolePolicy", "ListAttachedRolePolicies")},

	"aws:kms/alias:Alias": {allow("kms", everything, "ListAliases"), allow("kms", named, "CreateAlias", "UpdateAlias", "DeleteAlias")},
	"aws:kms/key:Key": {
		allow("kms", everything, "CreateKey", "TagResource"), // CreateKey tags the key that it creates
		allow("kms", tagged, "DescribeKey", "GetKeyPolicy", "GetPublicKey", "PutKeyPolicy", "GetKeyRotationStatus", "EnableKeyRotation", "DisableKeyRotation", "UpdateKeyDescription",
			"EnableKey", "DisableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "ListResourceTags", "UntagResource"),
	},

	"aws:lb/listener:Listener": {
		allow("elasticloadbalancing", named, "CreateListener", "ModifyListener", "ModifyListenerAttributes", "DeleteListener", "AddListenerCertificates", "RemoveListenerCertificates"),
		allow("acm", everything, "DescribeCertificate"),
	},
	"aws:lb/listenerRule:ListenerRule": {allow("elasticloadbalancing", named, "CreateRule", "ModifyRule", "SetRulePriorities", "DeleteRule")},
	"aws:lb/loadBalancer:LoadBalancer": {
		allow("elasticloadbalancing", everything, "Describe*", "CreateLoadBalancer", "AddTags"),
		allow("elasticloadbalancing", named, "ModifyLoadBalancerAttributes", "SetSecurityGroups", "SetSubnets", "SetIpAddressType", "DeleteLoadBalancer", "RemoveTags"),
	},
	"aws:lb/targetGroup:TargetGroup": {allow("elasticloadbalancing", named, "CreateTargetGroup", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup")},

	"aws:rds/instance:Instance": {
		allow("rds", named, "CreateDBInstance", "ModifyDBInstance", "RebootDBInstance", "DeleteDBInstance", "CreateDBSnapshot",
			"RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime", "AddTagsToResource"),
		allow("kms", tagged, "DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt"),
	},
	"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": {
		allow("rds", named, "StartDBInstanceAutomatedBackupsReplication", "StopDBInstanceAutomatedBackupsReplication"),
		allow("rds", everything, "Describe*"),
		allow("kms", tagged, "DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt"),
	},
	"aws:rds/parameterGroup:ParameterGroup": {allow("rds", named, "CreateDBParameterGroup", "ModifyDBParameterGroup", "ResetDBParameterGroup", "DeleteDBParameterGroup")},
	"aws:rds/subnetGroup:SubnetGroup":       {allow("rds", named, "CreateDBSubnetGroup", "ModifyDBSubnetGroup", "DeleteDBSubnetGroup")},

	"aws:route53/record:Record": {
		allow("route53", everything, "GetChange", "ListHostedZones"),
		allow("route53", named, "ChangeResourceRecordSets", "ListResourceRecordSets", "GetHostedZone", "ListTagsForResource"),
	},

	"aws:s3/bucketV2:BucketV2": {
		// The provider reads every part of a bucket, also parts that the stack does not set.
		allow("s3", named, "CreateBucket", "DeleteBucket", "ListBucket", "ListBucketVersions", "GetBucket*", "GetAccelerateConfiguration", "GetReplicationConfiguration",
			"GetLifecycleConfiguration", "GetEncryptionConfiguration", "PutBucketTagging", "DeleteObject", "DeleteObjectVersion"),
	},
	"aws:s3/bucketObjectv2:BucketObjectv2":                                                       {allow("s3", named, "PutObject", "GetObject*", "PutObjectTagging", "DeleteObject", "DeleteObjectVersion", "ListBucketVersions", "AbortMultipartUpload")},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       {allow("s3", named, "PutLifecycleConfiguration", "GetLifecycleConfiguration")},
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     {allow("s3", named, "PutBucketLogging", "GetBucket*")},
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     {allow("s3", named, "PutBucketOwnershipControls", "GetBucket*")},
	"aws:s3/bucketPolicy:BucketPolicy":                                                           {allow("s3", named, "PutBucketPolicy", "GetBucket*", "DeleteBucketPolicy")},
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     {allow("s3", named, "PutBucketPublicAccessBlock", "GetBucket*")},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {allow("s3", named, "PutEncryptionConfiguration", "GetEncryptionConfiguration")},
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               {allow("s3", named, "PutBucketVersioning", "GetBucket*")},

	"aws:secretsmanager/secret:Secret": {
		allow("secretsmanager", named, "CreateSecret", "DescribeSecret", "UpdateSecret", "DeleteSecret", "RestoreSecret", "GetResourcePolicy", "TagResource", "UntagResource"),
		allow("kms", tagged, "GenerateDataKey", "Decrypt"),
	},
	"aws:secretsmanager/secretPolicy:SecretPolicy":   {allow("secretsmanager", named, "PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy", "ValidateResourcePolicy")},
	"aws:secretsmanager/secretVersion:SecretVersion": {allow("secretsmanager", named, "PutSecretValue", "GetSecretValue", "UpdateSecretVersionStage")},

	"aws:sqs/queue:Queue": {
		allow("sqs", named, "CreateQueue", "GetQueueAttributes", "SetQueueAttributes", "DeleteQueue", "TagQueue", "UntagQueue", "ListQueueTags"),
	},
	"aws:sqs/queuePolicy:QueuePolicy": {allow("sqs", named, "GetQueueAttributes", "SetQueueAttributes")},

	"aws:wafv2/webAcl:WebAcl": {
		allow("wafv2", everything, "GetWebACL", "DescribeManagedRuleGroup", "ListAvailableManagedRuleGroups"),
		allow("wafv2", named, "CreateWebACL", "UpdateWebACL", "DeleteWebACL", "TagResource", "UntagResource", "ListTagsForResource"),
	},
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {
		allow("wafv2", named, "PutLoggingConfiguration", "GetLoggingConfiguration", "DeleteLoggingConfiguration"),
		// AWS WAF Developer Guide, "Sending web ACL traffic logs to a CloudWatch Logs log group".
		allow("logs", everything, "CreateLogDelivery", "DeleteLogDelivery", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
	},
}

// commonGrants are permissions that belong to no resource type: for the provider's functions that
// the program calls, for pushing images, and for the kubeconfig.
var commonGrants = []grant{
	allow("sts", everything, "GetCallerIdentity"),
	allow("ssm", named, "GetParameter"),
	allow("secretsmanager", everything, "GetRandomPassword"),
	allow("ecr", everything, "GetAuthorizationToken"),
	// Amazon ECR User Guide, "IAM permissions for pushing an image".
	allow("ecr", named, "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "DescribeImages", "GetDownloadUrlForLayer", "InitiateLayerUpload",
		"ListImages", "PutImage", "UploadLayerPart", "BatchDeleteImage"),
}

// extraStatements are statements that belong to no resource type.
var extraStatements = map[string][]statement{
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
	// A new vault gets its key (AWS Backup Developer Guide, "Access control", CreateBackupVault).
	"backup": {{Sid: "BackupKey", Effect: "Allow", Action: []string{"backup-storage:MountCapsule"}, Resource: []string{"*"}}},
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
		"autoscaling", "backup", "eks", "elasticache", "elasticloadbalancing", "rds", "spot", "vpcorigin.cloudfront", "wafv2",
	} {
		arns = append(arns, "arn:aws:iam::ACCOUNT:role/aws-service-role/"+service+".amazonaws.com/*")
	}
	return arns
}
