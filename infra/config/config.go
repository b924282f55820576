// Package config owns the stack's configuration: its keys, their types, their defaults and their
// rules. It has no side effects and does not depend on resources.
//
// Load reports all errors together, each with the path that `pulumi config set
// --path` takes. Nothing is registered before the configuration is valid.
package config

import (
	"net/netip"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/image/ociplatform"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/webacl/webaclspec"
)

//go:generate env CGO_ENABLED=0 go test -trimpath -run "TestDocumentationIsUpToDate|TestPreviewedConfigurationsAreCurrent" . -update

// Project is the namespace of the platform's own keys, the project's name.
const Project = "progressive-framework"

// Stack is the whole configuration of one stack. The tag key or path of a field is its key. make
// generate copies the doc comments of the types and fields into docs/configuration.md. The tag
// unset describes an unset key that has no value in defaults.
type Stack struct {
	// The stack's AWS region, such as `us-east-1`.
	Region string `path:"aws:region" unset:"required"`
	// Part of the names of all resources, of the tag Environment and of the
	// namespace `progressive-framework-ENVIRONMENT`. 1 to 12 lower-case letters
	// and digits, a letter first.
	Environment string `key:"environment" unset:"required"`
	// The only AWS account that the stack may change: twelve digits, in quotes. `123456789012` is
	// the sandbox's account. With any other account, placeholders such as a domain below `.example`
	// are refused.
	Account string `key:"account" unset:"required"`
	// Protects every resource that holds data, an address or an identity: stores, secrets, buckets,
	// keys, logs, image repositories, the VPC and its subnets, NAT addresses, the cluster, load
	// balancer, CloudFront, certificates and DNS records. A preview that would delete or replace
	// such a resource fails: never add `--skip-preview`. To delete one on purpose, set this to
	// `false`, run `pulumi up`, then make the change.
	DeletionProtection bool `key:"deletionProtection"`
	// Lets a destroy discard the data of managed stores. By default their deletion
	// takes a final snapshot, keeps RDS's automated backups, and keeps the stores'
	// KMS keys, without which no backup can be restored. To discard the data, set
	// this to `true`, run `pulumi up`, then destroy.
	DiscardData bool `key:"discardData"`
	// The weekday on which AWS maintains the managed stores, in the night (UTC), one
	// store after the other. Choose a day for staging that is days before prod's.
	MaintenanceDay storespec.Weekday `key:"maintenanceDay"`
	// Lets changes of the managed stores that interrupt them take effect immediately, such as
	// another class. Otherwise they wait for the night of `maintenanceDay`; a preview says
	// which class waits.
	ApplyImmediately bool `key:"applyImmediately"`
	// The ARN of an IAM policy that bounds what every IAM role of the stack may
	// do: its permissions boundary.
	PermissionsBoundary string `key:"permissionsBoundary"`
	// A PEM file of the project with the certificate authorities by which clients
	// verify RDS and DocumentDB, such as `global-bundle.pem`, which AWS publishes. A
	// region that is newer than the program's own authorities needs it.
	CAFile string `key:"caFile" unset:"the authorities of the region, as of September 2024"`
	// The storage class of the volumes of in-cluster stores and of Prometheus. The class
	// must allow expansion, or no volume can grow.
	StorageClass string `key:"storageClass"`

	Network    Network    `key:"network"`
	Cluster    Cluster    `key:"cluster"`
	Tiers      Tiers      `key:"tiers"`
	Images     Images     `key:"images"`
	Release    Release    `key:"release"`
	Services   Services   `key:"services"`
	PodScaling PodScaling `key:"podScaling"`
	Prometheus Prometheus `key:"prometheus"`
	FrontDoor  FrontDoor  `key:"frontDoor"`
	Auth       Auth       `key:"auth"`
	Edge       Edge       `key:"edge"`
	Postgres   Postgres   `key:"postgres"`
	Redis      Redis      `key:"redis"`
	Mongo      Mongo      `key:"mongo"`
	Policy     Policy     `key:"policy"`

	// AWS are the keys of namespace aws that the stack passes on.
	AWS AWS

	// Warnings are what should change soon, although the configuration is valid.
	Warnings []string

	// CABundle is the content of CAFile, or the program's own authorities of the region.
	CABundle []byte
	// MongoCABundle is the content of Mongo.CAFile.
	MongoCABundle []byte

	// setKeys are the paths of the keys that the stack's configuration sets.
	setKeys map[string]bool
}

