package ruleset

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// maxPods returns the highest number of pods that a workload can have. If known is false, an
// unknown value may increase the number.
func maxPods(g *graph.Graph, r *graph.Resource) (count float64, known bool) {
	replicas := value.As[value.Number](r.View().At("spec.replicas")).Or(1)
	count, known = numberOrZero(replicas), replicas.Known()
	for _, scaler := range findScalers(&rule.Subject{Resource: r, Graph: g}).Resources {
		_, maximum := podBounds(scaler)
		count, known = max(count, numberOrZero(maximum)), known && maximum.Known()
	}
	return count, known
}

// requests is an amount of CPU and memory.
type requests struct{ cpu, memory resource.Quantity }

// add adds times × more to r.
func (r *requests) add(more requests, times int64) {
	cpu, memory := more.cpu.DeepCopy(), more.memory.DeepCopy()
	cpu.Mul(times)
	memory.Mul(times)
	r.cpu.Add(cpu)
	r.memory.Add(memory)
}

// podRequests returns the requests of one pod of a workload. If complete is false, an unknown value
// may increase the sum.
func podRequests(r *graph.Resource) (sum requests, complete bool) {
	containers, complete := podTemplate(r).Spec().Containers().Items()
	for _, c := range containers {
		cpu, memory := c.Resources().Requests().Entry("cpu"), c.Resources().Requests().Entry("memory")
		complete = complete && cpu.Known() && memory.Known()
		sum.add(requests{parseQuantity(cpu), parseQuantity(memory)}, 1)
	}
	return sum, complete
}

// parseQuantity returns the quantity in a string. If the string is absent, unknown or not a quantity,
// it returns 0.
func parseQuantity(s value.String) resource.Quantity {
	text, _ := s.Raw().(string)
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return resource.Quantity{}
	}
	return q
}

// totalRequests returns the requests of all pods: those of Deployments and StatefulSets at their
// maximum number of pods, and those of add-ons. If complete is false, an unknown value may increase
// the sum.
func totalRequests(g *graph.Graph) (sum requests, complete bool) {
	sum, complete = addonRequests(eksspec.ClusterPods()), true
	for _, r := range resourcesOfTypes(g, k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token()) {
		count, known := maxPods(g, r)
		onePod, containersKnown := podRequests(r)
		sum.add(onePod, int64(count))
		complete = complete && known && containersKnown
	}
	return sum, complete
}

// requestsPerNode returns the requests of the pods that run on every node: those of DaemonSets and of
// add-ons. If complete is false, an unknown value may increase the sum.
func requestsPerNode(g *graph.Graph) (sum requests, complete bool) {
	sum, complete = addonRequests(eksspec.NodePods()), true
	for _, r := range g.OfType(k8sview.DaemonSet{}.Token()) {
		onePod, containersKnown := podRequests(r)
		sum.add(onePod, 1)
		complete = complete && containersKnown
	}
	return sum, complete
}

// addonRequests returns the requests of the pods of add-ons. These pods are not resources of the
// stack.
func addonRequests(pods []eksspec.Pod) (sum requests) {
	for _, p := range pods {
		sum.add(requests{resource.MustParse(p.CPU), resource.MustParse(p.Memory)}, int64(p.Count))
	}
	return sum
}

// maxCapacity returns the number of nodes at the groups' maximum sizes, and the CPU and memory that
// these nodes have for pods. It subtracts perNode, the requests of the pods on every node, such as
// those of DaemonSets. It assumes that each node has the smallest instance type of its group. known
// is false if a size or a type is not known.
func maxCapacity(groups []*graph.Resource, perNode requests) (nodes int64, available requests, known bool) {
	known = true
	for _, r := range groups {
		group := value.As[awsview.AutoscalingGroup](r.View())
		var node requests
		hardware, typesKnown := smallestHardware(group)
		node.cpu, node.memory = hardware.Allocatable()
		node.add(perNode, -1)
		if node.cpu.Sign() < 0 {
			node.cpu = resource.Quantity{}
		}
		if node.memory.Sign() < 0 {
			node.memory = resource.Quantity{}
		}
		size := int64(numberOrZero(group.MaxSize()))
		nodes += size
		available.add(node, size)
		known = known && typesKnown && group.MaxSize().Known()
	}
	return nodes, available, known
}

// smallestHardware returns the hardware of the smallest instance type of a group. known is false if an
// instance type is an unknown value, or if package instancespec does not have the type.
func smallestHardware(group awsview.AutoscalingGroup) (hardware instancespec.Hardware, known bool) {
	types, known := group.MixedInstancesPolicy().LaunchTemplate().Overrides().Items()
	var fleet instancespec.Fleet
	for _, t := range types {
		name, _ := t.InstanceType().Raw().(string)
		fleet.InstanceTypes = append(fleet.InstanceTypes, name)
	}
	hardware, err := fleet.SmallestHardware()
	return hardware, known && len(types) > 0 && err == nil
}

// poolVariable is the environment variable that limits the connections of one pod to PostgreSQL.
// Without the variable a pod opens up to scaling.MaxPool connections.
const poolVariable = "DATABASE_MAX_CONNECTIONS"

// poolConnections returns the number of connections that the pools of all pods hold, at the
// maximum number of pods. If complete is false, an unknown value may increase the sum.
func poolConnections(g *graph.Graph) (sum float64, complete bool) {
	complete = true
	for _, r := range g.OfType(k8sview.Deployment{}.Token()) {
		count, countKnown := maxPods(g, r)
		containers, containersKnown := podTemplate(r).Spec().Containers().Items()
		complete = complete && containersKnown
		for _, c := range containers {
			size, sizeKnown := poolSize(c)
			sum += count * size
			complete = complete && countKnown && sizeKnown
		}
	}
	return sum, complete
}

// poolSize returns the maximum number of connections of one container to PostgreSQL. A container
// without the variable DATABASE_URL has no pool, so its size is 0. If known is false, an unknown value
// may increase the size.
func poolSize(c k8sview.Container) (size float64, known bool) {
	variables, known := c.Env().Items()
	isSet := false
	for _, e := range variables {
		if !e.Name().Known() { // the variable may be poolVariable
			return 0, false
		}
		switch name, _ := e.Name().Raw().(string); {
		case name == poolVariable:
			text, _ := e.Value().Raw().(string)
			size, isSet = parseNumber(text), true
			known = known && e.Value().Known()
		case name == "DATABASE_URL" && !isSet:
			size = scaling.MaxPool
		}
	}
	return size, known
}
