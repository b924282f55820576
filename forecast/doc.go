// Package forecast computes how many pods a service will need when pods that start now are ready.
// It learns only from the load of the service.
//
// An expert predicts the growth of the load over the horizon with a regression. It also predicts
// the usual size of its own error (the spread), and keeps the quantiles of its past errors. Each
// quantile is a candidate for the number of pods. Other candidates divide the current load by a
// fixed share, without a forecast. A gate simulates an HPA for each candidate all the time. Each
// hour, the gate selects the cheapest candidate with an overload within the budget.
//
// The package is deterministic and has no side effects: it uses no clock, no network and no
// goroutine. It does not depend on Kubernetes or Prometheus. The unit of loads is pods: 1 is the
// largest load that one pod can serve. docs/design/0020-predictive-scaling.md explains the choices.
package forecast
