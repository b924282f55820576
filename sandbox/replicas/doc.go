// Package replicas proves that the external metrics of the platform's autoscalers give
// the same number of pods as the design document's Pods metrics. It compares both in
// random states of the pods and of the load, with Kubernetes' own replica calculator.
// It also runs Kubernetes' own HPA controller: it records the decisions with which
// forecast/autoscale is tested, and it uses the metrics of a service with a forecast.
// It has tests only.
package replicas
