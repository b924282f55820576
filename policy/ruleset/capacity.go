package ruleset

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/scaling"
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

// requestedCPU returns the sum of the CPU requests of all Deployments and StatefulSets at their
// maximum number of pods, in cores. If complete is false, an unknown value may increase it.
func requestedCPU(g *graph.Graph) (sum float64, complete bool) {
	complete = true
	for _, typ := range []string{k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token()} {
		for _, r := range g.OfType(typ) {
			count, known := maxPods(g, r)
			spec := podOf(r).Spec()
			containers, all := spec.Containers().Items()
			complete = complete && known && all
			for _, c := range containers {
				complete = complete && c.Resources().Requests().Key("cpu").Known()
				if text, ok := c.Resources().Requests().Key("cpu").Raw().(string); ok {
					if q, err := resource.ParseQuantity(text); err == nil {
						sum += count * q.AsApproximateFloat64()
					}
				}
			}
		}
	}
	return sum, complete
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
