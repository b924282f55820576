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

// newStateful returns the class of a type that holds data, an address or an identity.
func newStateful(content string) class { return class{holds: true, reason: content} }

// newReplaceable returns the class of a type that an update can create again.
func newReplaceable(reason string) class { return class{reason: reason} }

// pulumiOnlyPrefixes are the prefixes of types that exist only in Pulumi: components, providers and
// the stack. They hold nothing.
var pulumiOnlyPrefixes = []string{"progressive:", "pulumi:providers:", "pulumi:pulumi:"}

// Reasons of several types.
const (
	fromProgram = "its whole content is in the Pulumi program"
	permission  = "a permission; the program grants it again"
	wiring      = "connects other resources; the program connects them again"
	runsPods    = "runs pods, and their data is in stores"
)

// classes has every type of AWS, Kubernetes and the provider "ko" that the Pulumi program
// registers. A preview fails for a type without a row.
var classes = map[string]class{
	// Data.
	"aws:backup/vault:Vault":                            newStateful("snapshots"),
	"aws:cloudwatch/logGroup:LogGroup":                  newStateful("logs"),
	"aws:docdb/cluster:Cluster":                         newStateful("documents"),
	"aws:ecr/repository:Repository":                     newStateful("images that pods run and rollbacks need"),
	"aws:elasticache/replicationGroup:ReplicationGroup": newStateful("cached data and snapshots"),
	"aws:kms/key:Key":                                   newStateful("the only way to read what it encrypted"),
	"aws:rds/instance:Instance":                         newStateful("tables"),
	"aws:s3/bucketV2:BucketV2":                          newStateful("objects"),
	"aws:secretsmanager/secret:Secret":                  newStateful("a password that nobody else knows"),
	"kubernetes:apps/v1:StatefulSet":                    newStateful("the pods of a store in the cluster"),
	"kubernetes:core/v1:Namespace":                      newStateful("everything in it, volumes included"),
	"kubernetes:core/v1:PersistentVolumeClaim":          newStateful("a volume"),
	// A Secret of a component is a store's password. A Secret outside of a component has
	// files of the project. The program can create such a Secret again.
	"kubernetes:core/v1:Secret": {holds: true, inComponentOnly: true, reason: "the password of a store in the cluster"},

	// Addresses.
	"aws:acm/certificate:Certificate":          newStateful("the proof of a domain"),
	"aws:cloudfront/distribution:Distribution": newStateful("the domain name that users' records lead to"),
	"aws:ec2/eip:Eip":                          newStateful("an address that others admit"),
	"aws:ec2/natGateway:NatGateway":            newStateful("the way out of a zone, and its address"),
	"aws:ec2/subnet:Subnet":                    newStateful("the addresses of all that is in it"),
	"aws:ec2/vpc:Vpc":                          newStateful("the addresses of all that is in it"),
	"aws:lb/loadBalancer:LoadBalancer":         newStateful("the domain name that CloudFront forwards to"),
	"aws:route53/record:Record":                newStateful("a name of the platform"),

	// Identities.
	"aws:eks/cluster:Cluster": newStateful("the cluster and every object in it"),

	// Resources that an update creates again.
	"aws:acm/certificateValidation:CertificateValidation":                                        newReplaceable("only waits; it does not exist at AWS"),
	"aws:autoscaling/group:Group":                                                                newReplaceable("its instances hold nothing"),
	"aws:autoscaling/lifecycleHook:LifecycleHook":                                                newReplaceable(fromProgram),
	"aws:autoscaling/policy:Policy":                                                              newReplaceable(fromProgram),
	"aws:backup/plan:Plan":                                                                       newReplaceable(fromProgram),
	"aws:backup/selection:Selection":                                                             newReplaceable(wiring),
	"aws:cloudfront/cachePolicy:CachePolicy":                                                     newReplaceable(fromProgram),
	"aws:cloudfront/function:Function":                                                           newReplaceable(fromProgram),
	"aws:cloudfront/originAccessControl:OriginAccessControl":                                     newReplaceable(fromProgram),
	"aws:cloudfront/originRequestPolicy:OriginRequestPolicy":                                     newReplaceable(fromProgram),
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy":                                 newReplaceable(fromProgram),
	"aws:cloudfront/vpcOrigin:VpcOrigin":                                                         newReplaceable(wiring),
	"aws:cloudwatch/eventRule:EventRule":                                                         newReplaceable(fromProgram),
	"aws:cloudwatch/eventTarget:EventTarget":                                                     newReplaceable(wiring),
	"aws:cloudwatch/metricAlarm:MetricAlarm":                                                     newReplaceable(fromProgram),
	"aws:docdb/clusterInstance:ClusterInstance":                                                  newReplaceable("the cluster has the data; AWS promotes another instance"),
	"aws:docdb/clusterParameterGroup:ClusterParameterGroup":                                      newReplaceable(fromProgram),
	"aws:docdb/subnetGroup:SubnetGroup":                                                          newReplaceable(fromProgram),
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":                                          newReplaceable("AWS keeps it with its VPC"),
	"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway":                                newReplaceable(wiring),
	"aws:ec2/flowLog:FlowLog":                                                                    newReplaceable("the log group has the logs"),
	"aws:ec2/internetGateway:InternetGateway":                                                    newReplaceable(wiring),
	"aws:ec2/launchTemplate:LaunchTemplate":                                                      newReplaceable(fromProgram),
	"aws:ec2/networkAcl:NetworkAcl":                                                              newReplaceable(fromProgram),
	"aws:ec2/route:Route":                                                                        newReplaceable(wiring),
	"aws:ec2/routeTable:RouteTable":                                                              newReplaceable(wiring),
	"aws:ec2/routeTableAssociation:RouteTableAssociation":                                        newReplaceable(wiring),
	"aws:ec2/securityGroup:SecurityGroup":                                                        newReplaceable(permission),
	"aws:ec2/vpcEndpoint:VpcEndpoint":                                                            newReplaceable("reached by a name of AWS, not by its address"),
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":                                                    newReplaceable("without it nothing expires"),
	"aws:eks/accessEntry:AccessEntry":                                                            newReplaceable(permission),
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation":                                    newReplaceable(permission),
	"aws:eks/addon:Addon":                                                                        newReplaceable("EKS installs it again"),
	"aws:eks/podIdentityAssociation:PodIdentityAssociation":                                      newReplaceable(permission),
	"aws:elasticache/parameterGroup:ParameterGroup":                                              newReplaceable(fromProgram),
	"aws:elasticache/subnetGroup:SubnetGroup":                                                    newReplaceable(fromProgram),
	"aws:elasticache/user:User":                                                                  newReplaceable(permission),
	"aws:elasticache/userGroup:UserGroup":                                                        newReplaceable(permission),
	"aws:iam/instanceProfile:InstanceProfile":                                                    newReplaceable(permission),
	"aws:iam/role:Role":                                                                          newReplaceable(permission),
	"aws:iam/rolePolicy:RolePolicy":                                                              newReplaceable(permission),
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":                                          newReplaceable(permission),
	"aws:kms/alias:Alias":                                                                        newReplaceable("a second name of a key"),
	"aws:lb/listener:Listener":                                                                   newReplaceable(wiring),
	"aws:lb/listenerRule:ListenerRule":                                                           newReplaceable(wiring),
	"aws:lb/targetGroup:TargetGroup":                                                             newReplaceable(wiring),
	"aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication":            newReplaceable("existing copies stay until their retention ends"),
	"aws:rds/parameterGroup:ParameterGroup":                                                      newReplaceable(fromProgram),
	"aws:rds/subnetGroup:SubnetGroup":                                                            newReplaceable(fromProgram),
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       newReplaceable(fromProgram),
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     newReplaceable(fromProgram),
	"aws:s3/bucketObjectv2:BucketObjectv2":                                                       newReplaceable("a file of the project"),
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     newReplaceable(fromProgram),
	"aws:s3/bucketPolicy:BucketPolicy":                                                           newReplaceable(permission),
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     newReplaceable(permission),
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": newReplaceable(fromProgram),
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               newReplaceable(fromProgram),
	"aws:secretsmanager/secretVersion:SecretVersion":                                             newReplaceable("a rotation deletes the oldest one; the secret is stateful"),
	"aws:sqs/queue:Queue":                                                                        newReplaceable("its events are minutes old at most"),
	"aws:sqs/queuePolicy:QueuePolicy":                                                            newReplaceable(permission),
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":                                    newReplaceable(permission),
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":                                  newReplaceable(permission),
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration":                            newReplaceable("the log group has the log"),
	"aws:wafv2/webAcl:WebAcl":                                                                    newReplaceable(fromProgram),
	"ko:index:ChangeGuard":                                                                       newReplaceable("the program records the values again"),
	"ko:index:Image":                                                                             newReplaceable("built from the sources; its repository is stateful"),
	"ko:index:Password":                                                                          newReplaceable("a rotation deletes the oldest one; the secret is stateful"),
	"ko:index:Promoted":                                                                          newReplaceable("a copy; its repository is stateful"),
	"kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy":                       newReplaceable(fromProgram),
	"kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding":                newReplaceable(fromProgram),
	"kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration":                    newReplaceable(wiring),
	"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition":                                newReplaceable("the program creates the objects of the kind again"),
	"kubernetes:apiregistration.k8s.io/v1:APIService":                                            newReplaceable(wiring),
	"kubernetes:apps/v1:DaemonSet":                                                               newReplaceable("runs pods that hold nothing but positions in log files"),
	"kubernetes:apps/v1:Deployment":                                                              newReplaceable(runsPods),
	"kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler":                                     newReplaceable(fromProgram),
	"kubernetes:batch/v1:CronJob":                                                                newReplaceable(runsPods),
	"kubernetes:batch/v1:Job":                                                                    newReplaceable(runsPods),
	"kubernetes:core/v1:ConfigMap":                                                               newReplaceable(fromProgram),
	"kubernetes:core/v1:Service":                                                                 newReplaceable("reached by its name"),
	"kubernetes:core/v1:ServiceAccount":                                                          newReplaceable(permission),
	"kubernetes:keda.sh/v1alpha1:ScaledObject":                                                   newReplaceable(fromProgram),
	"kubernetes:networking.k8s.io/v1:NetworkPolicy":                                              newReplaceable(permission),
	"kubernetes:policy/v1:PodDisruptionBudget":                                                   newReplaceable(fromProgram),
	"kubernetes:rbac.authorization.k8s.io/v1:ClusterRole":                                        newReplaceable(permission),
	"kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding":                                 newReplaceable(permission),
	"kubernetes:rbac.authorization.k8s.io/v1:Role":                                               newReplaceable(permission),
	"kubernetes:rbac.authorization.k8s.io/v1:RoleBinding":                                        newReplaceable(permission),
	"kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass":                               newReplaceable(fromProgram),
	"kubernetes:storage.k8s.io/v1:StorageClass":                                                  newReplaceable(fromProgram),
}
