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
	name                string
	cpuMilli, memoryMiB int64
	tier                scaling.TierName // empty: any
	keyToLower          string           // the key to lower for fewer or smaller pods; empty if there is no such key
	// limits are the resource limits of a store's pod, each with the key that sets it. It is nil
	// for other pods: their limits fit every node that holds the requests.
	limits []limit
}

// limit is the largest amount of one resource that a pod may use, in the unit of the key that sets
// it. available returns how much of the resource a node has.
type limit struct {
	key       string
	maximum   int64
	resource  string
	available func(nodeCapacity) int64
}

// newCoreLimit returns a limit of CPU cores.
func newCoreLimit(key string, maximum int) limit {
	return limit{key, int64(maximum), "cores", func(c nodeCapacity) int64 { return int64(c.cores) }}
}

// newMemoryLimit returns a limit of memory in MiB.
func newMemoryLimit(key string, maximum int) limit {
	return limit{key, int64(maximum), "MiB of memory", func(c nodeCapacity) int64 { return max(0, c.memoryMiB) }}
}

// newPod returns a pod with these resource requests. key is the key to lower for fewer or smaller
// pods.
func newPod(name string, tier scaling.TierName, cpu, memory resource.Quantity, key string) pod {
	return pod{name: name, cpuMilli: cpu.MilliValue(), memoryMiB: (memory.Value() + 1<<20 - 1) >> 20, tier: tier, keyToLower: key}
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
	var pods []pod
	for _, p := range s.Profiles() {
		for range p.MaxReplicas() {
			pods = append(pods, newPod(p.ShortName, p.NodeTier, p.Resources.CPURequest, p.Resources.MemoryRequest, "services."+p.ShortName+".max"))
		}
	}
	migration := s.Migration()
	pods = append(pods, newPod(migration.ShortName, scaling.ApplicationTier, migration.Resources.CPURequest, migration.Resources.MemoryRequest, ""))
	autoscaler := scaling.DefaultClusterAutoscaler().Resources
	pods = append(pods, newPod("cluster-autoscaler", scaling.ApplicationTier, autoscaler.CPURequest, autoscaler.MemoryRequest, ""))
	for _, clusterPod := range eksspec.ClusterPods() {
		for range clusterPod.Count {
			pods = append(pods, newPod(clusterPod.Name, "", resource.MustParse(clusterPod.CPU), resource.MustParse(clusterPod.Memory), ""))
		}
	}
	pods = append(pods, s.podScalingPods()...)
	if p := s.Postgres; p.Kind == InCluster {
		// Package postgres requests 250 millicores for each core, and all memory of the server.
		pods = append(pods, pod{name: "postgres", cpuMilli: int64(250 * p.Cores), memoryMiB: int64(p.MemoryMiB), keyToLower: "postgres.memoryMiB",
			limits: []limit{newCoreLimit("postgres.cores", p.Cores)}})
	}
	if r := s.Redis; r.Kind == InCluster {
		memoryMiB := cmp.Or(r.MemoryMiB, defaultRedisMiB)
		for range redisNodes {
			pods = append(pods, pod{name: "redis", cpuMilli: redisMilli, memoryMiB: int64(memoryMiB/4 + redisAgentMiB), keyToLower: "redis.memoryMiB",
				limits: []limit{newMemoryLimit("redis.memoryMiB", memoryMiB)}})
		}
	}
	return pods
}

const (
	// redisNodes is the number of Redis nodes in the cluster. defaultRedisMiB is the default memory
	// limit of a node. Package redis requests a quarter of the limit.
	redisNodes, defaultRedisMiB = 6, 4096
	// redisMilli is the CPU request of a node and its agent, in millicores. redisAgentMiB is the
	// memory request of the agent.
	redisMilli, redisAgentMiB = 210, 32
)

// nodeCapacity is what a node has for pods: CPU, memory and the number of pods.
type nodeCapacity struct {
	cpuMilli, memoryMiB int64
	pods                int
	// cores is the number of cores of the whole node.
	cores int
}

