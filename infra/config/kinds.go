package config

import (
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// allowedKinds returns the kinds of the store for which the key of f is allowed. It reads them from the
// struct tag "kinds". nil means that the key is allowed for every kind.
func allowedKinds(f reflect.StructField) []string {
	if tag := f.Tag.Get("kinds"); tag != "" {
		return strings.Split(tag, ",")
	}
	return nil
}

// condition is the condition under which a key has an effect.
type condition struct {
	// keys are paths within the project's namespace, with * for a name. The
	// key of an object includes all of its members.
	keys []string
	// holds reports whether the keys have an effect in a stack.
	holds func(s *Stack) bool
	// why is the rule and its fix.
	why string
}

// conditions are the keys that have no effect, or can't work, in some stacks. A key that only some
// kinds of a store have is not listed here: its field has the tag kinds.
var conditions = []condition{
	{
		[]string{"network.cidr", "network.zones", "network.natGateways", "network.endpoints"},
		func(s *Stack) bool { return s.Network.VPCID == "" },
		"has no effect with network.vpcId, because the stack then creates nothing of the network; remove one of them",
	},
	{
		[]string{"network.privateSubnetIds", "network.databaseSubnetIds"},
		func(s *Stack) bool { return s.Network.VPCID != "" },
		"needs network.vpcId, the VPC of the subnets; set it, or remove this",
	},
	{
		[]string{"network.databaseSubnetIds"},
		func(s *Stack) bool { return s.Network.VPCID == "" || s.hasManagedStore() },
		"has no effect without a managed store; remove it",
	},
	{
		[]string{"tiers"},
		func(s *Stack) bool { return s.Cluster.Nodes != NodesOwn },
		"has no effect with cluster.nodes: own, because the stack then creates no nodes; remove it",
	},
	{
		[]string{"cluster.sessionManager"},
		func(s *Stack) bool { return s.Cluster.Nodes != NodesOwn },
		"has no effect with cluster.nodes: own, because the stack then creates no nodes to log in to; remove it",
	},
	{
		[]string{"cluster.upgradeStage"},
		func(s *Stack) bool { return s.Cluster.Nodes != NodesOwn },
		"has no effect with cluster.nodes: own, because the stack then has no add-ons and no Cluster Autoscaler to upgrade; remove it",
	},
	{
		[]string{"postgres.platforms", "redis.platforms"},
		func(s *Stack) bool { return s.Cluster.Nodes != NodesOwn },
		"has no effect with cluster.nodes: own, because the configuration does not name the processors of the nodes; remove it",
	},
	{
		[]string{"edge.domain"},
		func(s *Stack) bool { return s.Cluster.Nodes != NodesOwn },
		"can't work with cluster.nodes: own, because only nodes of the tiers join the load balancer's target groups; use frontDoor.nodePort, or set cluster.nodes to autoScaling",
	},
	{
		[]string{"frontDoor.nodePort"},
		func(s *Stack) bool { return s.Edge.Domain == "" },
		"has no effect with edge.domain, because the load balancer has ports of its own; remove one of them",
	},
	{
		[]string{"edge.certificateArn", "edge.originCertificateArn"},
		func(s *Stack) bool { return s.Edge.Domain == "" || s.Edge.Zone == "" },
		"has no effect with edge.zone, because the stack then creates its certificates; remove one of them",
	},
	{
		[]string{"edge.requestsPerAddress", "edge.webAclMode"},
		func(s *Stack) bool { return s.Edge.WebACL },
		"needs edge.webAcl, which is false; remove it",
	},
	{
		[]string{"storageClass"},
		(*Stack).hasVolumes,
		"has no effect without a store of kind inCluster and without podScaling.enabled; remove it",
	},
	{
		[]string{"podScaling.resizeSeconds", "podScaling.predictive", "prometheus"},
		func(s *Stack) bool { return s.PodScaling.Enabled },
		"has no effect without podScaling.enabled; remove it",
	},
	{
		[]string{"prometheus.workspaceArn"},
		func(s *Stack) bool { return s.Cluster.Nodes != NodesOwn },
		"can't work with cluster.nodes: own, because pods get their permissions in AWS from an add-on that the stack installs only on nodes that it manages; remove it",
	},
	{
		[]string{"images.mirror"},
		func(s *Stack) bool { return s.PodScaling.Enabled || s.Cluster.Nodes != NodesOwn },
		"has no effect without podScaling.enabled and with cluster.nodes: own, because the stack then runs no third-party image; remove it",
	},
	{
		[]string{"images.signingKey"},
		func(s *Stack) bool { return !s.Promoted() },
		"has no effect with release, because the stack then builds no image; remove it",
	},
	{
		[]string{"maintenanceDay", "applyImmediately"},
		(*Stack).hasManagedStore,
		"has no effect without a managed store; remove it",
	},
	{
		[]string{"caFile"},
		func(s *Stack) bool { return s.Postgres.Kind == Managed || s.Mongo.Kind == MongoManaged },
		"has no effect without PostgreSQL or MongoDB of kind managed, because no other store has a certificate; remove it",
	},
}

// hasVolumes reports whether pods of the stack have volumes.
func (s *Stack) hasVolumes() bool {
	return s.Postgres.Kind == InCluster || s.Redis.Kind == InCluster || s.PodScaling.Enabled
}

// hasManagedStore reports whether a store of the stack is a service of AWS.
func (s *Stack) hasManagedStore() bool {
	return s.Postgres.Kind == Managed || s.Redis.Kind == Managed || s.Mongo.Kind == MongoManaged
}

// validateEffects returns an error for each key that is set and has no effect.
func validateEffects(s *Stack) field.ErrorList {
	var problems field.ErrorList
	for _, c := range conditions {
		if c.holds(s) {
			continue
		}
		for _, key := range c.keys {
			if s.isSet(key) {
				problems = append(problems, field.Forbidden(path(key), c.why))
			}
		}
	}
	if s.Edge.Domain == "" {
		if keys := s.setKeysBelow("edge"); len(keys) > 0 && !slices.Contains(keys, "edge.domain") {
			problems = append(problems, field.Required(path("edge.domain"),
				"the domain at which users reach the platform; without it these keys have no effect: "+strings.Join(keys, ", ")))
		}
	}
	return problems
}

// isSet reports whether the stack sets a key of the project's namespace.
func (s *Stack) isSet(key string) bool { return s.setKeys[path(key).String()] }

// setKeysBelow returns the keys of an object that the stack sets, sorted.
func (s *Stack) setKeysBelow(object string) []string {
	var keys []string
	for fullKey := range s.setKeys {
		key, isProjectKey := strings.CutPrefix(fullKey, Project+":")
		isListEntry := strings.Contains(key, "[")
		if isProjectKey && strings.HasPrefix(key, object+".") && !isListEntry {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
