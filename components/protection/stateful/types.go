package stateful

// class is the classification of a resource type.
type class struct {
	// holds is true if an update can't repair the loss of such a resource, because it
	// has data, an address or an identity.
	holds bool
	// inComponentOnly limits holds to the children of components.
	inComponentOnly bool
	// reason is what the type holds, or how the program creates it again.
	reason string
}

// holding returns the class of a type that holds data, an address or an identity.
func holding(content string) class { return class{holds: true, reason: content} }

// replaceable returns the class of a type that an update can create again.
func replaceable(reason string) class { return class{reason: reason} }

// groupings are the prefixes of types that exist only in Pulumi: components, providers and
// the stack. They hold nothing.
var groupings = []string{"progressive:", "pulumi:providers:", "pulumi:pulumi:"}

// Reasons of several types.
const (
	fromProgram = "its whole content is in the Pulumi program"
	permission  = "a permission; the program grants it again"
	wiring      = "connects other resources; the program connects them again"
	runs        = "runs pods whose data is in stores"
)

// classes has every type of AWS, Kubernetes and the provider "ko" that the Pulumi program
// registers. A preview fails for a type without a row.
var classes = map[string]class{
	// Data.
	"aws:cloudwatch/logGroup:LogGroup":                  holding("logs"),
	"aws:docdb/cluster:Cluster":                         holding("documents"),
	"aws:ecr/repository:Repository":                     holding("images that pods run and rollbacks need"),
	"aws:elasticache/replicationGroup:ReplicationGroup": holding("cached data and snapshots"),
	"aws:kms/key:Key":                                   holding("the only way to read what it encrypted"),
	"aws:rds/instance:Instance":                         holding("tables"),
	"aws:s3/bucketV2:BucketV2":                          holding("objects"),
	"aws:secretsmanager/secret:Secret":                  holding("a password that nobody else knows"),
	"kubernetes:apps/v1:StatefulSet":                    holding("the pods of a store in the cluster"),
	"kubernetes:core/v1:Namespace":                      holding("everything in it, volumes included"),
	"kubernetes:core/v1:PersistentVolumeClaim":          holding("a volume"),
	// A Secret of a component is a store's password. A Secret outside of a component has
	// files of the project. The program can create such a Secret again.
	"kubernetes:core/v1:Secret": {holds: true, inComponentOnly: true, reason: "the password of a store in the cluster"},

	// Addresses.
	"aws:acm/certificate:Certificate":          holding("the proof of a domain"),
	"aws:cloudfront/distribution:Distribution": holding("the domain name that users' records lead to"),
	"aws:ec2/eip:Eip":                          holding("an address that others admit"),
	"aws:ec2/natGateway:NatGateway":            holding("the way out of a zone, and its address"),
	"aws:ec2/subnet:Subnet":                    holding("the addresses of all that is in it"),
	"aws:ec2/vpc:Vpc":                          holding("the addresses of all that is in it"),
	"aws:lb/loadBalancer:LoadBalancer":         holding("the domain name that CloudFront forwards to"),
	"aws:route53/record:Record":                holding("a name of the platform"),

	// Identities.
	"aws:eks/cluster:Cluster": holding("the cluster and every object in it"),

	// Resources that an update creates again.
	"aws:acm/certificateValidation:CertificateValidation":                                        replaceable("waits, and is nothing at AWS"),
	"aws:autoscaling/group:Group":                                                                replaceable("its instances hold nothing"),
	"aws:autoscaling/lifecycleHook:LifecycleHook":                                                replaceable(fromProgram),
	"aws:autoscaling/policy:Policy":                                                              replaceable(fromProgram),
	"aws:cloudfront/cachePolicy:CachePolicy":                                                     replaceable(fromProgram),
	"aws:cloudfront/function:Function":                                                           replaceable(fromProgram),
	"aws:cloudfront/originAccessControl:OriginAccessControl":                                     replaceable(fromProgram),
	"aws:cloudfront/originRequestPolicy:OriginRequestPolicy":                                     replaceable(fromProgram),
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy":                                 replaceable(fromProgram),
	"aws:cloudfront/vpcOrigin:VpcOrigin":                                                         replaceable(wiring),
	"aws:cloudwatch/eventRule:EventRule":                                                         replaceable(fromProgram),
	"aws:cloudwatch/eventTarget:EventTarget":                                                     replaceable(wiring),
	"aws:cloudwatch/metricAlarm:MetricAlarm":                                                     replaceable(fromProgram),
	"aws:docdb/clusterInstance:ClusterInstance":                                                  replaceable("the cluster has the data; AWS promotes another instance"),
	"aws:docdb/clusterParameterGroup:ClusterParameterGroup":                                      replaceable(fromProgram),
	"aws:docdb/subnetGroup:SubnetGroup":                                                          replaceable(fromProgram),
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":                                          replaceable("AWS keeps it with its VPC"),
	"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway":                                replaceable(wiring),
	"aws:ec2/flowLog:FlowLog":                                                                    replaceable("the log group has the logs"),
	"aws:ec2/internetGateway:InternetGateway":                                                    replaceable(wiring),
	"aws:ec2/launchTemplate:LaunchTemplate":                                                      replaceable(fromProgram),
	"aws:ec2/networkAcl:NetworkAcl":                                                              replaceable(fromProgram),
	"aws:ec2/route:Route":                                                                        replaceable(wiring),
	"aws:ec2/routeTable:RouteTable":                                                              replaceable(wiring),
	"aws:ec2/routeTableAssociation:RouteTableAssociation":                                        replaceable(wiring),
	"aws:ec2/securityGroup:SecurityGroup":                                                        replaceable(permission),
	"aws:ec2/vpcEndpoint:VpcEndpoint":                                                            replaceable("reached by a name of AWS, not by its address"),
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":                                                    replaceable("without it nothing expires"),
	"aws:eks/accessEntry:AccessEntry":                                                            replaceable(permission),
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation":                                    replaceable(permission),
	"aws:eks/addon:Addon":                                                                        replaceable("EKS installs it again"),
	"aws:eks/podIdentityAssociation:PodIdentityAssociation":                                      replaceable(permission),
	"aws:elasticache/parameterGroup:ParameterGroup":                                              replaceable(fromProgram),
	"aws:elasticache/subnetGroup:SubnetGroup":                                                    replaceable(fromProgram),
	"aws:elasticache/user:User":                                                                  replaceable(permission),
	"aws:elasticache/userGroup:UserGroup":                                                        replaceable(permission),
	"aws:iam/instanceProfile:InstanceProfile":                                                    replaceable(permission),
	"aws:iam/role:Role":                                                                          replaceable(permission),
	"aws:iam/rolePolicy:RolePolicy":                                                              replaceable(permission),
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":                                          replaceable(permission),
	"aws:kms/alias:Alias":                                                                        replaceable("a second name of a key"),
	"aws:lb/listener:Listener":                                                                   replaceable(wiring),
	"aws:lb/listenerRule:ListenerRule":                                                           replaceable(wiring),
	"aws:lb/targetGroup:TargetGroup":                                                             replaceable(wiring),
	"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication":            replaceable("what was copied stays for its days"),
	"aws:rds/parameterGroup:ParameterGroup":                                                      replaceable(fromProgram),
	"aws:rds/subnetGroup:SubnetGroup":                                                            replaceable(fromProgram),
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       replaceable(fromProgram),
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     replaceable(fromProgram),
	"aws:s3/bucketObjectv2:BucketObjectv2":                                                       replaceable("a file of the project"),
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     replaceable(fromProgram),
	"aws:s3/bucketPolicy:BucketPolicy":                                                           replaceable(permission),
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     replaceable(permission),
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": replaceable(fromProgram),
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               replaceable(fromProgram),
	"aws:secretsmanager/secretVersion:SecretVersion":                                             replaceable("a rotation removes the oldest; the secret is what is held"),
	"aws:sqs/queue:Queue":                                                                        replaceable("its events are minutes old at most"),
	"aws:sqs/queuePolicy:QueuePolicy":                                                            replaceable(permission),
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":                                    replaceable(permission),
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":                                  replaceable(permission),
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration":                            replaceable("the log group has the log"),
	"aws:wafv2/webAcl:WebAcl":                                                                    replaceable(fromProgram),
	"ko:index:ChangeGuard":                                                                       replaceable("records what the stack has"),
	"ko:index:Image":                                                                             replaceable("built from the sources; its repository is what is held"),
	"ko:index:Password":                                                                          replaceable("a rotation removes the oldest; the secret is what is held"),
	"ko:index:Promoted":                                                                          replaceable("a copy; its repository is what is held"),
	"kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy":                       replaceable(fromProgram),
	"kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding":                replaceable(fromProgram),
	"kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration":                    replaceable(wiring),
	"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition":                                replaceable("the program creates the objects of the kind again"),
	"kubernetes:apiregistration.k8s.io/v1:APIService":                                            replaceable(wiring),
	"kubernetes:apps/v1:DaemonSet":                                                               replaceable("runs pods that hold nothing but positions in log files"),
	"kubernetes:apps/v1:Deployment":                                                              replaceable(runs),
	"kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler":                                     replaceable(fromProgram),
	"kubernetes:batch/v1:CronJob":                                                                replaceable(runs),
	"kubernetes:batch/v1:Job":                                                                    replaceable(runs),
	"kubernetes:core/v1:ConfigMap":                                                               replaceable(fromProgram),
	"kubernetes:core/v1:Service":                                                                 replaceable("reached by its name"),
	"kubernetes:core/v1:ServiceAccount":                                                          replaceable(permission),
	"kubernetes:keda.sh/v1alpha1:ScaledObject":                                                   replaceable(fromProgram),
	"kubernetes:networking.k8s.io/v1:NetworkPolicy":                                              replaceable(permission),
	"kubernetes:policy/v1:PodDisruptionBudget":                                                   replaceable(fromProgram),
	"kubernetes:rbac.authorization.k8s.io/v1:ClusterRole":                                        replaceable(permission),
	"kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding":                                 replaceable(permission),
	"kubernetes:rbac.authorization.k8s.io/v1:Role":                                               replaceable(permission),
	"kubernetes:rbac.authorization.k8s.io/v1:RoleBinding":                                        replaceable(permission),
	"kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass":                               replaceable(fromProgram),
	"kubernetes:storage.k8s.io/v1:StorageClass":                                                  replaceable(fromProgram),
}
