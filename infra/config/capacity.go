package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// pod is a pod with its resource requests.
type pod struct {
	name       string
	milli, mib int64
	tier       scaling.TierName // empty: any
	belongsTo  string           // the key to lower for fewer or smaller pods
	// limits are the resource limits of a store's pod, each with the key that sets it. It is nil
	// for other pods: their limits fit every node that holds the requests.
	limits []limit
}

// limit is the largest amount of one resource that a pod may use, in the unit of its key. available
// returns how much of the resource a node has.
type limit struct {
	key       string
	maximum   int64
	resource  string
	available func(room) int64
}

// cores returns a limit of CPU cores.
func cores(key string, maximum int) limit {
	return limit{key, int64(maximum), "cores", func(r room) int64 { return int64(r.cores) }}
}

// memory returns a limit of memory in MiB.
func memory(key string, maximum int) limit {
	return limit{key, int64(maximum), "MiB of memory", func(r room) int64 { return max(0, r.mib) }}
}

// podOf returns a pod with these requests. key is the key to lower for fewer or smaller pods.
func podOf(name string, tier scaling.TierName, cpu, memory resource.Quantity, key string) pod {
	return pod{name: name, milli: cpu.MilliValue(), mib: (memory.Value() + 1<<20 - 1) >> 20, tier: tier, belongsTo: key}
}

// Pool returns the largest number of connections to PostgreSQL that each pod may open.
func (s *Stack) Pool() (int, error) { return scaling.Pool(s.Profiles(), s.Postgres.Connections) }

// validateConnections checks that each pod can have a connection.
func validateConnections(s *Stack) field.ErrorList {
	if _, err := s.Pool(); err != nil {
		return field.ErrorList{field.Invalid(path("postgres.connections"), s.Postgres.Connections, err.Error())}
	}
	return nil
}

// pods returns all pods that can run on the stack's nodes at the same time. Each service has its
// largest number of pods.
func (s *Stack) pods() []pod {
	var all []pod
	for _, p := range s.Profiles() {
		for range p.MostReplicas() {
			all = append(all, podOf(p.Short, p.NodeTier, p.Resources.CPURequest, p.Resources.MemoryRequest, "services."+p.Short+".max"))
		}
	}
	m := s.Migration()
	all = append(all, podOf(m.Short, scaling.ApplicationTier, m.Resources.CPURequest, m.Resources.MemoryRequest, ""))
	ca := scaling.DefaultClusterAutoscaler().Resources
	all = append(all, podOf("cluster-autoscaler", scaling.ApplicationTier, ca.CPURequest, ca.MemoryRequest, ""))
	for _, a := range eksspec.ClusterPods() {
		for range a.Count {
			all = append(all, podOf(a.Name, "", resource.MustParse(a.CPU), resource.MustParse(a.Memory), ""))
		}
	}
	if share := scaling.Percent(s.Cluster.RequestPercent); s.PodScaling.Enabled {
		r := scaling.PrometheusResources().WithRequests(share)
		for range s.Prometheus.Replicas {
			all = append(all, podOf("prometheus", "", r.CPURequest, r.MemoryRequest, ""))
		}
		r = scaling.DatabaseExporterResources().WithRequests(share)
		all = append(all, podOf("postgres-exporter", "", r.CPURequest, r.MemoryRequest, ""))
		r = scaling.StateMetricsResources().WithRequests(share)
		all = append(all, podOf("kube-state-metrics", "", r.CPURequest, r.MemoryRequest, ""))
		if s.Edge.AlarmTopicARN != "" {
			r = scaling.AlertmanagerResources().WithRequests(share)
			all = append(all, podOf("alertmanager", "", r.CPURequest, r.MemoryRequest, ""))
		}
		if s.PodScaling.Forecasts() {
			r = scaling.ForecasterResources().WithRequests(share)
			all = append(all, podOf("forecaster", "", r.CPURequest, r.MemoryRequest, ""))
		}
		r = scaling.KEDAResources().WithRequests(share)
		for _, name := range []string{"keda-operator", "keda-metrics-apiserver"} {
			all = append(all, podOf(name, "", r.CPURequest, r.MemoryRequest, ""))
		}
		r = scaling.VPAResources().WithRequests(share)
		for _, name := range []string{"vpa-recommender", "vpa-updater", "vpa-admission-controller"} {
			all = append(all, podOf(name, "", r.CPURequest, r.MemoryRequest, ""))
		}
	}
	if p := s.Postgres; p.Kind == InCluster {
		all = append(all, pod{name: "postgres", milli: int64(250 * p.Cores), mib: int64(p.MemoryMiB), belongsTo: "postgres.memoryMiB",
			limits: []limit{cores("postgres.cores", p.Cores)}}) // it requests all of its memory
	}
	if r := s.Redis; r.Kind == InCluster {
		memoryMiB := cmp.Or(r.MemoryMiB, defaultRedisMiB)
		for range redisNodes {
			all = append(all, pod{name: "redis", milli: redisMilli, mib: int64(memoryMiB/4 + redisAgentMiB), belongsTo: "redis.memoryMiB",
				limits: []limit{memory("redis.memoryMiB", memoryMiB)}})
		}
	}
	return all
}

