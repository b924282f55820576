package ruleset

import (
	"slices"
	"strings"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// podObjects are the rules on objects that refer to pods, and on names within a pod.
var podObjects = []*rule.Rule{
	{
		ID: "scaler-has-target", Title: "An autoscaler's target is a workload of this stack",
		Why: "An autoscaler without a target scales nothing, and reports it only in its own status.",
		Fix: "components/podscaling, the target's name", Standards: []string{"kube-score horizontalpodautoscaler-has-target", "kube-linter dangling-horizontalpodautoscaler"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			hasTarget := value.False
			for _, r := range resourcesOfTypes(s.Graph, k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token()) {
				hasTarget = value.Any(hasTarget, isTarget(s.Graph, s.Resource, r))
			}
			kind, name := scalerTarget(s.Resource)
			otherKind := value.Not(kind.In("Deployment", "StatefulSet"))
			s.Must(value.Any(otherKind, hasTarget), "no %s %s is in its namespace", kind.Text(), name.Text())
		}, append(slices.Clone(podScalers), verticalPodAutoscaler)...),
	},
	{
		ID: "scaler-two-pods", Title: "An autoscaler keeps at least two pods",
		Why: "The loss of a node stops a service with one pod.",
		Fix: "the key services.NAME.min", Standards: []string{"kube-score horizontalpodautoscaler-replicas", "WA REL10"},
		Severity: rule.Medium, Levels: rule.ProdOnly,
		Check: rule.OnTypes(func(s *rule.Subject) {
			minimum, _ := podBounds(s.Resource)
			s.Must(minimum.AtLeast(2), "its minimum is %s", minimum.Text())
		}, podScalers...),
	},
	{
		ID: "network-policy-selects-pods", Title: "Each NetworkPolicy selects pods of this stack",
		Why: "A policy that matches no pods protects none, and nobody sees it.",
		Fix: "components/podnetwork, Selector", Standards: []string{"kube-score networkpolicy-targets-pod", "kube-linter dangling-networkpolicy"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v k8sview.NetworkPolicy) {
			selectsAny := value.False
			for _, r := range resourcesOfTypes(s.Graph, workloadTypes...) {
				selectsAny = value.Any(selectsAny, selectsPods(s.Graph, s.Resource, v.Spec().PodSelector().MatchLabels(), r))
			}
			s.Must(selectsAny, "its podSelector matches no pods of this stack")
		}),
	},
	{
		ID: "pod-service-account-exists", Title: "The service account of a pod exists",
		Why: "The API server refuses every pod of the workload.",
		Fix: "the component's ServiceAccountName", Standards: []string{"kube-linter non-existent-service-account"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			name := resolveName(s.Graph, s.Resource, podTemplate(s.Resource).Spec().ServiceAccountName(), "spec", k8sview.ServiceAccount{}.Token())
			accountExists := rule.Every[k8sview.ServiceAccount](s.Graph).Any(func(r *graph.Resource, a k8sview.ServiceAccount) value.Truth {
				return value.All(a.Metadata().Name().Equals(name), resolveNamespace(s.Graph, r).Equals(resolveNamespace(s.Graph, s.Resource)))
			})
			s.Must(value.Any(value.Not(name.IsSet()), name.Is("default"), accountExists), "no service account %s is in its namespace", name.Text())
		}, workloadTypes...),
	},
	{
		ID: "workload-selects-its-pods", Title: "A workload's selector matches its own pods",
		Why: "The API server refuses the workload in the middle of an up.",
		Fix: "the component's labels", Standards: []string{"kube-score deployment-pod-selector-labels-match-template-metadata-labels", "kube-linter mismatching-selector"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			selector := value.As[k8sview.LabelSelector](s.View().At("spec.selector")).MatchLabels()
			names, complete := selector.Keys()
			if !complete {
				s.LeaveUndecided("the labels of the selector")
			}
			for _, name := range names {
				s.Must(selector.Entry(name).Equals(podLabels(s.Resource).Entry(name)), "the pods have no label %s with the selector's value", name)
			}
		}, serverTypes...),
	},
	{
		ID: "statefulset-has-service", Title: "The Service of a StatefulSet exists and is headless",
		Why: "Without it the pods have no names in DNS, by which clients and the pods themselves find each other.",
		Fix: "components/datastore, StatefulSet.Service", Standards: []string{"kube-score statefulset-has-servicename"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v k8sview.StatefulSet) {
			name := resolveName(s.Graph, s.Resource, v.Spec().ServiceName(), "spec", k8sview.Service{}.Token())
			s.Must(rule.Every[k8sview.Service](s.Graph).Any(func(r *graph.Resource, service k8sview.Service) value.Truth {
				return value.All(service.Metadata().Name().Equals(name), service.Spec().ClusterIP().Is("None"),
					resolveNamespace(s.Graph, r).Equals(resolveNamespace(s.Graph, s.Resource)))
			}), "no headless Service %s is in its namespace", name.Text())
		}),
	},
	{
		ID: "cronjob-deadline", Title: "A CronJob leaves out a run that is too late",
		Why: "Without a deadline the controller counts missed runs, and stops for ever after a hundred.",
		Fix: "components/scaling, the task's StartWithin", Standards: []string{"kube-score cronjob-has-deadline"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.CronJob) {
			// The CronJob controller checks every 10 s. A shorter deadline may leave out every run
			// (Kubernetes documentation, page CronJob).
			s.Must(v.Spec().StartingDeadlineSeconds().Or(0).AtLeast(10), "startingDeadlineSeconds is %s", v.Spec().StartingDeadlineSeconds().Text())
		}),
	},
	{
		ID: "pod-disruption-unhealthy", Title: "A pod that is not ready does not stop a drain",
		Why: "A node with a broken pod could not be replaced until somebody repairs the pod.",
		Fix: "components/poddisruption", Standards: []string{"kube-linter pdb-unhealthy-pod-eviction-policy"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.PodDisruptionBudget) {
			s.Must(v.Spec().UnhealthyPodEvictionPolicy().Is("AlwaysAllow"), "unhealthyPodEvictionPolicy is %s", v.Spec().UnhealthyPodEvictionPolicy().Text())
		}),
	},
	podRule("pod-environment-once", "A container has each environment variable once", "Only the last value counts, and nobody sees which one it is.",
		"the component's environment", []string{"kube-score environment-variable-key-duplication", "kube-linter duplicate-env-var"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth { return haveDistinctNames(c.Env(), k8sview.EnvVar.Name) }), "two environment variables have the same name")
		}),
	podRule("pod-probe-port", "A probe connects to a port of its container", "A probe of a port that does not exist fails for ever.",
		"the component's ports and probes", []string{"kube-linter readiness-port", "kube-linter liveness-port", "kube-linter startup-port"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				return value.All(probesOwnPort(c, c.ReadinessProbe()), probesOwnPort(c, c.LivenessProbe()), probesOwnPort(c, c.StartupProbe()))
			}), "a probe connects to a port that is not one of ports")
		}),
}

