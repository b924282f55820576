// Package replicas proves that the external metrics of the platform's autoscalers give
// the number of pods that the design document's Pods metrics would. Both are asked of
// Kubernetes' own replica calculator, in random states of the pods and of the load.
// It also records decisions of Kubernetes' own HPA controller, with which
// forecast/autoscale is checked, and runs it with the metrics of a service with a
// forecast. It has tests only.
package replicas