const (
	// The requests of package redis for each Redis node: a quarter of the node's memory limit, and
	// the memory of the agent.
	redisNodes, defaultRedisMiB, redisMilli, redisAgentMiB = 6, 4096, 210, 32
)

// room is the capacity of a node for pods.
type room struct {
	milli, mib int64
	pods       int
	// cores is the number of cores of the whole node.
	cores int
}

// roomOf returns what a node has left after the node's own pods.
func roomOf(h instancespec.Hardware) room {
	cpu, memory := h.Allocatable()
	r := room{milli: cpu.MilliValue(), mib: memory.Value() >> 20, pods: h.Pods, cores: h.Cores}
	for _, own := range eksspec.NodePods() {
		p := podOf(own.Name, "", resource.MustParse(own.CPU), resource.MustParse(own.Memory), "")
		r = r.without(p)
	}
	shipper := scaling.LogShipperResources()
	return r.without(podOf("fluent-bit", "", shipper.CPURequest, shipper.MemoryRequest, ""))
}

// holds reports whether a node has room for a pod.
func (r room) holds(p pod) bool { return p.milli <= r.milli && p.mib <= r.mib && r.pods >= 1 }

// without returns the room that is left on a node after a pod is placed there.
func (r room) without(p pod) room { return room{r.milli - p.milli, r.mib - p.mib, r.pods - 1, r.cores} }

// validateNodes checks that each pod fits on a node of its tier, and that all pods together fit on
// the largest number of nodes.
func validateNodes(s *Stack) field.ErrorList {
	if s.Cluster.Nodes == NodesOwn {
		return nil // the stack does not manage the nodes
	}
	var problems field.ErrorList
	tiers, err := s.NodeTiers("cluster")
	if err != nil {
		return nil // the rule of its key reports it
	}
	rooms := map[scaling.TierName]room{}
	nodes := map[scaling.TierName][]room{}
	for _, t := range tiers {
		h, err := t.Fleet.SmallestHardware()
		if err != nil {
			return nil // the rule of its key reports it
		}
		rooms[t.Profile.Name] = roomOf(h)
		nodes[t.Profile.Name] = slices.Repeat([]room{rooms[t.Profile.Name]}, t.Profile.Size.Max)
	}
	all := s.pods()
	refused := map[string]bool{}
	for _, t := range tiers {
		r := rooms[t.Profile.Name]
		for _, p := range all {
			at := path("tiers").Child(string(t.Profile.Name)).Child("instanceTypes")
			if p.tier == t.Profile.Name && !r.holds(p) && !refused[p.name] {
				refused[p.name] = true
				problems = append(problems, tooSmall(at, t, r, p))
			}
		}
	}
	for _, p := range all {
		if p.tier == "" && !refused[p.name] && !slices.ContainsFunc(tiers, func(t NodeTier) bool { return rooms[t.Profile.Name].holds(p) }) {
			refused[p.name] = true
			problems = append(problems, tooSmall(path("tiers").Child(string(scaling.ApplicationTier)).Child("instanceTypes"), tiers[len(tiers)-1], rooms[scaling.ApplicationTier], p))
		}
	}
	problems = append(problems, validateLimits(all, tiers, rooms)...)
	if len(problems) > 0 {
		return problems
	}
	return place(all, nodes)
}