// Network is the VPC: created by the stack, or one that exists.
type Network struct {
	// The VPC's IPv4 block: /16 to /20, in a private range, with no bits set
	// beyond the prefix. It must have addresses for the largest number of nodes
	// of `tiers`.
	CIDR string `key:"cidr" unset:"required without network.vpcId"`
	// 2 to 6 availability zones of the region, in any order. Adding or removing a zone does not
	// renumber the others. The zones of the control plane, and the zone of a single NAT gateway,
	// must stay.
	Zones []string `key:"zones" unset:"required without network.vpcId"`
	// In which zones NAT gateways are. With `single` the stack is cheaper, and
	// the loss of that zone cuts every zone off from the internet.
	NATGateways subnet.NATLayout `key:"natGateways"`
	// In which zones the interface endpoints of AWS's services are. With `none`
	// AWS's services are reached through the NAT gateways.
	Endpoints subnet.EndpointLayout `key:"endpoints"`
	// An existing VPC of the stack's account and region. The stack then creates
	// nothing of the network: no subnet, route, gateway, VPC endpoint, network ACL
	// or flow log. A preview checks the VPC: DNS hostnames are on, and with
	// `edge.domain` an internet gateway is attached. Where it has interface
	// endpoints with private DNS, their security groups must admit the nodes. A
	// stack can't move to another VPC.
	VPCID string `key:"vpcId" unset:"the stack creates a VPC"`
	// The subnets of nodes, pods and load balancer in an existing VPC: one in each of
	// 2 to 6 zones. They need a route to 0.0.0.0/0 that is not an internet gateway,
	// and free addresses for the largest number of nodes of `tiers`. Their zones are
	// those of the stack.
	PrivateSubnetIDs []string `key:"privateSubnetIds" unset:"required with network.vpcId"`
	// The subnets of the managed data stores in an existing VPC: one in each of 2 to 6 zones. They
	// need no route out. A stack with a managed store must keep its subnets; others can be added.
	DatabaseSubnetIDs []string `key:"databaseSubnetIds" unset:"network.privateSubnetIds"`

	// Block is the parsed CIDR. It is not valid if the VPC exists already.
	Block netip.Prefix
}

