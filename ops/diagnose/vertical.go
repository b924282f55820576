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
	// maxRecommendationWait is how long a VPA may lack a recommendation.
	maxRecommendationWait = time.Hour
	// maxRequestRatio is the highest ratio of the recommendation to the request. Above it, the
	// request is too small.
	maxRequestRatio = 1.5
)

// verticalPodAutoscaler is the part of a VerticalPodAutoscaler that the rules read
// (kubernetes/autoscaler, vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go).
type verticalPodAutoscaler struct {
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

// recommendation is what VPA recommends for one container. Uncapped is the target that VPA would
// recommend without the bounds of the VPA object.
type recommendation struct {
	Name     string                         `json:"containerName"`
	Target   map[corev1.ResourceName]string `json:"target"`
	Uncapped map[corev1.ResourceName]string `json:"uncappedTarget"`
}

// verticalFindings compares the recommendations of VPA with the requests and with the VPA's bounds.
func verticalFindings(o objects) (findings []Finding, figures []Figure) {
	for _, object := range o.verticalAutoscalers {
		var v verticalPodAutoscaler
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &v); err != nil {
			findings = append(findings, Finding{
				Name: "vpa-unreadable", Where: "vpa/" + object.GetName(), Evidence: err.Error(), Cause: "the cluster has another version of VPA",
				Fix: "compare the CustomResourceDefinition with components/vpa", Next: o.kubectlCommand("get vpa " + object.GetName() + " -o yaml"),
			})
			continue
		}
		found, measured := o.recommendationFindings(v)
		findings, figures = append(findings, found...), append(figures, measured...)
	}
	return findings, figures
}

// recommendationFindings judges the recommendations of one VPA.
func (o objects) recommendationFindings(v verticalPodAutoscaler) (findings []Finding, figures []Figure) {
	where, next := "vpa/"+v.Metadata.Name, o.kubectlCommand("describe vpa "+v.Metadata.Name)
	for _, c := range v.Status.Conditions {
		since, _ := time.Parse(time.RFC3339, c.Since)
		if age := o.now.Sub(since); c.Type == "RecommendationProvided" && c.Status == "False" && age > maxRecommendationWait {
			findings = append(findings, Finding{
				Name: "vpa-without-recommendation", Where: where, Evidence: fmt.Sprintf("no recommendation for %s: %s", age.Round(time.Minute), c.Message), Threshold: maxRecommendationWait.String(),
				Cause: "VPA's recommender does not run, or metrics-server does not respond", Fix: "check that the pods of VPA run, and read their logs", Next: "kubectl -n " + o.namespace + "-vpa get pods",
			})
		}
	}
	for _, r := range v.Status.Recommendation.Containers {
		requests := o.containerRequests(v.Spec.TargetRef.Name, r.Name)
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			target, targetErr := resource.ParseQuantity(r.Target[name])
			if targetErr != nil {
				continue // this resource is not controlled
			}
			request := requests[name]
			figures = append(figures, Figure{Scaling, where + " " + string(name), fmt.Sprintf("recommends %s, request %s, mode %s", formatQuantity(name, target), formatQuantity(name, request), v.Spec.UpdatePolicy.UpdateMode)})
			if uncapped, err := resource.ParseQuantity(r.Uncapped[name]); err == nil && uncapped.Cmp(target) > 0 {
				findings = append(findings, Finding{
					Name: "vpa-at-maximum", Where: where, Evidence: fmt.Sprintf("the pods need %s of %s", formatQuantity(name, uncapped), name), Threshold: "at most " + formatQuantity(name, target),
					Cause: "the pods need more than the VPA's upper bound", Fix: "raise the bounds of VPA in components/scaling/services.go, or find the leak", Next: next,
				})
			}
			mode := v.Spec.UpdatePolicy.UpdateMode
			keepsRequest := mode == "Off" || mode == "Initial" // VPA does not change the request of a running pod
			isTooSmall := target.AsApproximateFloat64() > maxRequestRatio*request.AsApproximateFloat64()
			if keepsRequest && isTooSmall && isFullRequest(v.Spec.TargetRef.Name, name, request) {
				findings = append(findings, Finding{
					Name: "request-too-small", Where: "deployment/" + v.Spec.TargetRef.Name, Evidence: fmt.Sprintf("VPA recommends %s of %s, the request is %s, and mode %s changes nothing", formatQuantity(name, target), name, formatQuantity(name, request), mode),
					Threshold: fmt.Sprintf("%.1f times the request", maxRequestRatio), Cause: "the pods use more than they request, so a node may run out of CPU or memory", Fix: "raise the request in components/scaling/services.go", Next: next,
				})
			}
		}
	}
	return findings, figures
}

// isFullRequest reports whether a request is at least the request of the service in
// components/scaling. A stack with cluster.requestPercent requests less on purpose.
func isFullRequest(deployment string, name corev1.ResourceName, request resource.Quantity) bool {
	for _, service := range scaling.Services() {
		if service.Name == deployment {
			serviceRequest := map[corev1.ResourceName]resource.Quantity{corev1.ResourceCPU: service.Resources.CPURequest, corev1.ResourceMemory: service.Resources.MemoryRequest}[name]
			return request.Cmp(serviceRequest) >= 0
		}
	}
	return false
}

// containerRequests returns the requests of a container in the newest pod of a Deployment. It
// returns nil if there is no such pod.
func (o objects) containerRequests(deployment, container string) corev1.ResourceList {
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