// podScalingPods returns the pods of Prometheus, its exporters, the autoscalers and the forecaster.
// It returns nil if podScaling is not enabled.
func (s *Stack) podScalingPods() []pod {
	if !s.PodScaling.Enabled {
		return nil
	}
	var pods []pod
	addPod := func(name string, resources scaling.Resources) {
		resources = resources.WithRequests(scaling.Percent(s.Cluster.RequestPercent))
		pods = append(pods, newPod(name, "", resources.CPURequest, resources.MemoryRequest, ""))
	}
	for range s.Prometheus.Replicas {
		addPod("prometheus", scaling.PrometheusResources())
	}
	addPod("postgres-exporter", scaling.DatabaseExporterResources())
	addPod("kube-state-metrics", scaling.StateMetricsResources())
	if s.Edge.AlarmTopicARN != "" {
		addPod("alertmanager", scaling.AlertmanagerResources())
	}
	if s.PodScaling.RunsForecaster() {
		addPod("forecaster", scaling.ForecasterResources())
	}
	for _, name := range []string{"keda-operator", "keda-metrics-apiserver"} {
		addPod(name, scaling.KEDAResources())
	}
	for _, name := range []string{"vpa-recommender", "vpa-updater", "vpa-admission-controller"} {
		addPod(name, scaling.VPAResources())
	}
	return pods
}

// podCapacity returns what a node has left for pods after the pods that run on every node, such as
// those of DaemonSets.
func podCapacity(h instancespec.Hardware) nodeCapacity {
	cpu, memory := h.Allocatable()
	capacity := nodeCapacity{cpuMilli: cpu.MilliValue(), memoryMiB: memory.Value() >> 20, pods: h.Pods, cores: h.Cores}
	for _, nodePod := range eksspec.NodePods() {
		p := newPod(nodePod.Name, "", resource.MustParse(nodePod.CPU), resource.MustParse(nodePod.Memory), "")
		capacity = capacity.subtract(p)
	}
	shipper := scaling.LogShipperResources()
	return capacity.subtract(newPod("fluent-bit", "", shipper.CPURequest, shipper.MemoryRequest, ""))
}

// fits reports whether the capacity is large enough for a pod.
func (c nodeCapacity) fits(p pod) bool {
	return p.cpuMilli <= c.cpuMilli && p.memoryMiB <= c.memoryMiB && c.pods >= 1
}

// subtract returns the capacity that is left after a pod is assigned to the node.
func (c nodeCapacity) subtract(p pod) nodeCapacity {
	return nodeCapacity{c.cpuMilli - p.cpuMilli, c.memoryMiB - p.memoryMiB, c.pods - 1, c.cores}
}

// validateNodes checks that each pod fits on a node of its tier, and that all pods together fit on
// the largest number of nodes.
func validateNodes(s *Stack) field.ErrorList {
	if s.Cluster.Nodes == NodesOwn {
		return nil // the stack does not manage the nodes
	}
	var problems field.ErrorList
	tiers, err := s.NodeTiers("cluster")
	if err != nil {
		return nil // validateTiers reports the error
	}
	capacities := map[scaling.TierName]nodeCapacity{}
	nodes := map[scaling.TierName][]nodeCapacity{}
	for _, t := range tiers {
		hardware, err := t.Fleet.SmallestHardware()
		if err != nil {
			return nil // validateTiers reports the error
		}
		capacities[t.Profile.Name] = podCapacity(hardware)
		nodes[t.Profile.Name] = slices.Repeat([]nodeCapacity{capacities[t.Profile.Name]}, t.Profile.Size.Max)
	}
	pods := s.pods()
	refused := map[string]bool{}
	for _, t := range tiers {
		capacity := capacities[t.Profile.Name]
		for _, p := range pods {
			keyPath := path("tiers").Child(string(t.Profile.Name)).Child("instanceTypes")
			if p.tier == t.Profile.Name && !capacity.fits(p) && !refused[p.name] {
				refused[p.name] = true
				problems = append(problems, tooSmallError(keyPath, t, capacity, p))
			}
		}
	}
	for _, p := range pods {
		fitsOnSomeTier := slices.ContainsFunc(tiers, func(t NodeTier) bool { return capacities[t.Profile.Name].fits(p) })
		if p.tier == "" && !refused[p.name] && !fitsOnSomeTier {
			refused[p.name] = true
			problems = append(problems, tooSmallError(path("tiers").Child(string(scaling.ApplicationTier)).Child("instanceTypes"), tiers[len(tiers)-1], capacities[scaling.ApplicationTier], p))
		}
	}
	problems = append(problems, validateLimits(pods, tiers, capacities)...)
	if len(problems) > 0 {
		return problems
	}
	return assignPods(pods, nodes)
}

