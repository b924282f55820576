package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/addons"
	"github.com/progressive-framework/platform/components/autoscaler"
	"github.com/progressive-framework/platform/components/bucket"
	"github.com/progressive-framework/platform/components/cdn"
	"github.com/progressive-framework/platform/components/certificate"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/databaseexporter"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/iam/policydocument"
	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/components/image/ociplatform"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/loadbalancer"
	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/redis"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/secret"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/components/size"
	"github.com/progressive-framework/platform/components/tier"
	"github.com/progressive-framework/platform/components/webacl"
)

// withChange applies change to args and returns args.
func withChange[A any](args A, change func(A)) A {
	change(args)
	return args
}

// newProgram returns a program that calls the constructor of a component. args returns the
// constructor's arguments for the account.
func newProgram[A, C any](constructor func(*pulumi.Context, string, A, ...pulumi.ResourceOption) (C, error), args func(*account.Account) A) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		_, err := constructor(ctx, "app", args(stackAccount))
		return err
	}
}

// nilArgs returns nil arguments, for newProgram.
func nilArgs[A any](*account.Account) A {
	var a A
	return a
}

// fixedArgs returns the arguments that are not derived from the account, for newProgram.
func fixedArgs[A any](args A) func(*account.Account) A {
	return func(*account.Account) A { return args }
}

