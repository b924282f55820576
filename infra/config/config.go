// Package config is the stack's configuration: its keys, their types, their
// defaults and their rules. It is pure and knows nothing of resources.
//
// Load reports every error at once, each with the path that a person would
// give to `pulumi config set --path`, so that a wrong stack is mended in one
// round and nothing is registered before it is right.
package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/scaling"
)

// Project is the namespace of the platform's own keys, the project's name.
const Project = "progressive-framework"

// Stack is one stack's whole configuration. The fields' tags are the keys.
type Stack struct {
	// Region is aws:region.
	Region string `mapstructure:"-"`

	// Environment names the stack in resource names, tags and the namespace:
	// lower-case letters and digits, at most 12.
	Environment string `mapstructure:"environment"`
	// Account is the only AWS account that the stack may touch, twelve digits;
	// empty: whichever the credentials lead to.
	Account    string     `mapstructure:"account"`
	Network    Network    `mapstructure:"network"`
	Cluster    Cluster    `mapstructure:"cluster"`
	Repository Repository `mapstructure:"repository"`
	Images     Images     `mapstructure:"images"`
	FrontDoor  FrontDoor  `mapstructure:"frontDoor"`
	Edge       Edge       `mapstructure:"edge"`
	Auth       Auth       `mapstructure:"auth"`
	Postgres   Postgres   `mapstructure:"postgres"`
	Redis      Redis      `mapstructure:"redis"`
	Mongo      Mongo      `mapstructure:"mongo"`
	// CAFile, a PEM file of the project, holds who signs the certificates of the
	// managed PostgreSQL and DocumentDB, which no image knows; empty: the
	// services speak TLS to PostgreSQL but believe any server, and migrate
	// leaves DocumentDB alone.
	CAFile string `mapstructure:"caFile"`
	// DeletionProtection keeps what holds data, and what users reach it by,
	// from a destroy; true unless it is said that the stack may be lost.
	DeletionProtection bool `mapstructure:"deletionProtection"`
	// StorageClass is that of the volumes of in-cluster stores.
	StorageClass string `mapstructure:"storageClass"`
	// Tiers holds what a stack changes of a tier of nodes, by the tier's name.
	Tiers map[string]Tier `mapstructure:"tiers"`
	// Services holds what a stack changes of a service's profile, by the
	// service's short name.
	Services map[string]Service `mapstructure:"services"`
}

// Network is the VPC.
type Network struct {
	// CIDR is the VPC's IPv4 block, /16 to /20.
	CIDR string `mapstructure:"cidr"`
	// Zones are two to six availability zones of the region. Zones can be
	// added, removed and reordered without renumbering the others.
	Zones []string `mapstructure:"zones"`
	// Endpoints is where the interface endpoints stand: "perZone" (the
	// default), "single" or "none".
	Endpoints string `mapstructure:"endpoints"`
	// NATGateways is "perZone" (the default: a zone's loss takes no other
	// zone's way out) or "single" (cheaper).
	NATGateways string `mapstructure:"natGateways"`

	// Block is CIDR, parsed.
	Block netip.Prefix `mapstructure:"-"`
}

// Cluster is the EKS cluster.
type Cluster struct {
	// Version is the Kubernetes minor version, such as "1.34".
	Version string `mapstructure:"version"`
	// ExtendedSupport keeps a version beyond its standard support, at a price.
	ExtendedSupport bool `mapstructure:"extendedSupport"`
	// Zones are those of the control plane's network interfaces, at least two
	// of the network's; none: its first two by name. They can't change.
	Zones []string `mapstructure:"zones"`
	// Admins are IAM roles and users, by ARN, that administer the cluster
	// beside whoever made it.
	Admins []string `mapstructure:"admins"`
	// Nodes is NodesAutoScaling (the default: the tiers) or NodesOwn, where the
	// cluster has nodes that the stack knows nothing of, as a sandbox does.
	Nodes string `mapstructure:"nodes"`
	// RequestPercent is how much of their requests pods ask for, 1 to 100 %: a
	// sandbox is smaller than what the numbers are for.
	RequestPercent int `mapstructure:"requestPercent"`
	// PublicAccessCIDRs are the blocks from which the API endpoint is reached
	// over the internet; none: only from inside the VPC. 0.0.0.0/0 is refused.
	PublicAccessCIDRs []string `mapstructure:"publicAccessCidrs"`
}

