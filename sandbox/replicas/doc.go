// Package replicas proves that the external metrics of the platform's autoscalers give
// the same number of pods as the design document's Pods metrics. It compares both in
// random states of the pods and of the load, with Kubernetes' own replica calculator.
// It also runs Kubernetes' own HPA controller. It records the controller's decisions,
// with which forecast/autoscale is tested, and it runs the controller with the metrics
// of a service that has a forecast. The package has only tests.
package replicas
