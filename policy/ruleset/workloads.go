package ruleset

import (
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// podLabels returns the labels that a workload gives its pods.
func podLabels(r *graph.Resource) value.Map[value.String] {
	return podTemplate(r).Metadata().Labels()
}

// resolveNamespace returns the name of an object's namespace. If the name is not known yet, it returns the
// name of the Namespace that the object refers to.
func resolveNamespace(g *graph.Graph, r *graph.Resource) value.String {
	name := value.As[value.String](r.View().At("metadata.namespace"))
	return resolveName(g, r, name, "metadata", k8sview.Namespace{}.Token())
}

// resolveName returns a known name unchanged. For an unknown name it returns the name
// of the object of type typ that the input prop of r refers to. If prop refers to no such
// object or to several, the name stays unknown.
func resolveName(g *graph.Graph, r *graph.Resource, name value.String, prop, typ string) value.String {
	if targets := g.Refs(r, prop, typ).Resources; !name.Known() && len(targets) == 1 {
		return value.As[value.String](targets[0].View().At("metadata.name"))
	}
	return name
}

// selectsPods reports whether the selector of an object matches the pods of a workload. An empty
// selector matches all pods of the object's namespace.
func selectsPods(g *graph.Graph, object *graph.Resource, selector value.Map[value.String], workload *graph.Resource) value.Truth {
	matches := resolveNamespace(g, object).Equals(resolveNamespace(g, workload))
	names, complete := selector.Keys()
	for _, name := range names {
		matches = value.All(matches, selector.Entry(name).Equals(podLabels(workload).Entry(name)))
	}
	if !complete {
		matches = value.All(matches, value.Unknown)
	}
	return matches
}

// objectsSelecting returns the objects of type T that select the pods of the subject. path is the
// path of the selector in an object of this type.
func objectsSelecting[T rule.Typed](s *rule.Subject, path string) graph.Related {
	var view T
	related := graph.Related{Complete: true}
	for _, r := range s.Graph.OfType(view.Token()) {
		isSelected := selectsPods(s.Graph, r, value.As[value.Map[value.String]](r.View().At(path)), s.Resource)
		addIfRelated(&related, r, isSelected)
	}
	return related
}

// addIfRelated adds r to related if isRelated is True. If isRelated is Unknown, it marks related as
// not complete.
func addIfRelated(related *graph.Related, r *graph.Resource, isRelated value.Truth) {
	switch isTrue, known := isRelated.Known(); {
	case !known:
		related.Complete = false
	case isTrue:
		related.Resources = append(related.Resources, r)
	}
}

var workloads = []*rule.Rule{
	{
		ID: "pod-probes", Title: "Servers have a readiness and a liveness probe",
		Why: "Requests go to a pod that can't answer yet, or can't answer any more.",
		Fix: "components/scaling, the profile's Readiness and Liveness", Standards: []string{"kube-score pod-probes", "WA REL06"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			containers := podTemplate(s.Resource).Spec().Containers()
			s.Must(containers.All(func(c k8sview.Container) value.Truth { return c.ReadinessProbe().IsSet() }), "readinessProbe is not set")
			s.Must(containers.All(func(c k8sview.Container) value.Truth { return c.LivenessProbe().IsSet() }), "livenessProbe is not set")
		}, serverTypes...),
	},
	{
		ID: "pod-spread", Title: "The pods of a server are spread over zones or nodes",
		Why: "The loss of one zone would stop all of them.",
		Fix: "components/service, TopologySpreadConstraints", Standards: []string{"kube-score deployment-has-host-podantiaffinity", "WA REL10"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			podSpec := podTemplate(s.Resource).Spec()
			atMostOnePod := hasAtMostOnePod(s)
			s.Must(value.Any(atMostOnePod, podSpec.TopologySpreadConstraints().IsSet(), podSpec.Affinity().PodAntiAffinity().IsSet()), "neither topologySpreadConstraints nor podAntiAffinity is set")
		}, k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token()),
	},
	{
		ID: "pod-ends-in-time", Title: "Pods have at least the platform's grace period to shut down",
		Why: "When a pod starts to shut down, the load balancer still sends it requests for some seconds.",
		Fix: "components/scaling, TerminationGrace", Standards: []string{"WA REL08"},
		Severity: rule.Medium, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v k8sview.Deployment) {
			grace := v.Spec().Template().Spec().TerminationGracePeriodSeconds().Or(30)
			s.Must(grace.AtLeast(scaling.TerminationGrace.Seconds()), "terminationGracePeriodSeconds %s is below %s", grace.Text(), scaling.TerminationGrace)
		}),
	},
	{
		ID: "deployment-replicas", Title: "Deployments have at least two pods",
		Why: "A rollout or the loss of a node stops a service with one pod.",
		Fix: "the key services.NAME.min, or the component that creates the Deployment", Standards: []string{"kube-score deployment-replicas", "WA REL10"},
		Severity: rule.Medium, Levels: rule.Advice,
		Check: rule.Across(func(s *rule.Subject, v k8sview.Deployment) {
			s.Must(value.Any(v.Spec().Replicas().Or(1).AtLeast(2), findScalers(s).Exists()), "replicas is %s", v.Spec().Replicas().Or(1).Text())
		}),
	},
	{
		ID: "deployment-rolls", Title: "A rollout does not stop a service",
		Why: "With Recreate all pods end before the first new one starts.",
		Fix: "components/service, Strategy", Standards: []string{"WA REL08"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v k8sview.Deployment) {
			atMostOnePod := hasAtMostOnePod(s)
			s.Must(value.Any(atMostOnePod, v.Spec().Strategy().Type().Or("RollingUpdate").Is("RollingUpdate")), "strategy is %s", v.Spec().Strategy().Type().Text())
		}),
	},
	{
		ID: "deployment-one-scaler", Title: "Only one owner sets the number of a Deployment's pods",
		Why: "Each up would undo the autoscaler's decision.",
		Fix: "components/service: no Replicas with an HPA", Standards: []string{"kube-score deployment-targeted-by-hpa-does-not-have-replicas-configured"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v k8sview.Deployment) {
			s.Must(value.Not(value.All(v.Spec().Replicas().IsSet(), findScalers(s).Exists())), "replicas is set, and an HPA changes it")
		}),
	},
	{
		ID: "pod-disruption-budget", Title: "Each server has a PodDisruptionBudget",
		Why: "A drain of nodes may end all pods of a service at once.",
		Fix: "components/service, a PodDisruptionBudget", Standards: []string{"kube-score pod-disruption-budget", "WA REL08"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			atMostOnePod := hasAtMostOnePod(s)
			budgets := objectsSelecting[k8sview.PodDisruptionBudget](s, "spec.selector.matchLabels")
			s.Must(value.Any(atMostOnePod, budgets.Exists()), "no PodDisruptionBudget selects its pods")
		}, k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token()),
	},
	{
		ID: "pod-disruption-possible", Title: "A PodDisruptionBudget permits the eviction of a pod",
		Why: "Otherwise a drain waits for ever, and no node can be replaced.",
		Fix: "components/service, the budget's minAvailable or maxUnavailable", Standards: []string{"kube-linter pdb-min-available"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			replicas := value.As[value.Number](s.View().At("spec.replicas")).Or(1)
			scalers := findScalers(s)
			budgets := objectsSelecting[k8sview.PodDisruptionBudget](s, "spec.selector.matchLabels")
			if !budgets.Complete {
				s.LeaveUndecided("the selector of a PodDisruptionBudget")
			}
			for _, r := range budgets.Resources {
				spec := value.As[k8sview.PodDisruptionBudget](r.View()).Spec()
				minAvailable := value.As[value.IntOrPercent](spec.MinAvailable())
				permitsEvictionOf := func(pods value.Number) value.Truth {
					return minAvailable.Compare(pods, func(kept, pods float64) bool { return kept < pods })
				}
				// spec.replicas counts only without an autoscaler, because an autoscaler sets the
				// number of pods.
				permitsEviction := value.All(
					value.Any(scalers.Exists(), permitsEvictionOf(replicas)),
					scalers.All(func(scaler *graph.Resource) value.Truth {
						minimum, _ := podBounds(scaler)
						return permitsEvictionOf(minimum)
					}),
				)
				s.Must(value.Any(value.Not(minAvailable.IsSet()), permitsEviction), "%s keeps %s of the pods, and the workload may have no more", r.Name, minAvailable.Text())
				maxUnavailable := value.As[value.IntOrPercent](spec.MaxUnavailable())
				s.Must(value.Not(maxUnavailable.IsZero()), "%s permits no eviction", r.Name)
			}
		}, k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token()),
	},
	{
		ID: "pod-network-policy", Title: "A NetworkPolicy selects each pod of the platform",
		Why: "Without a policy, every pod of the cluster can connect to the pod, and the pod can connect to everything.",
		Fix: "components/service, a NetworkPolicy", Standards: []string{"kube-score pod-networkpolicy", "CIS EKS 4.3.2"},
		Severity: rule.Medium, Levels: rule.Deployed,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			s.Must(objectsSelecting[k8sview.NetworkPolicy](s, "spec.podSelector.matchLabels").Exists(), "no NetworkPolicy selects its pods")
		}, workloadTypes...),
	},
	{
		ID: "service-selects-pods", Title: "Each Service selects the pods of a workload",
		Why: "A Service without pods refuses every connection.",
		Fix: "components/service, the labels", Standards: []string{"kube-score service-targets-pod"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v k8sview.Service) {
			selectsAny := value.False
			for _, r := range resourcesOfTypes(s.Graph, serverTypes...) {
				selectsAny = value.Any(selectsAny, selectsPods(s.Graph, s.Resource, v.Spec().Selector(), r))
			}
			s.Must(selectsAny, "its selector matches no pods of this stack")
		}),
	},
	{
		ID: "service-not-public", Title: "Services are reached through the platform's own load balancer",
		Why: "A Service of type LoadBalancer creates a load balancer that no web ACL protects.",
		Fix: "components/service, NodePort", Standards: []string{"kube-score service-type"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.Service) {
			s.Must(v.Spec().Type().Or("ClusterIP").In("ClusterIP", "NodePort"), "type is %s", v.Spec().Type().Text())
			s.Must(value.Not(v.Spec().ExternalIPs().IsSet()), "externalIPs is set")
		}),
	},
	{
		ID: "job-bounded", Title: "A task has a deadline",
		Why: "A task that hangs holds its lock and its node for ever.",
		Fix: "components/service, NewTask", Standards: []string{"WA OPS08"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			path := "spec"
			if s.Type == (k8sview.CronJob{}).Token() {
				path = "spec.jobTemplate.spec"
			}
			spec := value.As[k8sview.JobSpec](s.View().At(path))
			s.Must(spec.ActiveDeadlineSeconds().IsSet(), "activeDeadlineSeconds is not set")
		}, taskTypes...),
	},
	{
		ID: "hpa-can-scale", Title: "An HPA's minimum is below its maximum",
		Why: "With equal bounds an HPA scales nothing.",
		Fix: "the keys services.NAME.min and max", Standards: []string{"WA REL07"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			minimum, maximum := podBounds(s.Resource)
			s.Must(minimum.Compare(maximum, func(low, high float64) bool { return low < high }), "its minimum number of pods is not below its maximum")
		}, podScalers...),
	},
	{
		ID: "vpa-hpa-conflict", Title: "A VPA does not set what an HPA scales on",
		Why: "The HPA divides usage by the request that the VPA changes, so that each undoes the other's change.",
		Fix: "components/scaling, VPA.WithoutConflict", Standards: []string{"VPA known limitations"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			for _, resource := range []string{"cpu", "memory"} {
				s.Must(value.Not(value.All(resizes(s.Resource, resource), scalesOn(s, resource))), "it sets %s, and an HPA of the same Deployment scales on it", resource)
			}
		}, verticalPodAutoscaler),
	},
}