// resourcesOfTypes returns all resources of several types.
func resourcesOfTypes(g *graph.Graph, types ...string) []*graph.Resource {
	var all []*graph.Resource
	for _, typ := range types {
		all = append(all, g.OfType(typ)...)
	}
	return all
}

// scalerTarget returns the kind and the name of the workload that an autoscaler scales. KEDA's default
// kind is Deployment. The other autoscalers always have a kind.
func scalerTarget(scaler *graph.Resource) (kind, name value.String) {
	path := "spec.scaleTargetRef"
	if scaler.Type == verticalPodAutoscaler {
		path = "spec.targetRef"
	}
	target := scaler.View().At(path)
	return value.As[value.String](target.Get("kind")).Or("Deployment"), value.As[value.String](target.Get("name"))
}

// isTarget reports whether an autoscaler scales a workload. Both are in one namespace.
func isTarget(g *graph.Graph, scaler, workload *graph.Resource) value.Truth {
	kind, name := scalerTarget(scaler)
	return value.All(
		kind.Is(workload.Type[strings.LastIndex(workload.Type, ":")+1:]),
		name.Equals(value.As[value.String](workload.View().At("metadata.name"))),
		resolveNamespace(g, scaler).Equals(resolveNamespace(g, workload)),
	)
}

// haveSameTarget reports whether two autoscalers scale the same workload.
func haveSameTarget(g *graph.Graph, a, b *graph.Resource) value.Truth {
	kindA, nameA := scalerTarget(a)
	kindB, nameB := scalerTarget(b)
	return value.All(kindA.Equals(kindB), nameA.Equals(nameB), resolveNamespace(g, a).Equals(resolveNamespace(g, b)))
}

// haveDistinctNames reports whether all elements have different names. It returns False if two
// known names are the same. Otherwise it returns Unknown if a name or an element is unknown.
func haveDistinctNames[T value.View](list value.List[T], name func(T) value.String) value.Truth {
	items, complete := list.Items()
	distinct := value.True
	for i, first := range items {
		for _, second := range items[i+1:] {
			distinct = value.All(distinct, value.Not(name(first).Equals(name(second))))
		}
	}
	if !complete {
		return value.All(distinct, value.Unknown)
	}
	return distinct
}

// probesOwnPort reports whether the port of a probe is one of the container's ports. For a
// probe without a port it returns True.
func probesOwnPort(c k8sview.Container, probe k8sview.Probe) value.Truth {
	connects := value.True
	for _, port := range []value.Node{probe.HttpGet().Port(), probe.TcpSocket().Port()} {
		isOwnPort := c.Ports().Any(func(p k8sview.ContainerPort) value.Truth {
			return value.Any(value.As[value.String](port).Equals(p.Name()), value.As[value.Number](port).Compare(p.ContainerPort(), isEqual))
		})
		connects = value.All(connects, value.Any(value.Not(port.IsSet()), isOwnPort))
	}
	return connects
}