// validateLimits checks that each node on which a store can be scheduled has as much as the store's
// limits. The scheduler compares only requests with nodes. Redis would use all memory of a smaller
// node until the kernel ends it. PostgreSQL would plan for cores that the node does not have.
func validateLimits(pods []pod, tiers []NodeTier, capacities map[scaling.TierName]nodeCapacity) field.ErrorList {
	var problems field.ErrorList
	refused := map[string]bool{}
	for _, p := range pods {
		for _, l := range p.limits {
			for _, t := range tiers {
				capacity := capacities[t.Profile.Name]
				if available := l.available(capacity); capacity.fits(p) && l.maximum > available && !refused[l.key] {
					refused[l.key] = true
					problems = append(problems, field.Invalid(path(l.key), l.maximum, fmt.Sprintf(
						"a pod of %s may run on a node of tier %s, %s, which has %d %s for it: lower it, or choose larger instances",
						p.name, t.Profile.Name, strings.Join(t.Fleet.InstanceTypes, ", "), available, l.resource)))
				}
			}
		}
	}
	return problems
}

// tooSmallError returns the error for a tier with nodes that are too small for a pod.
func tooSmallError(keyPath *field.Path, t NodeTier, capacity nodeCapacity, p pod) *field.Error {
	keyToLower := "cluster.requestPercent"
	if p.limits != nil { // the requests of a store do not depend on the percentage
		keyToLower = p.keyToLower
	}
	return field.Invalid(keyPath, strings.Join(t.Fleet.InstanceTypes, ", "), fmt.Sprintf(
		"a node has %dm of CPU and %d MiB left after its own pods; a pod of %s requests %dm and %d MiB: choose larger instances, or lower %s",
		max(0, capacity.cpuMilli), max(0, capacity.memoryMiB), p.name, p.cpuMilli, p.memoryMiB, keyToLower))
}

// assignPods assigns each pod to a node with assignPod. Pods that need a tier are assigned before
// pods that may run on any tier, and large pods before small ones. It returns an error for the first
// pod that fits on no node.
func assignPods(pods []pod, nodes map[scaling.TierName][]nodeCapacity) field.ErrorList {
	slices.SortStableFunc(pods, func(a, b pod) int {
		// No tier is the empty string, so pods without a tier come last.
		return cmp.Or(-cmp.Compare(len(a.tier), len(b.tier)), -cmp.Compare(a.memoryMiB, b.memoryMiB), -cmp.Compare(a.cpuMilli, b.cpuMilli))
	})
	for _, p := range pods {
		if !assignPod(p, nodes) {
			tier := cmp.Or(p.tier, scaling.ApplicationTier)
			return field.ErrorList{field.Invalid(path("tiers").Child(string(tier)).Child("max"), len(nodes[tier]), fmt.Sprintf(
				"so many nodes do not hold all pods: no node has capacity for a pod of %s, which requests %dm and %d MiB; raise it, choose larger instances, or lower %s",
				p.name, p.cpuMilli, p.memoryMiB, cmp.Or(p.keyToLower, "cluster.requestPercent")))}
		}
	}
	return nil
}

// assignPod assigns a pod to the first node with enough capacity, and reduces the capacity of this
// node in nodes. It returns false if there is no such node.
func assignPod(p pod, nodes map[scaling.TierName][]nodeCapacity) bool {
	for _, tier := range []scaling.TierName{scaling.ApplicationTier, scaling.WebTier} {
		if p.tier != "" && p.tier != tier {
			continue
		}
		for i, capacity := range nodes[tier] {
			if capacity.fits(p) {
				nodes[tier][i] = capacity.subtract(p)
				return true
			}
		}
	}
	return false
}