// A component with invalid arguments returns all errors, and registers no resource.
func TestComponentsWithInvalidArgsRegisterNothing(t *testing.T) {
	anyText := pulumi.String("x")
	for _, tc := range []struct {
		reason  string
		program program
		want    []string
	}{
		{"addons without arguments", newProgram(addons.NewAddons, nilArgs[*addons.Args]), []string{"Account, Cluster, KeyARN and Nodes"}},
		{"autoscaler without arguments", newProgram(autoscaler.NewAutoscaler, nilArgs[*autoscaler.Args]), []string{"Account and Cluster"}},

		{"bucket: Statements together with CallerSetsPolicy", newBucket(&bucket.Args{CallerSetsPolicy: true, Statements: func(pulumi.StringOutput) []iam.Statement { return nil }}), []string{"Statements and CallerSetsPolicy contradict"}},
		{"bucket: a name that is too long for S3", func(ctx *pulumi.Context, _ *account.Account) error {
			_, err := bucket.NewBucket(ctx, "a-name-that-leaves-no-room-for-what-pulumi-adds-to-it", &bucket.Args{})
			return err
		}, []string{"must have at most 48"}},
		{"bucket: a negative expiry", newBucket(&bucket.Args{ExpireDays: -1}), []string{"ExpireDays is -1"}},

		{"CDN without a VPC origin", newCDN(func(a *cdn.Args) { a.VPCOriginID = nil }), []string{"VPCOriginID and OriginDomain"}},
		{"CDN: domains without a certificate", newCDN(func(a *cdn.Args) { a.Domains = []string{"example.com"} }), []string{"CertificateARN"}},
		{"CDN: a zone without domains", newCDN(func(a *cdn.Args) { a.ZoneID = anyText }), []string{"no Domains"}},
		{"CDN: a path that is not below /api/", newCDN(func(a *cdn.Args) { a.Cacheable = []string{"/x"} }), []string{"/x"}},
		{"CDN: a folder that does not exist", newCDN(func(a *cdn.Args) { a.SiteFolder = "testdata/none" }), []string{"testdata/none"}},

		{"certificate: an ARN together with names", newCertificate(&certificate.Args{ARN: anyText, Names: []string{"example.com"}}), []string{"set either ARN, or Names and ZoneID"}},
		{"certificate: names without a zone", newCertificate(&certificate.Args{Names: []string{"example.com"}}), []string{"ZoneID is nil"}},
		{"certificate: a URL instead of a name", newCertificate(&certificate.Args{Names: []string{"https://example.com"}, ZoneID: anyText}), []string{"https://example.com"}},

		{"cluster: several errors at once", newCluster(func(a *cluster.Args) {
			a.Version, a.ControlPlaneZones, a.Admins = "1.20", []string{"us-east-1a"}, []string{"arn:aws:sts::123456789012:assumed-role/x/y"}
		}), []string{`"1.20"`, "at least two", "must be the ARN of an IAM role or user"}},
		{"cluster: a zone without a subnet", newCluster(func(a *cluster.Args) { a.ControlPlaneZones = []string{"us-east-1a", "us-east-1f"} }), []string{"us-east-1f has no subnet"}},
		{"cluster without a name", newCluster(func(a *cluster.Args) { a.ClusterName = "" }), []string{"ClusterName"}},

		{"role without a description", newProgram(iam.NewRole, func(stackAccount *account.Account) *iam.RoleArgs {
			return &iam.RoleArgs{Account: stackAccount, Trust: iam.Service("ec2.amazonaws.com")}
		}), []string{"Description"}},
		{"role without a trusted service", newProgram(iam.NewRole, func(stackAccount *account.Account) *iam.RoleArgs {
			return &iam.RoleArgs{Account: stackAccount, Description: "d"}
		}), []string{"not an AWS service"}},
		{"role with a wildcard action", newProgram(iam.NewRole, func(stackAccount *account.Account) *iam.RoleArgs {
			return &iam.RoleArgs{Account: stackAccount, Description: "d", Trust: iam.Service("ec2.amazonaws.com"), Statements: []iam.Statement{
				{Sid: "All", Actions: []string{"s3:*"}, Resources: []pulumi.StringInput{pulumi.String(policydocument.Any)}},
			}}
		}), []string{"s3:*"}},

		{"database exporter without a database", newDatabaseExporter(func(a *databaseexporter.Args) { a.Settings = nil }), []string{"DATABASE_URL"}},
		{"database exporter: permissions without an account", newDatabaseExporter(func(a *databaseexporter.Args) {
			a.Account, a.Statements = nil, []iam.Statement{{Sid: "Connect"}}
		}), []string{"Account and ClusterName"}},

		{"image: several errors at once", newProgram(image.NewImage, fixedArgs(&image.ImageArgs{
			Platforms: []ociplatform.Platform{"linux/mips"}, Login: &image.ECRLogin{},
		})), []string{"ImportPath is empty", "Repository is nil", `"linux/mips": use linux/amd64 or linux/arm64`, "Login.Region is empty"}},
		{"image without arguments", newProgram(image.NewImage, nilArgs[*image.ImageArgs]), []string{"args are nil"}},
		{"signing key without signers", newProgram(key.NewSigningKey, func(stackAccount *account.Account) *key.SigningArgs {
			return &key.SigningArgs{Account: stackAccount, Description: "d"}
		}), []string{"Signers must be set"}},
		{"key without a description", newProgram(key.NewKey, func(stackAccount *account.Account) *key.Args { return &key.Args{Account: stackAccount} }), []string{"Account and Description"}},

		{"load balancer without a certificate", newLoadBalancer(func(a *loadbalancer.Args) { a.CertificateARN = nil }), []string{"CertificateARN"}},
		{"load balancer: an environment with a capital letter", newLoadBalancer(func(a *loadbalancer.Args) { a.Environment = "Prod" }), []string{`environment "Prod"`}},
		{"load balancer: a node port outside Kubernetes' range", newLoadBalancer(func(a *loadbalancer.Args) { a.Targets[0].NodePort = 80 }), []string{"node port 80"}},

		{"network: a zone of another region", newNetwork(func(a *network.Args) { a.Zones = []string{"eu-west-1a", "us-east-1a"} }), []string{`"eu-west-1a" is not a zone of us-east-1`}},
		{"network: flow logs without a key", newNetwork(func(a *network.Args) { a.LogKeyARN = nil }), []string{"LogKeyARN"}},
		{"network: an unknown NAT layout", newNetwork(func(a *network.Args) { a.NAT = subnet.NATLayout("none") }), []string{`NAT layout "none"`}},
		{"network: an unknown endpoint layout", newNetwork(func(a *network.Args) { a.Endpoints = "all" }), []string{`endpoint layout "all"`}},
		{"network: a negative number of days for flow logs", newNetwork(func(a *network.Args) { a.FlowLogDays = -1 }), []string{"FlowLogDays is -1"}},

		{"repository without a name", newProgram(repository.NewRepository, nilArgs[*repository.Args]), []string{"RepositoryName"}},
		{"secret that is too short", newProgram(secret.NewSecret, fixedArgs(&secret.Args{KeyARN: anyText, Description: "d", Length: 8})), []string{"Length is 8; must be 16 to 4096"}},
		{"secret with a negative generation", newProgram(secret.NewSecret, fixedArgs(&secret.Args{KeyARN: anyText, Description: "d", Generation: -1})), []string{"Generation is -1"}},
		{"secret files without a secret", newProgram(secretfiles.NewClass, nilArgs[*secretfiles.Args]), []string{"SecretARN"}},
		{"web ACL: a limit below AWS's minimum", newProgram(webacl.NewWebACL, fixedArgs(&webacl.Args{RequestsPerAddress: 5})), []string{"RequestsPerAddress is 5; must be at least 10"}},

		{"service without an image", newService(func(a *service.Args) { a.Image = nil }), []string{"Namespace and Image"}},
		{"service: a role without permissions", newService(func(a *service.Args) { a.Role = &service.Role{} }), []string{"Role must have"}},
		{"service: a relative mount", newService(func(a *service.Args) {
			a.Secrets = []service.SecretFiles{{Name: "s", SecretName: anyText, MountPath: "etc"}}
		}), []string{"absolute MountPath"}},
		{"service: two sources of the same volume", newService(func(a *service.Args) {
			a.Secrets = []service.SecretFiles{{Name: "s", SecretName: anyText, Class: &secretfiles.Class{}, MountPath: "/etc/s"}}
		}), []string{"either a SecretName or a Class"}},
		{"service: an HPA and a VPA on the same resource", newService(func(a *service.Args) { a.Profile.VPA.Mode = "Auto" }), []string{"both own cpu"}},
		{"task without a name", newTask(func(a *service.TaskArgs) { a.Task.ShortName = "" }), []string{"must have a Task with a name"}},

		{"PostgreSQL without subnets", newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			return withChange(databaseArgs(stackAccount), func(a *postgres.DatabaseArgs) { a.SubnetIDs = nil })
		}), []string{"database: Account, VPCID and SubnetIDs"}},
		{"PostgreSQL: several errors at once", newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			return withChange(databaseArgs(stackAccount), func(a *postgres.DatabaseArgs) {
				a.Database.Identifier, a.Database.InstanceClass, a.Database.BackupDays, a.Database.StorageGiB = "App", "db.x", 1, 5
			})
		}), []string{`Identifier "App"`, "db.x", "BackupDays is 1, must be 7 to 35", "StorageGiB is 5"}},
		{"PostgreSQL in the cluster: an image by tag", newPostgresPod(withChange(postgresPodArgs(), func(a *postgres.InClusterArgs) { a.Image = pulumi.String("postgres:17") })), []string{`"postgres:17" must name a digest`}},
		{"PostgreSQL in the cluster: more connections than its memory allows", newPostgresPod(withChange(postgresPodArgs(), func(a *postgres.InClusterArgs) { a.Tuning.Connections = 5000 })), []string{"5000"}},
		{"PostgreSQL in the cluster: a negative volume", newPostgresPod(withChange(postgresPodArgs(), func(a *postgres.InClusterArgs) { a.Storage = size.GiB(-1) })), []string{"or zero for 20Gi"}},
		{"Redis without a replica", newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
			return withChange(redisArgs(stackAccount), func(a *redis.ClusterArgs) { a.Cluster.ReplicasPerShard = -1 })
		}), []string{"without a replica, the loss of a node loses data"}},
		{"Redis without arguments", newProgram(redis.NewCluster, nilArgs[*redis.ClusterArgs]), []string{"cluster: Account, VPCID and SubnetIDs"}},
		{"Redis in the cluster: an image by tag", newRedisPods(withChange(redisPodArgs(), func(a *redis.InClusterArgs) { a.AgentImage = pulumi.String("agent:latest") })), []string{`"agent:latest" must name a digest`}},
		{"Redis in the cluster without the nodes' password", newRedisPods(withChange(redisPodArgs(), func(a *redis.InClusterArgs) { a.NodePassword = nil })), []string{"NodePassword"}},
		{"DocumentDB: an unsupported instance class", newMongo(func(stackAccount *account.Account) *mongo.ClusterArgs {
			return withChange(mongoArgs(stackAccount), func(a *mongo.ClusterArgs) { a.Cluster.InstanceClass = "db.m5.large" })
		}), []string{`InstanceClass "db.m5.large"`}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d, err := run(tc.program)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			for _, r := range d {
				require.Failf(t, "a refused component registers nothing", "%s was registered", r.URN)
			}
		})
	}
}