// Cluster is the EKS cluster.
type Cluster struct {
	// The Kubernetes minor version. A version without support is refused, unless
	// `cluster.nodes` is `own`.
	Version eksspec.Version `key:"version"`
	// An upgrade to `version` stops after this part of the cluster. The later parts
	// stay at the previous minor version.
	UpgradeStage eksspec.Stage `key:"upgradeStage"`
	// Keeps a version beyond its standard support, at a price. Without it EKS
	// upgrades the control plane when standard support ends.
	ExtendedSupport bool `key:"extendedSupport"`
	// The zones of the control plane's network interfaces: at least two of `network.zones`, or of
	// the zones of `network.privateSubnetIds`. EKS does not let them change. EKS has no control
	// planes in the zones use1-az3, usw1-az2 and cac1-az3. Their letters differ by account: a
	// preview looks them up.
	Zones []string `key:"zones" unset:"the first two of network.zones with control planes, by name"`
	// ARNs of the IAM roles and users that administer the cluster: at least one,
	// so that the cluster is not lost with the identity that created it. That
	// identity administers it already and is not listed. The ARN has the role's
	// whole path, as `aws iam get-role` shows it.
	Admins []string `key:"admins" unset:"required"`
	// Lets operators open a shell on a node with AWS Systems Manager's Session
	// Manager, through NAT. Who may do so is decided by IAM
	// (`ssm:StartSession`). A node has no other login.
	SessionManager bool `key:"sessionManager"`
	// The public IPv4 blocks from which the stack is deployed over the internet: /8 to /32, at most
	// 40, none within another. They reach the API endpoint. If the list is not set, the endpoint is
	// private. It is required if neither `cluster.privateAccessCidrs` nor
	// `cluster.privateAccessSecurityGroups` is set.
	PublicAccessCIDRs []string `key:"publicAccessCidrs"`
	// The IPv4 blocks from which the stack is deployed over a private connection:
	// a connected network, or a runner's subnet in the VPC. /8 to /32, none within
	// another. They reach the API endpoint and the interface endpoints. With
	// `cluster.publicAccessCidrs`, a connected network must use the VPC's DNS:
	// elsewhere the endpoint's name has public addresses.
	PrivateAccessCIDRs []string `key:"privateAccessCidrs"`
	// The IDs of the security groups of runners that deploy the stack. A runner is
	// in the VPC, or in a VPC that is peered with it. It reaches the API endpoint
	// and the interface endpoints.
	PrivateAccessSecurityGroups []string `key:"privateAccessSecurityGroups"`
	// The source of the nodes: the Auto Scaling Groups of `tiers`, or nodes that
	// this stack does not manage, as in a sandbox.
	Nodes NodeSource `key:"nodes"`
	// The share of the profiles' resource requests that the pods request, 1 to 100 %. Lower it for
	// a cluster that is smaller than production.
	RequestPercent int `key:"requestPercent"`
}

// NodeSource is where a cluster's nodes come from.
type NodeSource string

// The sources of nodes.
const (
	// NodesAutoScaling are nodes of the tiers' Auto Scaling Groups.
	NodesAutoScaling NodeSource = "autoScaling"
	// NodesOwn are nodes that the cluster has already, and that the stack does not manage.
	NodesOwn NodeSource = "own"
)

// Values lists the sources.
func (NodeSource) Values() []string { return []string{string(NodesAutoScaling), string(NodesOwn)} }

// Images is how the images are built.
type Images struct {
	// The OCI platforms of every image. With more than one, the image is an
	// index. They must cover the architecture of every tier.
	Platforms []ociplatform.Platform `key:"platforms"`
	// An existing registry path of the account with the third-party images that the stack runs, as
	// `ecr://PREFIX`. The images are Prometheus, kube-state-metrics, Alertmanager, KEDA, VPA, AWS
	// for Fluent Bit, Cluster Autoscaler and Node Termination Handler. They have the tags of their
	// upstream registries.
	Mirror string `key:"mirror" unset:"the upstream registries"`
	// The key that signs the provenance and the SBOM of every image that the stack builds, and the
	// gates of a promotion. It is a key of AWS KMS: `awskms:///ARN`, `awskms:///alias/NAME` or
	// `awskms:///ID`. Or it is a file of the project with a private key (ECDSA P-256, PKCS #8 in
	// PEM), which must not be in git. Every preview reads the key's public part.
	SigningKey string `key:"signingKey" unset:"nothing is signed"`
	// ARNs of the roles and users that may sign with a key of AWS KMS that the stack creates,
	// `alias/progressive-framework-ENVIRONMENT-signing`: the deployer of the stack, and whoever
	// promotes its images. `signingKey` can name the key once it exists.
	KMSSigners []string `key:"kmsSigners" unset:"the stack creates no such key"`
	// Files of the project with the public keys in PEM that promoted images are verified
	// with. One of them must have signed. During a rotation there are two.
	TrustedKeys []string `key:"trustedKeys" unset:"none"`

	// Further gates of a promotion for which an image must have signed statements, such as
	// `pods`. A preview refuses a digest that did not pass them. `signatures`, `bake-time` and
	// `migrations` are always required. docs/promotion.md lists the gates.
	RequiredGates []string `key:"requiredGates" unset:"none"`

	// TrustedPEM are the contents of TrustedKeys.
	TrustedPEM []string
}

