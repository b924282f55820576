// Package forecast computes how many pods a service will need when pods that start now are ready.
// It learns from the load alone: a regression of the growth over the horizon, its spread, and
// quantiles of what it missed. A gate runs every candidate in a simulated HPA all the time and
// publishes the cheapest one that kept its budget of overload.
//
// The package is pure and deterministic: no clock, no network, no goroutine. It knows neither
// Kubernetes nor Prometheus. Loads are in pods: 1 is what one pod serves within its limits.
// docs/design/0020-predictive-scaling.md explains the choices.
package forecast
