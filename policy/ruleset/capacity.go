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
// unknown value may increase it.
func maxPods(g *graph.Graph, r *graph.Resource) (count float64, known bool) {
	replicas := value.As[value.Number](r.View().At("spec.replicas")).Or(1)
	count, known = knownNumber(replicas), replicas.Known()
	for _, scaler := range scalersOf(&rule.Subject{Resource: r, Graph: g}).Resources {
		_, n := podBounds(scaler)
		count, known = max(count, knownNumber(n)), known && n.Known()
	}
	return count, known
}

// requests is an amount of CPU and memory.
type requests struct{ cpu, memory resource.Quantity }

// add adds an amount several times.
func (r *requests) add(more requests, times int64) {
	cpu, memory := more.cpu.DeepCopy(), more.memory.DeepCopy()
	cpu.Mul(times)
	memory.Mul(times)
	r.cpu.Add(cpu)
	r.memory.Add(memory)
}

// podRequests returns what one pod of a workload requests. If complete is false, an unknown value
// may increase it.
func podRequests(r *graph.Resource) (sum requests, complete bool) {
	containers, complete := podOf(r).Spec().Containers().Items()
	for _, c := range containers {
		cpu, memory := c.Resources().Requests().Key("cpu"), c.Resources().Requests().Key("memory")
		complete = complete && cpu.Known() && memory.Known()
		sum.add(requests{quantityOf(cpu), quantityOf(memory)}, 1)
	}
	return sum, complete
}

// quantityOf returns the quantity that a text contains. For another text, and for a value that is
// absent or unknown, it returns 0.
func quantityOf(n value.String) resource.Quantity {
	text, _ := n.Raw().(string)
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return resource.Quantity{}
	}
	return q
}

// requestsOfAll returns what all Deployments and StatefulSets request at their maximum number of
// pods, together with the pods of the add-ons. If complete is false, an unknown value may increase it.
func requestsOfAll(g *graph.Graph) (sum requests, complete bool) {
	sum, complete = addonRequests(eksspec.ClusterPods()), true
	for _, r := range resourcesOfTypes(g, k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token()) {
		count, known := maxPods(g, r)
		ofPod, all := podRequests(r)
		sum.add(ofPod, int64(count))
		complete = complete && known && all
	}
	return sum, complete
}

// requestsOfNode returns what the pods of the DaemonSets and of the add-ons request on each node. If
// complete is false, an unknown value may increase it.
func requestsOfNode(g *graph.Graph) (sum requests, complete bool) {
	sum, complete = addonRequests(eksspec.NodePods()), true
	for _, r := range g.OfType(k8sview.DaemonSet{}.Token()) {
		ofPod, all := podRequests(r)
		sum.add(ofPod, 1)
		complete = complete && all
	}
	return sum, complete
}

// addonRequests returns what the pods of add-ons request. They are not resources of the stack.
func addonRequests(pods []eksspec.Pod) (sum requests) {
	for _, p := range pods {
		sum.add(requests{resource.MustParse(p.CPU), resource.MustParse(p.Memory)}, int64(p.Count))
	}
	return sum
}

// maxRoom returns in count the sum of the groups' maximum sizes. room is the CPU and memory that
// these nodes have for pods, without the requests ofNode of the pods that run on each node. Each node
// is assumed to have its group's smallest type. known is false if a size or a type is not known.
func maxRoom(groups []*graph.Resource, ofNode requests) (count int64, room requests, known bool) {
	known = true
	for _, r := range groups {
		group := value.As[awsview.AutoscalingGroup](r.View())
		var node requests
		hardware, typesKnown := smallestNode(group)
		node.cpu, node.memory = hardware.Allocatable()
		node.add(ofNode, -1)
		if node.cpu.Sign() < 0 {
			node.cpu = resource.Quantity{}
		}
		if node.memory.Sign() < 0 {
			node.memory = resource.Quantity{}
		}
		size := int64(knownNumber(group.MaxSize()))
		count += size
		room.add(node, size)
		known = known && typesKnown && group.MaxSize().Known()
	}
	return count, room, known
}

// smallestNode returns the hardware of the smallest instance type of a group. It is not known if a
// type is not, or if the platform does not know the type.
func smallestNode(group awsview.AutoscalingGroup) (h instancespec.Hardware, known bool) {
	types, known := group.MixedInstancesPolicy().LaunchTemplate().Overrides().Items()
	var fleet instancespec.Fleet
	for _, t := range types {
		name, _ := t.InstanceType().Raw().(string)
		fleet.InstanceTypes = append(fleet.InstanceTypes, name)
	}
	h, err := fleet.SmallestHardware()
	return h, known && len(types) > 0 && err == nil
}

// poolVariable bounds the connections of one pod to PostgreSQL. Without it a pod opens
// scaling.MostPool connections.
const poolVariable = "DATABASE_MAX_CONNECTIONS"

// poolConnections returns the number of connections that the pools of all pods hold, at the
// maximum number of pods. If complete is false, an unknown value may increase it.
func poolConnections(g *graph.Graph) (sum float64, complete bool) {
	complete = true
	for _, r := range g.OfType(k8sview.Deployment{}.Token()) {
		count, known := maxPods(g, r)
		containers, all := podOf(r).Spec().Containers().Items()
		complete = complete && all
		for _, c := range containers {
			var pool float64
			set := false
			variables, namesKnown := c.Env().Items()
			for _, e := range variables {
				namesKnown = namesKnown && e.Name().Known()
				switch name, _ := e.Name().Raw().(string); {
				case name == poolVariable:
					text, _ := e.Value().Raw().(string)
					pool, set = parseNumber(text), true
					complete = complete && e.Value().Known()
				case name == "DATABASE_URL" && !set:
					pool = scaling.MostPool
				}
			}
			if !namesKnown { // a variable with an unknown name may be poolVariable
				pool = 0
			}
			sum += count * pool
			complete = complete && known && namesKnown
		}
	}
	return sum, complete
}