// FrontDoor is the way into a stack without a load balancer, such as a sandbox.
type FrontDoor struct {
	// Opens the front service on every node at this port, 30000 to 32767. If it is not set, the
	// front service can be reached inside the cluster only.
	NodePort int `key:"nodePort" unset:"none"`
}

// Policy is the stack's configuration of the policy pack. The policy pack reads and checks it; see
// docs/policy.md.
type Policy struct {
	// The level of a rule, by its ID, if the stack is stricter than the rule: `mandatory` or
	// `advisory`.
	Levels map[string]PolicyLevel `key:"levels" unset:"none"`
	// The accepted violations: a list of objects with `rule`, `resource`,
	// `reason`, `owner` and `until`.
	Waivers []Waiver `key:"waivers" unset:"none"`
	// What the stack may cost, and what it is expected to use.
	Cost Cost `key:"cost"`
}

// PolicyLevel is the level of a rule of the policy pack: a violation of a mandatory rule fails the
// preview.
type PolicyLevel string

// Values lists the levels.
func (PolicyLevel) Values() []string { return []string{"mandatory", "advisory"} }

// Cost is the data about the stack's cost that the policy pack and `pf cost` use.
type Cost struct {
	// The highest cost of the stack a month, in US dollars. It is compared with the expected amount
	// of all resources with a price, as `pf cost` shows it. A preview above the budget fails.
	MonthlyBudget int `key:"monthlyBudget" unset:"no limit"`
	// The highest growth of the expected monthly cost by one change, in percent of the cost before
	// the change. `pf ci preview` refuses a change above it.
	MaxGrowthPercent int `key:"maxGrowthPercent" unset:"no limit"`
	// The expected usage per month, by the name of the estimate, such as `natGB: 500`. Its
	// price is added to the fixed cost. docs/cost.md lists the names.
	Estimates map[string]int `key:"estimates" unset:"none"`
}

// Waiver accepts the violations of one rule by some resources for a time.
type Waiver struct {
	// The ID of the rule.
	Rule string `key:"rule"`
	// The name of the resource in Pulumi; `*` is any text.
	Resource string `key:"resource"`
	// Why the violation is acceptable.
	Reason string `key:"reason"`
	// Who removes the cause of the violation.
	Owner string `key:"owner"`
	// The last day, at most 180 days ahead, such as `2027-03-31`, in quotes.
	Until string `key:"until"`
}

// Services is what the stack changes of each service's profile, by the
// service's short name, such as `mca`. The other numbers of a service (requests,
// limits, probes) are not configuration: they are in components/scaling, each
// with its source.
type Services map[string]Service

// Service is what a stack may change of a service's profile.
type Service struct {
	// The smallest number of pods, at most `max`. Without `podScaling.enabled` the number of pods
	// is the design document's, limited to `min` and `max`.
	Min int `key:"min" unset:"the profile's"`
	// The largest number of pods. The pods of all services share 85 % of
	// `postgres.connections`: with more pods, each has a smaller pool.
	Max int `key:"max" unset:"the profile's"`
}

// PodScaling is what scales the pods of the services.
type PodScaling struct {
	// Runs Prometheus, kube-state-metrics, KEDA and VPA, which measure the services and scale their
	// pods. A cluster can have the kinds of KEDA and VPA and the API of external metrics only once:
	// leave `enabled` off if the cluster has them already.
	Enabled bool `key:"enabled"`
	// How often VPA reads the usage of the pods, and how often it resizes pods, in
	// seconds. It resizes half of a service's pods at a time.
	ResizeSeconds int `key:"resizeSeconds"`
	// What a forecast of the load does (docs/prediction.md). With `shadow` the forecaster runs, and
	// its metrics show the numbers of pods that it would request; the HPAs stay those of the design
	// document. With `"on"`, in quotes, the forecast determines the number of pods, which needs
	// `cluster.version` 1.35. To go back, set `shadow`: `off` deletes the repository of the
	// forecaster's image, which `deletionProtection` refuses.
	Predictive Predictive `key:"predictive"`
}