func TestTierRefusesInvalidArgs(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*tier.Args)
		want   string
	}{
		{"no capacity owner", func(a *tier.Args) { a.Owner = nil }, "capacity owner is nil"},
		{"targets without a load balancer", func(a *tier.Args) { a.Targets = []tier.Target{{Name: "web"}} }, "Targets without their LoadBalancer"},
		{"instance types of two classes", func(a *tier.Args) { a.Fleet.InstanceTypes = []string{"m7i.xlarge", "c7i.xlarge"} }, "differ in class or size"},
		{"no environment", func(a *tier.Args) { a.Environment = "" }, "Environment"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d, err := run(newTier(tc.change))
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, d.ofType("progressive:tier:Tier"))
		})
	}
}

// It is a configuration error if a store has no clients, or if a client is listed twice.
func TestStoreRefusesInvalidClients(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		clients []clients.Client
		want    string
	}{
		{"no client", nil, "nobody could reach the store"},
		{"a client without a security group", []clients.Client{{Name: "nodes"}}, `client "nodes": Name and SecurityGroupID`},
		{"a client that is listed twice", append(nodes, nodes...), `client "nodes" is listed twice`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := run(newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
				return withChange(databaseArgs(stackAccount), func(a *postgres.DatabaseArgs) { a.Clients = tc.clients })
			}))
			require.ErrorContains(t, err, tc.want)
		})
	}
}
