package diagnose

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// recommendAfter is how long a VPA may lack a recommendation.
	recommendAfter = time.Hour
	// underRequested is the ratio of recommendation to request above which a request is too small.
	underRequested = 1.5
)

// vertical is the part of a VerticalPodAutoscaler that the rules read (kubernetes/autoscaler,
// vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go).
type vertical struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		TargetRef struct {
			Name string `json:"name"`
		} `json:"targetRef"`
		UpdatePolicy struct {
			UpdateMode string `json:"updateMode"`
		} `json:"updatePolicy"`
		ResourcePolicy struct {
			ContainerPolicies []struct {
				Max map[corev1.ResourceName]string `json:"maxAllowed"`
			} `json:"containerPolicies"`
		} `json:"resourcePolicy"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type    string `json:"type"`
			Status  string `json:"status"`
			Since   string `json:"lastTransitionTime"`
			Message string `json:"message"`
		} `json:"conditions"`
		Recommendation struct {
			Containers []recommendation `json:"containerRecommendations"`
		} `json:"recommendation"`
	} `json:"status"`
}

// recommendation is what VPA recommends for one container. Uncapped ignores the bounds of the VPA.
type recommendation struct {
	Name     string                         `json:"containerName"`
	Target   map[corev1.ResourceName]string `json:"target"`
	Uncapped map[corev1.ResourceName]string `json:"uncappedTarget"`
}

// verticalFindings compares the recommendations of VPA with the requests and with the VPA's bounds.
func verticalFindings(o objects) (list []Finding, figures []Figure) {
	for _, object := range o.vertical {
		var v vertical
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &v); err != nil {
			list = append(list, Finding{
				Name: "vpa-unreadable", Where: "vpa/" + object.GetName(), Evidence: err.Error(), Cause: "the cluster has another version of VPA",
				Fix: "compare the CustomResourceDefinition with components/vpa", Next: o.kubectl("get vpa " + object.GetName() + " -o yaml"),
			})
			continue
		}
		found, measured := o.recommendations(v)
		list, figures = append(list, found...), append(figures, measured...)
	}
	return list, figures
}

func (o objects) recommendations(v vertical) (list []Finding, figures []Figure) {
	where, next := "vpa/"+v.Metadata.Name, o.kubectl("describe vpa "+v.Metadata.Name)
	for _, c := range v.Status.Conditions {
		since, _ := time.Parse(time.RFC3339, c.Since)
		if age := o.now.Sub(since); c.Type == "RecommendationProvided" && c.Status == "False" && age > recommendAfter {
			list = append(list, Finding{
				Name: "vpa-without-recommendation", Where: where, Evidence: fmt.Sprintf("no recommendation for %s: %s", age.Round(time.Minute), c.Message), Threshold: recommendAfter.String(),
				Cause: "VPA's recommender does not run, or metrics-server does not respond", Fix: "check that the pods of VPA run, and read their logs", Next: "kubectl -n " + o.namespace + "-vpa get pods",
			})
		}
	}
	for _, r := range v.Status.Recommendation.Containers {
		requests := o.requests(v.Spec.TargetRef.Name, r.Name)
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			target, targetErr := resource.ParseQuantity(r.Target[name])
			if targetErr != nil {
				continue // this resource is not controlled
			}
			request := requests[name]
			figures = append(figures, Figure{Scaling, where + " " + string(name), fmt.Sprintf("recommends %s, request %s, mode %s", quantity(name, target), quantity(name, request), v.Spec.UpdatePolicy.UpdateMode)})
			if uncapped, err := resource.ParseQuantity(r.Uncapped[name]); err == nil && uncapped.Cmp(target) > 0 {
				list = append(list, Finding{
					Name: "vpa-at-maximum", Where: where, Evidence: fmt.Sprintf("the pods need %s of %s", quantity(name, uncapped), name), Threshold: "at most " + quantity(name, target),
					Cause: "the pods need more than the VPA's upper bound", Fix: "raise the bounds of VPA in components/scaling/services.go, or find the leak", Next: next,
				})
			}
			if mode := v.Spec.UpdatePolicy.UpdateMode; (mode == "Off" || mode == "Initial") && fullRequest(v.Spec.TargetRef.Name, name, request) && target.AsApproximateFloat64() > underRequested*request.AsApproximateFloat64() {
				list = append(list, Finding{
					Name: "request-too-small", Where: "deployment/" + v.Spec.TargetRef.Name, Evidence: fmt.Sprintf("VPA recommends %s of %s, the request is %s, and mode %s changes nothing", quantity(name, target), name, quantity(name, request), mode),
					Threshold: fmt.Sprintf("%.1f times the request", underRequested), Cause: "the pods use more than they request, so a node may run out of CPU or memory", Fix: "raise the request in components/scaling/services.go", Next: next,
				})
			}
		}
	}
	return list, figures
}

// fullRequest reports whether a request is at least the service's own request. With
// cluster.requestPercent a stack requests less on purpose.
func fullRequest(deployment string, name corev1.ResourceName, request resource.Quantity) bool {
	for _, service := range scaling.Services() {
		if service.Name == deployment {
			own := map[corev1.ResourceName]resource.Quantity{corev1.ResourceCPU: service.Resources.CPURequest, corev1.ResourceMemory: service.Resources.MemoryRequest}[name]
			return request.Cmp(own) >= 0
		}
	}
	return false
}

// requests returns the requests of a container in the newest pod of a Deployment.
func (o objects) requests(deployment, container string) corev1.ResourceList {
	pods := slices.Clone(o.pods)
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return b.CreationTimestamp.Compare(a.CreationTimestamp.Time) })
	for _, pod := range pods {
		if pod.Labels["app"] != deployment {
			continue
		}
		for _, c := range pod.Spec.Containers {
			if c.Name == container {
				return c.Resources.Requests
			}
		}
	}
	return nil
}