// Predictive says what a forecast of the load does.
type Predictive string

// The values of Predictive.
const (
	PredictiveOff    Predictive = "off"
	PredictiveShadow Predictive = "shadow"
	PredictiveOn     Predictive = "on"
)

// Values lists the values of Predictive.
func (Predictive) Values() []string {
	return []string{string(PredictiveOff), string(PredictiveShadow), string(PredictiveOn)}
}

// RunsForecaster reports whether the stack runs the forecaster.
func (p PodScaling) RunsForecaster() bool { return p.Enabled && p.Predictive != PredictiveOff }

// Prometheus is the server of the services' metrics.
type Prometheus struct {
	// The number of pods. Each scrapes everything, so that one may be lost.
	Replicas int `key:"replicas"`
	// The size of the volume of each pod.
	StorageGiB int `key:"storageGiB"`
	// The ARN of an existing workspace of Amazon Managed Service for Prometheus, in the
	// stack's region and account. It gets the recorded series: the values that autoscalers
	// compare with their targets, and the service level objectives. Everything else stays in
	// the pods' volumes.
	WorkspaceARN string `key:"workspaceArn" unset:"no series leaves the cluster"`
}

// defaults returns a stack in which every key with a default has this value.
func defaults() Stack {
	return Stack{
		Network:            Network{NATGateways: subnet.NATPerZone, Endpoints: subnet.EndpointsPerZone},
		Cluster:            Cluster{Version: "1.36", UpgradeStage: eksspec.StageAutoscaler, Nodes: NodesAutoScaling, RequestPercent: 100},
		Images:             Images{Platforms: []ociplatform.Platform{ociplatform.Default}},
		PodScaling:         PodScaling{ResizeSeconds: 60, Predictive: PredictiveOff},
		Prometheus:         Prometheus{Replicas: 2, StorageGiB: 50},
		Edge:               Edge{WebACL: true, WebACLMode: webaclspec.Count},
		Postgres:           Postgres{Kind: Managed, Connections: postgrestuning.DefaultConnections, Cores: 2, Platforms: []ociplatform.Platform{ociplatform.Default}},
		Redis:              Redis{Kind: Managed, Platforms: []ociplatform.Platform{ociplatform.Default}},
		Mongo:              Mongo{Kind: NoMongo},
		DeletionProtection: true,
		MaintenanceDay:     "sun",
		StorageClass:       storespec.StorageClass,
	}
}

// Name returns the name of the stack's namespace, with which the names of its resources begin.
func (s *Stack) Name() string { return Project + "-" + s.Environment }

// Profiles lists the services, each with the stack's changes applied.
func (s *Stack) Profiles() []scaling.Profile {
	profiles := scaling.Services()
	for i := range profiles {
		override := s.Services[profiles[i].ShortName]
		if bounded, err := profiles[i].WithBounds(override.Min, override.Max); err == nil { // validateServices refuses the others
			profiles[i] = bounded
		}
		profiles[i].Autoscaled = s.PodScaling.Enabled
		if scaled, err := profiles[i].WithRequests(scaling.Percent(s.Cluster.RequestPercent)); err == nil {
			profiles[i] = scaled
		}
	}
	return profiles
}

// Migration returns the task that every service waits for.
func (s *Stack) Migration() scaling.Task {
	return scaling.MigrationTask().WithRequests(scaling.Percent(s.Cluster.RequestPercent))
}
