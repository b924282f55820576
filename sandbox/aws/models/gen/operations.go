package main

import "fmt"

// description has the shapes in the model of a service that describe one type.
type description struct {
	api    string   // the service
	shapes []string // the first shape with a property describes it
	// names maps the path of a property to the name of its member, if the two names differ.
	// A dot in the name leads to a nested member. The name "" means that only the provider
	// has this level. A name with a slash starts at another shape, as in
	// /Parameter.ParameterName.
	names map[string]string
}

// Mapping returns the mapping as text, for the digest of the table.
func Mapping() string { return fmt.Sprint(descriptions) }

// undescribed has the types that no shape of the models describes. The value is the reason.
var undescribed = map[string]string{
	"aws:acm/certificateValidation:CertificateValidation": "waits for a certificate",
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":   "adopts a group that AWS creates",
	"aws:cloudfront/vpcOrigin:VpcOrigin":                  "newer than the models",
}

// descriptions maps each type to its description.
var descriptions = map[string]description{
	"aws:acm/certificate:Certificate":             {"acm", []string{"RequestCertificateRequest"}, nil},
	"aws:autoscaling/lifecycleHook:LifecycleHook": {"autoscaling", []string{"PutLifecycleHookType"}, map[string]string{"name": "LifecycleHookName"}},
	"aws:autoscaling/attachment:Attachment": {"autoscaling", []string{"AttachLoadBalancerTargetGroupsType"}, map[string]string{
		"lbTargetGroupArn": "TargetGroupARNs",
	}},
	"aws:autoscaling/policy:Policy": {"autoscaling", []string{"PutScalingPolicyType"}, map[string]string{
		"name": "PolicyName",
		"targetTrackingConfiguration.customizedMetricSpecification.metricDimensions": "Dimensions",
	}},
	"aws:autoscaling/group:Group": {"autoscaling", []string{"CreateAutoScalingGroupType"}, map[string]string{
		"enabledMetrics":      "/EnableMetricsCollectionQuery.Metrics",
		"instanceRefresh":     "/StartInstanceRefreshType",
		"launchTemplate.id":   "LaunchTemplateId",
		"launchTemplate.name": "LaunchTemplateName",
		"metricsGranularity":  "/EnableMetricsCollectionQuery.Granularity",
		"name":                "AutoScalingGroupName",
		"protectFromScaleIn":  "NewInstancesProtectedFromScaleIn",
		"suspendedProcesses":  "/ScalingProcessQuery.ScalingProcesses",
	}},
	"aws:backup/plan:Plan": {"backup", []string{"BackupPlanInput"}, map[string]string{
		"name":                                    "BackupPlanName",
		"rules.completionWindow":                  "CompletionWindowMinutes",
		"rules.copyActions.destinationVaultArn":   "DestinationBackupVaultArn",
		"rules.copyActions.lifecycle.deleteAfter": "DeleteAfterDays",
		"rules.lifecycle.deleteAfter":             "DeleteAfterDays",
		"rules.schedule":                          "ScheduleExpression",
		"rules.startWindow":                       "StartWindowMinutes",
		"rules.targetVaultName":                   "TargetBackupVaultName",
	}},
	"aws:backup/selection:Selection": {"backup", []string{"BackupSelection"}, map[string]string{
		"name":   "SelectionName",
		"planId": "/CreateBackupSelectionInput.BackupPlanId",
	}},
	"aws:backup/vault:Vault": {"backup", []string{"CreateBackupVaultInput"}, map[string]string{
		"kmsKeyArn": "EncryptionKeyArn",
		"name":      "BackupVaultName",
	}},
	"aws:cloudfront/cachePolicy:CachePolicy": {"cloudfront", []string{"CachePolicyConfig"}, nil},
	"aws:cloudfront/distribution:Distribution": {"cloudfront", []string{"DistributionConfig"}, map[string]string{
		"restrictions.geoRestriction.locations": "Items",
		"defaultCacheBehavior.cachedMethods":    "AllowedMethods.CachedMethods",
		"loggingConfig":                         "Logging",
		"orderedCacheBehaviors":                 "CacheBehaviors",
		"orderedCacheBehaviors.cachedMethods":   "AllowedMethods.CachedMethods",
		"origins.customHeaders.name":            "HeaderName",
		"origins.customHeaders.value":           "HeaderValue",
		"origins.originId":                      "Id",
	}},
	"aws:cloudfront/function:Function": {"cloudfront", []string{"CreateFunctionRequest", "FunctionConfig"}, map[string]string{
		"code": "FunctionCode",
	}},
	"aws:cloudfront/originAccessControl:OriginAccessControl": {"cloudfront", []string{"OriginAccessControlConfig"}, nil},
	"aws:cloudfront/originRequestPolicy:OriginRequestPolicy": {"cloudfront", []string{"OriginRequestPolicyConfig"}, nil},
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": {"cloudfront", []string{"ResponseHeadersPolicyConfig"}, map[string]string{
		"customHeadersConfig.items": "",
		"removeHeadersConfig.items": "",
	}},
	"aws:cloudwatch/eventRule:EventRule": {"events", []string{"PutRuleRequest"}, nil},
	"aws:cloudwatch/eventTarget:EventTarget": {"events", []string{"Target", "PutTargetsRequest"}, map[string]string{
		"targetId": "Id",
	}},
	"aws:cloudwatch/logGroup:LogGroup": {"logs", []string{"CreateLogGroupRequest", "PutRetentionPolicyRequest"}, map[string]string{
		"name": "logGroupName",
	}},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {"monitoring", []string{"PutMetricAlarmInput"}, map[string]string{
		"metricQueries":                   "Metrics",
		"metricQueries.metric":            "MetricStat",
		"metricQueries.metric.metricName": "Metric.MetricName",
		"metricQueries.metric.namespace":  "Metric.Namespace",
		"name":                            "AlarmName",
	}},
	"aws:docdb/cluster:Cluster": {"docdb", []string{"CreateDBClusterMessage"}, map[string]string{
		"clusterIdentifier":       "DBClusterIdentifier",
		"finalSnapshotIdentifier": "/DeleteDBClusterMessage.FinalDBSnapshotIdentifier",
		"masterPassword":          "MasterUserPassword",
	}},
	"aws:docdb/clusterInstance:ClusterInstance": {"docdb", []string{"CreateDBInstanceMessage"}, map[string]string{
		"caCertIdentifier":  "CACertificateIdentifier",
		"clusterIdentifier": "DBClusterIdentifier",
		"identifier":        "DBInstanceIdentifier",
		"instanceClass":     "DBInstanceClass",
	}},
	"aws:docdb/clusterParameterGroup:ClusterParameterGroup": {"docdb", []string{"CreateDBClusterParameterGroupMessage"}, map[string]string{
		"parameters":             "",
		"family":                 "DBParameterGroupFamily",
		"name":                   "DBClusterParameterGroupName",
		"parameters.applyMethod": "/Parameter.ApplyMethod",
		"parameters.name":        "/Parameter.ParameterName",
		"parameters.value":       "/Parameter.ParameterValue",
	}},
	"aws:docdb/subnetGroup:SubnetGroup": {"docdb", []string{"CreateDBSubnetGroupMessage"}, map[string]string{
		"description": "DBSubnetGroupDescription",
		"name":        "DBSubnetGroupName",
	}},
	"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": {"ec2", []string{"CreateEgressOnlyInternetGatewayRequest"}, nil},
	"aws:ec2/eip:Eip":                         {"ec2", []string{"AllocateAddressRequest"}, nil},
	"aws:ec2/flowLog:FlowLog":                 {"ec2", []string{"CreateFlowLogsRequest"}, nil},
	"aws:ec2/internetGateway:InternetGateway": {"ec2", []string{"AttachInternetGatewayRequest"}, nil},
	"aws:ec2/launchTemplate:LaunchTemplate": {"ec2", []string{"CreateLaunchTemplateRequest", "RequestLaunchTemplateData"}, map[string]string{
		"description":                      "VersionDescription",
		"name":                             "LaunchTemplateName",
		"networkInterfaces.securityGroups": "Groups",
		"vpcSecurityGroupIds":              "/RequestLaunchTemplateData.SecurityGroupIds",
	}},
	"aws:ec2/natGateway:NatGateway": {"ec2", []string{"CreateNatGatewayRequest"}, nil},
	"aws:ec2/networkAcl:NetworkAcl": {"ec2", []string{"CreateNetworkAclRequest"}, map[string]string{
		"ingress":               "",
		"egress":                "",
		"egress.action":         "/CreateNetworkAclEntryRequest.RuleAction",
		"egress.cidrBlock":      "/CreateNetworkAclEntryRequest.CidrBlock",
		"egress.ipv6CidrBlock":  "/CreateNetworkAclEntryRequest.Ipv6CidrBlock",
		"egress.protocol":       "/CreateNetworkAclEntryRequest.Protocol",
		"egress.ruleNo":         "/CreateNetworkAclEntryRequest.RuleNumber",
		"ingress.action":        "/CreateNetworkAclEntryRequest.RuleAction",
		"ingress.cidrBlock":     "/CreateNetworkAclEntryRequest.CidrBlock",
		"ingress.ipv6CidrBlock": "/CreateNetworkAclEntryRequest.Ipv6CidrBlock",
		"ingress.protocol":      "/CreateNetworkAclEntryRequest.Protocol",
		"ingress.ruleNo":        "/CreateNetworkAclEntryRequest.RuleNumber",
	}},
	"aws:ec2/networkAclAssociation:NetworkAclAssociation": {"ec2", []string{"ReplaceNetworkAclAssociationRequest"}, nil},
	"aws:ec2/networkAclRule:NetworkAclRule":               {"ec2", []string{"CreateNetworkAclEntryRequest"}, nil},
	"aws:ec2/route:Route": {"ec2", []string{"CreateRouteRequest"}, map[string]string{
		"egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
	}},
	"aws:ec2/routeTable:RouteTable":                       {"ec2", []string{"CreateRouteTableRequest"}, map[string]string{"routes": "/CreateRouteRequest"}},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {"ec2", []string{"AssociateRouteTableRequest"}, nil},
	"aws:ec2/securityGroup:SecurityGroup": {"ec2", []string{"CreateSecurityGroupRequest"}, map[string]string{
		"name": "GroupName",
	}},
	"aws:ec2/subnet:Subnet": {"ec2", []string{"CreateSubnetRequest"}, map[string]string{
		"privateDnsHostnameTypeOnLaunch": "/ModifySubnetAttributeRequest.PrivateDnsHostnameTypeOnLaunch",
	}},
	"aws:ec2/vpc:Vpc": {"ec2", []string{"CreateVpcRequest"}, nil},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {"ec2", []string{"CreateVpcEndpointRequest"}, map[string]string{
		"policy": "PolicyDocument",
	}},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy": {"ecr", []string{"PutLifecyclePolicyRequest"}, map[string]string{
		"policy":     "lifecyclePolicyText",
		"repository": "repositoryName",
	}},
	"aws:ecr/repository:Repository": {"ecr", []string{"CreateRepositoryRequest"}, map[string]string{
		"name": "repositoryName",
	}},
	"aws:ecr/repositoryPolicy:RepositoryPolicy": {"ecr", []string{"SetRepositoryPolicyRequest"}, map[string]string{
		"policy":     "policyText",
		"repository": "repositoryName",
	}},
	"aws:eks/accessEntry:AccessEntry":                         {"eks", []string{"CreateAccessEntryRequest"}, nil},
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {"eks", []string{"AssociateAccessPolicyRequest"}, nil},
	"aws:eks/addon:Addon": {"eks", []string{"CreateAddonRequest"}, map[string]string{
		"resolveConflictsOnCreate": "resolveConflicts",
		"resolveConflictsOnUpdate": "/UpdateAddonRequest.resolveConflicts",
	}},
	"aws:eks/cluster:Cluster": {"eks", []string{"CreateClusterRequest"}, map[string]string{
		"enabledClusterLogTypes": "/LogSetup.types",
		"vpcConfig":              "resourcesVpcConfig",
	}},
	"aws:eks/podIdentityAssociation:PodIdentityAssociation": {"eks", []string{"CreatePodIdentityAssociationRequest"}, nil},
	"aws:elasticache/parameterGroup:ParameterGroup": {"elasticache", []string{"CreateCacheParameterGroupMessage"}, map[string]string{
		"parameters":       "",
		"family":           "CacheParameterGroupFamily",
		"name":             "CacheParameterGroupName",
		"parameters.name":  "/ParameterNameValue.ParameterName",
		"parameters.value": "/ParameterNameValue.ParameterValue",
	}},
	"aws:elasticache/replicationGroup:ReplicationGroup": {"elasticache", []string{"CreateReplicationGroupMessage"}, map[string]string{
		"authTokenUpdateStrategy": "/ModifyReplicationGroupMessage.AuthTokenUpdateStrategy",
		"description":             "ReplicationGroupDescription",
		"maintenanceWindow":       "PreferredMaintenanceWindow",
		"nodeType":                "CacheNodeType",
		"parameterGroupName":      "CacheParameterGroupName",
		"subnetGroupName":         "CacheSubnetGroupName",
	}},
	"aws:elasticache/subnetGroup:SubnetGroup": {"elasticache", []string{"CreateCacheSubnetGroupMessage"}, map[string]string{
		"description": "CacheSubnetGroupDescription",
		"name":        "CacheSubnetGroupName",
	}},
	"aws:elasticache/user:User":           {"elasticache", []string{"CreateUserMessage"}, nil},
	"aws:elasticache/userGroup:UserGroup": {"elasticache", []string{"CreateUserGroupMessage"}, nil},
	"aws:iam/instanceProfile:InstanceProfile": {"iam", []string{"CreateInstanceProfileRequest"}, map[string]string{
		"name": "InstanceProfileName",
		"role": "/AddRoleToInstanceProfileRequest.RoleName",
	}},
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider": {"iam", []string{"CreateOpenIDConnectProviderRequest"}, nil},
	"aws:iam/policy:Policy": {"iam", []string{"CreatePolicyRequest"}, map[string]string{
		"name":   "PolicyName",
		"policy": "PolicyDocument",
	}},
	"aws:iam/role:Role": {"iam", []string{"CreateRoleRequest"}, map[string]string{
		"inlinePolicies":        "",
		"assumeRolePolicy":      "AssumeRolePolicyDocument",
		"inlinePolicies.name":   "/PutRolePolicyRequest.PolicyName",
		"inlinePolicies.policy": "/PutRolePolicyRequest.PolicyDocument",
		"managedPolicyArns":     "/AttachRolePolicyRequest.PolicyArn",
		"name":                  "RoleName",
	}},
	"aws:iam/rolePolicy:RolePolicy": {"iam", []string{"PutRolePolicyRequest"}, map[string]string{
		"name":   "PolicyName",
		"policy": "PolicyDocument",
		"role":   "RoleName",
	}},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {"iam", []string{"AttachRolePolicyRequest"}, map[string]string{
		"role": "RoleName",
	}},
	"aws:kms/alias:Alias": {"kms", []string{"CreateAliasRequest"}, map[string]string{
		"name": "AliasName",
	}},
	"aws:kms/key:Key": {"kms", []string{"CreateKeyRequest"}, map[string]string{
		"deletionWindowInDays": "/ScheduleKeyDeletionRequest.PendingWindowInDays",
		"rotationPeriodInDays": "/EnableKeyRotationRequest.RotationPeriodInDays",
	}},
	"aws:lb/listener:Listener": {"elasticloadbalancingv2", []string{"CreateListenerInput"}, map[string]string{
		"certificateArn":                             "Certificates.CertificateArn",
		"defaultActions.fixedResponse":               "FixedResponseConfig",
		"defaultActions.forward":                     "ForwardConfig",
		"defaultActions.forward.stickiness":          "TargetGroupStickinessConfig",
		"defaultActions.forward.stickiness.duration": "DurationSeconds",
		"defaultActions.forward.targetGroups.arn":    "TargetGroupArn",
		"defaultActions.redirect":                    "RedirectConfig",
	}},
	"aws:lb/listenerRule:ListenerRule": {"elasticloadbalancingv2", []string{"CreateRuleInput"}, map[string]string{
		"actions.fixedResponse":               "FixedResponseConfig",
		"actions.forward":                     "ForwardConfig",
		"actions.forward.stickiness":          "TargetGroupStickinessConfig",
		"actions.forward.stickiness.duration": "DurationSeconds",
		"actions.forward.targetGroups.arn":    "TargetGroupArn",
		"actions.redirect":                    "RedirectConfig",
		"conditions.hostHeader":               "HostHeaderConfig",
		"conditions.httpHeader":               "HttpHeaderConfig",
		"conditions.httpRequestMethod":        "HttpRequestMethodConfig",
		"conditions.pathPattern":              "PathPatternConfig",
		"conditions.queryStrings":             "QueryStringConfig.Values",
		"conditions.sourceIp":                 "SourceIpConfig",
	}},
	"aws:lb/loadBalancer:LoadBalancer": {"elasticloadbalancingv2", []string{"CreateLoadBalancerInput"}, map[string]string{
		"loadBalancerType": "Type",
	}},
	"aws:lb/targetGroup:TargetGroup": {"elasticloadbalancingv2", []string{"CreateTargetGroupInput"}, map[string]string{
		"healthCheck":                    "",
		"healthCheck.enabled":            "HealthCheckEnabled",
		"healthCheck.healthyThreshold":   "HealthyThresholdCount",
		"healthCheck.interval":           "HealthCheckIntervalSeconds",
		"healthCheck.path":               "HealthCheckPath",
		"healthCheck.port":               "HealthCheckPort",
		"healthCheck.protocol":           "HealthCheckProtocol",
		"healthCheck.timeout":            "HealthCheckTimeoutSeconds",
		"healthCheck.unhealthyThreshold": "UnhealthyThresholdCount",
	}},
	"aws:rds/instance:Instance": {"rds", []string{"CreateDBInstanceMessage"}, map[string]string{
		"backupWindow":       "PreferredBackupWindow",
		"caCertIdentifier":   "CACertificateIdentifier",
		"identifier":         "DBInstanceIdentifier",
		"instanceClass":      "DBInstanceClass",
		"maintenanceWindow":  "PreferredMaintenanceWindow",
		"parameterGroupName": "DBParameterGroupName",
		"password":           "MasterUserPassword",
		"username":           "MasterUsername",
	}},
	"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": {"rds", []string{"StartDBInstanceAutomatedBackupsReplicationMessage"}, map[string]string{
		"retentionPeriod": "BackupRetentionPeriod",
	}},
	"aws:rds/parameterGroup:ParameterGroup": {"rds", []string{"CreateDBParameterGroupMessage"}, map[string]string{
		"parameters":             "",
		"family":                 "DBParameterGroupFamily",
		"name":                   "DBParameterGroupName",
		"parameters.applyMethod": "/Parameter.ApplyMethod",
		"parameters.name":        "/Parameter.ParameterName",
		"parameters.value":       "/Parameter.ParameterValue",
	}},
	"aws:rds/subnetGroup:SubnetGroup": {"rds", []string{"CreateDBSubnetGroupMessage"}, map[string]string{
		"description": "DBSubnetGroupDescription",
		"name":        "DBSubnetGroupName",
	}},
	"aws:route53/record:Record": {"route53", []string{"ResourceRecordSet"}, map[string]string{
		"aliases":        "AliasTarget",
		"aliases.name":   "DNSName",
		"aliases.zoneId": "HostedZoneId",
		"records":        "ResourceRecords.Value",
		"zoneId":         "/ChangeResourceRecordSetsRequest.HostedZoneId",
	}},
	"aws:route53/zone:Zone": {"route53", []string{"CreateHostedZoneRequest"}, map[string]string{
		"comment": "HostedZoneConfig.Comment",
	}},
	"aws:s3/bucketAclV2:BucketAclV2":                                                             {"s3", []string{"PutBucketAclRequest"}, nil},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       {"s3", []string{"BucketLifecycleConfiguration"}, nil},
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     {"s3", []string{"LoggingEnabled"}, nil},
	"aws:s3/bucketObjectv2:BucketObjectv2":                                                       {"s3", []string{"PutObjectRequest"}, nil},
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     {"s3", []string{"OwnershipControls"}, nil},
	"aws:s3/bucketPolicy:BucketPolicy":                                                           {"s3", []string{"PutBucketPolicyRequest"}, nil},
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     {"s3", []string{"PublicAccessBlockConfiguration"}, nil},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {"s3", []string{"ServerSideEncryptionConfiguration"}, nil},
	"aws:s3/bucketV2:BucketV2":                                                                   {"s3", []string{"CreateBucketRequest"}, nil},
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               {"s3", []string{"PutBucketVersioningRequest"}, nil},
	"aws:secretsmanager/secret:Secret": {"secretsmanager", []string{"CreateSecretRequest"}, map[string]string{
		"policy":               "/PutResourcePolicyRequest.ResourcePolicy",
		"recoveryWindowInDays": "/DeleteSecretRequest.RecoveryWindowInDays",
	}},
	"aws:secretsmanager/secretPolicy:SecretPolicy": {"secretsmanager", []string{"PutResourcePolicyRequest"}, map[string]string{
		"policy":    "ResourcePolicy",
		"secretArn": "SecretId",
	}},
	"aws:secretsmanager/secretVersion:SecretVersion": {"secretsmanager", []string{"PutSecretValueRequest"}, nil},
	"aws:sqs/queue:Queue": {"sqs", []string{"CreateQueueRequest"}, map[string]string{
		"name": "QueueName",
	}},
	"aws:sqs/queuePolicy:QueuePolicy":                                 {"sqs", []string{"SetQueueAttributesRequest"}, nil},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":         {"ec2", []string{"IpPermission"}, nil},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":       {"ec2", []string{"IpPermission"}, nil},
	"aws:wafv2/webAcl:WebAcl":                                         {"wafv2", []string{"CreateWebACLRequest"}, nil},
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {"wafv2", []string{"LoggingConfiguration"}, nil},
}
