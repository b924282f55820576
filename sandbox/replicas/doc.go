// Package replicas tests the platform's autoscalers with Kubernetes' own code. It has only
// tests:
//
//   - replicas_test.go: the external metrics of the platform's autoscalers give the same
//     number of pods as the design document's Pods metrics. Kubernetes' replica calculator
//     computes both numbers in random states of the pods and of the load.
//   - decisions_test.go: records decisions of Kubernetes' HPA controller. The tests of
//     forecast/autoscale use the recording.
//   - guard_test.go: Kubernetes' HPA controller, with the metrics of a service that has a
//     forecast.
package replicas