// verticalPodAutoscaler is the type of the objects that set the resource requests of pods.
const verticalPodAutoscaler = "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler"

// resizes reports whether a VPA sets the containers' request of a resource, cpu or memory. A
// VPA without the list controlledResources sets both requests.
func resizes(vpa *graph.Resource, resource string) value.Truth {
	policies := value.As[value.List[value.Value]](vpa.View().At("spec.resourcePolicy.containerPolicies"))
	setsRequest := value.Any(value.Not(policies.IsSet()), policies.Any(func(policy value.Value) value.Truth {
		resources := value.As[value.List[value.String]](policy.At("controlledResources"))
		isOff := value.As[value.String](policy.At("mode")).Or("Auto").Is("Off")
		return value.All(value.Not(isOff), value.Any(value.Not(resources.IsSet()), value.HasText(resources, resource)))
	}))
	isOff := value.As[value.String](vpa.View().At("spec.updatePolicy.updateMode")).Or("Recreate").Is("Off")
	return value.All(value.Not(isOff), setsRequest)
}

// scalesOn reports whether an HPA scales on the use of a resource, cpu or memory. Only an HPA
// with the same target as the subject, which is a VPA, counts.
func scalesOn(s *rule.Subject, resource string) value.Truth {
	scales := value.False
	for _, typ := range podScalers {
		for _, r := range s.Graph.OfType(typ) {
			scales = value.Any(scales, value.All(haveSameTarget(s.Graph, s.Resource, r), hasMetric(r, resource)))
		}
	}
	return scales
}

