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

// changed gives the arguments after a change.
func changed[A any](args A, change func(A)) A {
	change(args)
	return args
}

// create is the program of a component whose constructor is new. The arguments
// may need the account.
func create[A, C any](constructor func(*pulumi.Context, string, A, ...pulumi.ResourceOption) (C, error), args func(*account.Account) A) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		_, err := constructor(ctx, "app", args(stackAccount))
		return err
	}
}

func none[A any](*account.Account) A {
	var a A
	return a
}

func given[A any](args A) func(*account.Account) A {
	return func(*account.Account) A { return args }
}

// Wrong arguments are refused with what is wrong, before anything of the
// component is registered.
func TestWrongArgumentsRegisterNothing(t *testing.T) {
	word := pulumi.String("x")
	for _, tc := range []struct {
		reason  string
		program program
		want    []string
	}{
		{"addons without nodes stay degraded", create(addons.NewAddons, none[*addons.Args]), []string{"Account, Cluster, KeyARN and Nodes"}},
		{"autoscaler without a cluster", create(autoscaler.NewAutoscaler, none[*autoscaler.Args]), []string{"Account and Cluster"}},

		{"bucket: a policy from two sides", newBucket(&bucket.Args{PolicyFollows: true, Statements: func(pulumi.StringOutput) []iam.Statement { return nil }}), []string{"Statements and PolicyFollows contradict"}},
		{"bucket: S3's length of a name", func(ctx *pulumi.Context, _ *account.Account) error {
			_, err := bucket.NewBucket(ctx, "a-name-that-leaves-no-room-for-what-pulumi-adds-to-it", &bucket.Args{})
			return err
		}, []string{"must have at most 48"}},
		{"bucket: a negative expiry", newBucket(&bucket.Args{ExpireDays: -1}), []string{"ExpireDays is -1"}},

		{"CDN without its way to the load balancer", newCDN(func(a *cdn.Args) { a.VPCOriginID = nil }), []string{"VPCOriginID and OriginDomain"}},
		{"CDN: domains without their certificate", newCDN(func(a *cdn.Args) { a.Domains = []string{"example.com"} }), []string{"CertificateARN"}},
		{"CDN: a zone without domains", newCDN(func(a *cdn.Args) { a.ZoneID = word }), []string{"no Domains"}},
		{"CDN: a path that is not below /api/", newCDN(func(a *cdn.Args) { a.Cacheable = []string{"/x"} }), []string{"/x"}},
		{"CDN: no such folder", newCDN(func(a *cdn.Args) { a.SiteFolder = "testdata/none" }), []string{"testdata/none"}},

		{"certificate: one that is given and requested", newCertificate(&certificate.Args{ARN: word, Names: []string{"example.com"}}), []string{"set either ARN, or Names and ZoneID"}},
		{"certificate: nobody proves the names", newCertificate(&certificate.Args{Names: []string{"example.com"}}), []string{"ZoneID is nil"}},
		{"certificate: not a name", newCertificate(&certificate.Args{Names: []string{"https://example.com"}, ZoneID: word}), []string{"https://example.com"}},

		{"cluster: all that is wrong at once", newCluster(func(a *cluster.Args) {
			a.Version, a.ControlPlaneZones, a.Admins = "1.20", []string{"us-east-1a"}, []string{"arn:aws:sts::123456789012:assumed-role/x/y"}
		}), []string{`"1.20"`, "at least two", "must be the ARN of an IAM role or user"}},
		{"cluster: a zone without a subnet", newCluster(func(a *cluster.Args) { a.ControlPlaneZones = []string{"us-east-1a", "us-east-1f"} }), []string{"us-east-1f has no subnet"}},
		{"cluster without a name", newCluster(func(a *cluster.Args) { a.ClusterName = "" }), []string{"ClusterName"}},

		{"role without a description", create(iam.NewRole, func(stackAccount *account.Account) *iam.RoleArgs {
			return &iam.RoleArgs{Account: stackAccount, Trust: iam.Service("ec2.amazonaws.com")}
		}), []string{"Description"}},
		{"role that nobody can assume", create(iam.NewRole, func(stackAccount *account.Account) *iam.RoleArgs {
			return &iam.RoleArgs{Account: stackAccount, Description: "d"}
		}), []string{"not an AWS service"}},
		{"role that may do everything", create(iam.NewRole, func(stackAccount *account.Account) *iam.RoleArgs {
			return &iam.RoleArgs{Account: stackAccount, Description: "d", Trust: iam.Service("ec2.amazonaws.com"), Statements: []iam.Statement{
				{Sid: "All", Actions: []string{"s3:*"}, Resources: []pulumi.StringInput{pulumi.String(policydocument.Any)}},
			}}
		}), []string{"s3:*"}},

		{"database exporter without a database", newDatabaseExporter(func(a *databaseexporter.Args) { a.Settings = nil }), []string{"DATABASE_URL"}},
		{"database exporter: permissions without an account", newDatabaseExporter(func(a *databaseexporter.Args) {
			a.Account, a.Statements = nil, []iam.Statement{{Sid: "Connect"}}
		}), []string{"Account and ClusterName"}},

		{"image: all that is wrong at once", create(image.NewImage, given(&image.ImageArgs{
			Platforms: []ociplatform.Platform{"linux/mips"}, Credentials: &image.Credentials{},
		})), []string{"ImportPath is empty", "Repository is nil", `"linux/mips": use linux/amd64 or linux/arm64`, "both Username and Password"}},
		{"image without arguments", create(image.NewImage, none[*image.ImageArgs]), []string{"args are nil"}},
		{"signing key that nobody uses", create(key.NewSigningKey, func(stackAccount *account.Account) *key.SigningArgs {
			return &key.SigningArgs{Account: stackAccount, Description: "d"}
		}), []string{"Signers must be set"}},
		{"key without a description", create(key.NewKey, func(stackAccount *account.Account) *key.Args { return &key.Args{Account: stackAccount} }), []string{"Account and Description"}},

		{"load balancer: CloudFront can't verify it", newLoadBalancer(func(a *loadbalancer.Args) { a.CertificateARN = nil }), []string{"CertificateARN"}},
		{"load balancer: an environment that its names do not hold", newLoadBalancer(func(a *loadbalancer.Args) { a.Environment = "Prod" }), []string{`environment "Prod"`}},
		{"load balancer: a port that is none of a node", newLoadBalancer(func(a *loadbalancer.Args) { a.Targets[0].NodePort = 80 }), []string{"node port 80"}},

		{"network: zones of another region", newNetwork(func(a *network.Args) { a.Zones = []string{"eu-west-1a", "us-east-1a"} }), []string{`"eu-west-1a" is not a zone of us-east-1`}},
		{"network: flow logs in the clear", newNetwork(func(a *network.Args) { a.LogKeyARN = nil }), []string{"LogKeyARN"}},
		{"network: no such layouts", newNetwork(func(a *network.Args) { a.NAT = subnet.NATLayout("none") }), []string{`NAT layout "none"`}},
		{"network: no such endpoint layout", newNetwork(func(a *network.Args) { a.Endpoints = "all" }), []string{`endpoint layout "all"`}},
		{"network: negative days", newNetwork(func(a *network.Args) { a.FlowLogDays = -1 }), []string{"FlowLogDays is -1"}},

		{"repository without a name", create(repository.NewRepository, none[*repository.Args]), []string{"RepositoryName"}},
		{"secret that is guessed", create(secret.NewSecret, given(&secret.Args{KeyARN: word, Description: "d", Length: 8})), []string{"Length is 8; must be 16 to 4096"}},
		{"secret of a negative generation", create(secret.NewSecret, given(&secret.Args{KeyARN: word, Description: "d", Generation: -1})), []string{"Generation is -1"}},
		{"secret files without a secret", create(secretfiles.NewClass, none[*secretfiles.Args]), []string{"SecretARN"}},
		{"web ACL below AWS's least", create(webacl.NewWebACL, given(&webacl.Args{RequestsPerAddress: 5})), []string{"RequestsPerAddress is 5; must be at least 10"}},

		{"service without an image", newService(func(a *service.Args) { a.Image = nil }), []string{"Namespace and Image"}},
		{"service: a role without permissions", newService(func(a *service.Args) { a.Role = &service.Role{} }), []string{"Role must have"}},
		{"service: a relative mount", newService(func(a *service.Args) {
			a.Secrets = []service.SecretFiles{{Name: "s", SecretName: word, MountPath: "etc"}}
		}), []string{"absolute MountPath"}},
		{"service: two sources of one volume", newService(func(a *service.Args) {
			a.Secrets = []service.SecretFiles{{Name: "s", SecretName: word, Class: &secretfiles.Class{}, MountPath: "/etc/s"}}
		}), []string{"either a SecretName or a Class"}},
		{"service: an HPA and a VPA on one resource", newService(func(a *service.Args) { a.Profile.VPA.Mode = "Auto" }), []string{"both own cpu"}},
		{"task without a name", newTask(func(a *service.TaskArgs) { a.Task.Short = "" }), []string{"must have a Task with a name"}},

		{"PostgreSQL without subnets", newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			return changed(databaseArgs(stackAccount), func(a *postgres.DatabaseArgs) { a.SubnetIDs = nil })
		}), []string{"database: Account, VPCID and SubnetIDs"}},
		{"PostgreSQL: all that is wrong at once", newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
			return changed(databaseArgs(stackAccount), func(a *postgres.DatabaseArgs) {
				a.Database.Identifier, a.Database.InstanceClass, a.Database.BackupDays, a.Database.StorageGiB = "App", "db.x", 1, 5
			})
		}), []string{`Identifier "App"`, "db.x", "BackupDays is 1, must be 7 to 35", "StorageGiB is 5"}},
		{"PostgreSQL in the cluster: a tag moves", newPostgresPod(changed(postgresPodArgs(), func(a *postgres.InClusterArgs) { a.Image = pulumi.String("postgres:17") })), []string{`"postgres:17" must name a digest`}},
		{"PostgreSQL in the cluster: connections beyond its memory", newPostgresPod(changed(postgresPodArgs(), func(a *postgres.InClusterArgs) { a.Tuning.Connections = 5000 })), []string{"5000"}},
		{"PostgreSQL in the cluster: a negative volume", newPostgresPod(changed(postgresPodArgs(), func(a *postgres.InClusterArgs) { a.Storage = size.GiB(-1) })), []string{"or zero for 20Gi"}},
		{"Redis without a replica", newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
			return changed(redisArgs(stackAccount), func(a *redis.ClusterArgs) { a.Cluster.ReplicasPerShard = -1 })
		}), []string{"without a replica, the loss of a node loses data"}},
		{"Redis without arguments", create(redis.NewCluster, none[*redis.ClusterArgs]), []string{"cluster: Account, VPCID and SubnetIDs"}},
		{"Redis in the cluster: a tag moves", newRedisPods(changed(redisPodArgs(), func(a *redis.InClusterArgs) { a.AgentImage = pulumi.String("agent:latest") })), []string{`"agent:latest" must name a digest`}},
		{"Redis in the cluster without the nodes' password", newRedisPods(changed(redisPodArgs(), func(a *redis.InClusterArgs) { a.NodePassword = nil })), []string{"NodePassword"}},
		{"DocumentDB: no such class", newMongo(func(stackAccount *account.Account) *mongo.ClusterArgs {
			return changed(mongoArgs(stackAccount), func(a *mongo.ClusterArgs) { a.Cluster.InstanceClass = "db.m5.large" })
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

func TestTierRefusesWhatItCanNotScale(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*tier.Args)
		want   string
	}{
		{"no capacity owner", func(a *tier.Args) { a.Owner = nil }, "capacity owner is nil"},
		{"targets without their load balancer", func(a *tier.Args) { a.Targets = []tier.Target{{Name: "web"}} }, "Targets without their LoadBalancer"},
		{"instances of two shapes", func(a *tier.Args) { a.Fleet.InstanceTypes = []string{"m7i.xlarge", "c7i.xlarge"} }, "differ in class or size"},
		{"no environment", func(a *tier.Args) { a.Environment = "" }, "Environment"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d, err := run(newTier(tc.change))
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, d.ofType("progressive:tier:Tier"))
		})
	}
}

// A store that nobody reaches, or that one client reaches twice, is a mistake.
func TestClientsOfAStoreAreChecked(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		clients []clients.Client
		want    string
	}{
		{"nobody", nil, "nobody could reach the store"},
		{"one without a group", []clients.Client{{Name: "nodes"}}, `client "nodes": Name and SecurityGroupID`},
		{"one twice", append(nodes, nodes...), `client "nodes" is listed twice`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := run(newDatabase(func(stackAccount *account.Account) *postgres.DatabaseArgs {
				return changed(databaseArgs(stackAccount), func(a *postgres.DatabaseArgs) { a.Clients = tc.clients })
			}))
			require.ErrorContains(t, err, tc.want)
		})
	}
}