// validateLimits checks that each node on which a store can be scheduled has as much as the store's
// limits. The scheduler compares only requests with nodes. Redis would use all memory of a smaller
// node until the kernel ends it, and PostgreSQL would plan for cores that the node does not have.
func validateLimits(all []pod, tiers []NodeTier, rooms map[scaling.TierName]room) field.ErrorList {
	var problems field.ErrorList
	refused := map[string]bool{}
	for _, p := range all {
		for _, l := range p.limits {
			for _, t := range tiers {
				r := rooms[t.Profile.Name]
				if available := l.available(r); r.holds(p) && l.maximum > available && !refused[l.key] {
					refused[l.key] = true
					problems = append(problems, field.Invalid(path(l.key), l.maximum, fmt.Sprintf(
						"a pod of %s may run on a node of tier %s, %s, which has %d %s for it: lower it, or take larger instances",
						p.name, t.Profile.Name, strings.Join(t.Fleet.InstanceTypes, ", "), available, l.resource)))
				}
			}
		}
	}
	return problems
}

// tooSmall returns the error for a tier whose nodes have no room for a pod.
func tooSmall(at *field.Path, t NodeTier, r room, p pod) *field.Error {
	smaller := "cluster.requestPercent"
	if p.limits != nil { // the requests of a store do not depend on the percentage
		smaller = p.belongsTo
	}
	return field.Invalid(at, strings.Join(t.Fleet.InstanceTypes, ", "), fmt.Sprintf(
		"a node has %dm of CPU and %d MiB left after its own pods; a pod of %s requests %dm and %d MiB: take larger instances, or lower %s",
		max(0, r.milli), max(0, r.mib), p.name, p.milli, p.mib, smaller))
}

// place assigns each pod to the first node that has room. Pods that need a tier are assigned before
// pods that may run on any tier, and large pods before small ones. place returns an error for a pod
// that fits on no node.
func place(all []pod, nodes map[scaling.TierName][]room) field.ErrorList {
	slices.SortStableFunc(all, func(a, b pod) int {
		return cmp.Or(-cmp.Compare(len(a.tier), len(b.tier)), -cmp.Compare(a.mib, b.mib), -cmp.Compare(a.milli, b.milli))
	})
	for _, p := range all {
		placed := false
		for _, tier := range []scaling.TierName{scaling.ApplicationTier, scaling.WebTier} {
			if p.tier != "" && p.tier != tier {
				continue
			}
			for i, r := range nodes[tier] {
				if r.holds(p) {
					nodes[tier][i], placed = r.without(p), true
					break
				}
			}
			if placed {
				break
			}
		}
		if !placed {
			tier := cmp.Or(p.tier, scaling.ApplicationTier)
			return field.ErrorList{field.Invalid(path("tiers").Child(string(tier)).Child("max"), len(nodes[tier]), fmt.Sprintf(
				"so many nodes do not hold all pods: no node has room for a pod of %s, which requests %dm and %d MiB; raise it, take larger instances, or lower %s",
				p.name, p.milli, p.mib, cmp.Or(p.belongsTo, "cluster.requestPercent")))}
		}
	}
	return nil
}