// hasMetric reports whether an autoscaler scales on the use of a resource, cpu or memory.
func hasMetric(scaler *graph.Resource, resource string) value.Truth {
	if scaler.Type == scaledObject {
		return value.As[value.List[value.Value]](scaler.View().At("spec.triggers")).Any(func(trigger value.Value) value.Truth {
			return value.As[value.String](trigger.At("type")).Is(resource)
		})
	}
	return value.As[value.List[value.Value]](scaler.View().At("spec.metrics")).Any(func(metric value.Value) value.Truth {
		return value.As[value.String](metric.At("resource.name")).Is(resource)
	})
}

// scaledObject is the type of the objects from which KEDA creates an HPA.
const scaledObject = "kubernetes:keda.sh/v1alpha1:ScaledObject"

// podScalers are the types of the autoscalers that set the number of a workload's pods.
var podScalers = []string{k8sview.HorizontalPodAutoscaler{}.Token(), scaledObject}

// podBounds returns the lowest and the highest number of pods that an autoscaler sets. KEDA's defaults
// are 0 and 100, and the default minimum of an HPA is 1.
func podBounds(r *graph.Resource) (minimum, maximum value.Number) {
	if r.Type == scaledObject {
		return value.As[value.Number](r.View().At("spec.minReplicaCount")).Or(0), value.As[value.Number](r.View().At("spec.maxReplicaCount")).Or(100)
	}
	spec := value.As[k8sview.HorizontalPodAutoscaler](r.View()).Spec()
	return spec.MinReplicas().Or(1), spec.MaxReplicas()
}

// hasAtMostOnePod reports whether a workload never has more than one pod.
func hasAtMostOnePod(s *rule.Subject) value.Truth {
	return value.All(value.As[value.Number](s.View().At("spec.replicas")).Or(1).AtMost(1), value.Not(findScalers(s).Exists()))
}

// findScalers returns the autoscalers that set the number of pods of the subject.
func findScalers(s *rule.Subject) graph.Related {
	scalers := graph.Related{Complete: true}
	for _, typ := range podScalers {
		for _, r := range s.Graph.OfType(typ) {
			addIfRelated(&scalers, r, isTarget(s.Graph, r, s.Resource))
		}
	}
	return scalers
}