// Repository is the ECR repository of the services' images.
type Repository struct {
	// ForceDelete lets a destroy take the repository with images in it.
	ForceDelete bool `mapstructure:"forceDelete"`
}

// Images says how the services' images are built.
type Images struct {
	// Platforms are OCI platforms; none: linux/amd64. Several make an index.
	Platforms []string `mapstructure:"platforms"`
}

// FrontDoor is where the platform's users come in.
type FrontDoor struct {
	// NodePort, 30000 to 32767, opens the front service on every node; zero:
	// the service is reached inside the cluster only.
	NodePort int `mapstructure:"nodePort"`
}

// Auth is whose tokens the services accept.
type Auth struct {
	// Issuer is the iss of a token, and Audience one of its aud.
	Issuer   string `mapstructure:"issuer"`
	Audience string `mapstructure:"audience"`
	// JWKSURL is where the issuer publishes its keys; or JWKSFile, relative to
	// the project, holds them.
	JWKSURL  string `mapstructure:"jwksUrl"`
	JWKSFile string `mapstructure:"jwksFile"`
}

// Service is what a stack may change of a service's profile.
type Service struct {
	// Replicas is the number of pods, 1 to 50; zero: the profile's.
	Replicas int `mapstructure:"replicas"`
}

// Layouts of NAT gateways and of interface endpoints, which can be left out.
const (
	PerZone = "perZone"
	Single  = "single"
	None    = "none"
)

// Where a cluster's nodes come from.
const (
	NodesAutoScaling = "autoScaling"
	NodesOwn         = "own"
)

// FastSSD is the storage class that the platform makes on the EBS CSI driver
// (section "Multi-Layer Caching Strategy").
const FastSSD = "fast-ssd"

func defaults() Stack {
	return Stack{
		Network:            Network{NATGateways: PerZone, Endpoints: PerZone},
		Cluster:            Cluster{Version: "1.34", Nodes: NodesAutoScaling, RequestPercent: 100},
		Edge:               Edge{WebACL: true},
		Postgres:           Postgres{Kind: KindManaged},
		Redis:              Redis{Kind: KindManaged},
		Mongo:              Mongo{Kind: KindManaged},
		DeletionProtection: true,
		StorageClass:       FastSSD,
	}
}

// Name begins the names of the stack's resources, and is its namespace.
func (s *Stack) Name() string { return Project + "-" + s.Environment }

// Profiles lists the services, each with the stack's changes applied.
func (s *Stack) Profiles() []scaling.Profile {
	profiles := scaling.Services()
	for i := range profiles {
		if n := s.Services[profiles[i].Short].Replicas; n > 0 {
			profiles[i].Count = scaling.Fixed(n)
		}
		if asked, err := profiles[i].WithRequests(scaling.Percent(s.Cluster.RequestPercent)); err == nil {
			profiles[i] = asked
		}
	}
	return profiles
}

// Migration is the task that every service waits for.
func (s *Stack) Migration() scaling.Task {
	return scaling.Migrate().WithRequests(scaling.Percent(s.Cluster.RequestPercent))
}

// Load reads a stack's configuration from Pulumi's own form of it: full keys
// such as "aws:region" and "progressive-framework:network", with objects as
// JSON. The error is nil or an *Error that lists everything wrong.
func Load(stack string, values map[string]string) (*Stack, error) {
	s := defaults()
	problems := decode(values, &s)
	unread := problems
	for _, p := range validate(&s) {
		// What could not be read is not also called missing.
		if !slices.ContainsFunc(unread, func(d *field.Error) bool { return strings.HasPrefix(p.Field, d.Field) }) {
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return nil, &Error{Stack: stack, Problems: problems}
	}
	return &s, nil
}

// Error is everything wrong with one stack's configuration.
type Error struct {
	Stack    string
	Problems field.ErrorList
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration of stack %q has %d error(s); nothing was registered:", e.Stack, len(e.Problems))
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\n  - %s: %s", p.Field, p.ErrorBody())
	}
	fmt.Fprintf(&b, "\nMend Pulumi.%s.yaml or use `pulumi config set --path KEY VALUE`; docs/configuration.md lists every key.", e.Stack)
	return b.String()
}

// Unwrap gives the problems one by one.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// errNotBool says what a key that is one or the other takes.
var errNotBool = errors.New("must be true or false")

// errNotObject says what Pulumi's CLI would have written.
var errNotObject = errors.New("must be an object; set its members with `pulumi config set --path`")
