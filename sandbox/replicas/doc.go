// Package replicas tests the platform's autoscalers with Kubernetes' own code. It has only
// tests:
//
//   - replicas_test.go: compares the numbers of pods that the platform's external metrics and
//     the design document's Pods metrics give. Kubernetes' replica calculator computes both
//     in random states of the pods and of the load.
//   - decisions_test.go: records decisions of Kubernetes' HPA controller. The tests of
//     forecast/autoscale use the recording.
//   - guard_test.go: Kubernetes' HPA controller, with the metrics of a service that has a
//     forecast.
package replicas
