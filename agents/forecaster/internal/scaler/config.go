// Package scaler publishes how many pods each service needs. At its start it reads the history of
// each service's load from Prometheus, and then every new load. Package forecast computes the
// number of pods from the loads. Package scaler publishes this number, and the values that explain
// it, as metrics. KEDA reads the metrics from Prometheus and sets the HPA.
package scaler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Config is the environment of the forecaster.
type Config struct {
	HTTP httpserver.Config
	// PrometheusURL is PROMETHEUS_URL, the base URL of Prometheus' HTTP API.
	PrometheusURL string
	// Services is SERVICES: a JSON list.
	Services []Service
}

// Service is one service. The forecaster forecasts its load from the past load.
type Service struct {
	// Name is the value of the label "service" of its metrics.
	Name string `json:"name"`
	// Query is PromQL with one value: the rate of arriving requests. Its window should be short,
	// such as 15 s if Prometheus scrapes every 5 s. The forecaster itself averages the loads of a
	// minute.
	Query string `json:"query"`
	// Capacity is the largest load that one pod can serve, in the unit of the query.
	Capacity float64 `json:"capacity"`
	// Target is the target of the HPA in the design document, as a share of Capacity. That HPA
	// adds pods while the load of a pod is higher.
	Target float64 `json:"target"`
	// Floor is the target of the HPA's trigger on the current load, as a share of Capacity. This
	// trigger adds pods even if the forecast is too low.
	Floor float64 `json:"floor"`
	// Document is the HPA of this service in the design document.
	Document autoscale.Spec `json:"document"`
}

// horizonSteps is how far ahead a forecast looks, in steps. A pod that is requested now serves
// at most 90 s later. This time has three parts: 60 s for its start, 15 s for the HPA's period,
// and 15 s for the query's window.
const horizonSteps = 90 / forecast.StepSeconds

// ReadConfig reads the environment. The error is an envconfig.Problems.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	c := Config{
		HTTP:          httpserver.ReadConfig(env, ":8000", "/health", "/health/ready"),
		PrometheusURL: env.URL("PROMETHEUS_URL", "http://prometheus:9090", "http", "https"),
		Services:      envconfig.ReadRequired(env, "SERVICES", "must be a JSON list of services with name, query, capacity, target, floor and document", parseServices),
	}
	c.HTTP.DrainDelay = 0 // only the kubelet sends HTTP requests
	return c, env.Err()
}

// parseServices parses the value of SERVICES. It returns false unless the value is a JSON list of
// valid services with different names.
func parseServices(text string) ([]Service, bool) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	var services []Service
	if decoder.Decode(&services) != nil || len(services) == 0 {
		return nil, false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, false // there is text after the list
	}
	names := map[string]bool{}
	for _, s := range services {
		if s.validate() != nil || names[s.Name] {
			return nil, false
		}
		names[s.Name] = true
	}
	return services, true
}

// validate returns an error for the first invalid field.
func (s Service) validate() error {
	hpa := s.Document
	switch {
	case s.Name == "" || s.Query == "":
		return fmt.Errorf("service %q: must have a name and a query", s.Name)
	case !(s.Capacity > 0 && s.Capacity < 1e12):
		return fmt.Errorf("service %s: capacity %v: must be above 0 and below 1e12", s.Name, s.Capacity)
	case !(s.Target > 0 && s.Target <= 1):
		return fmt.Errorf("service %s: target %v: must be above 0 and at most 1", s.Name, s.Target)
	case !(s.Floor >= s.Target && s.Floor <= 1):
		return fmt.Errorf("service %s: floor %v: must be at least the target and at most 1", s.Name, s.Floor)
	case hpa.Min < 1 || hpa.Min > hpa.Max || hpa.Max > 1000:
		return fmt.Errorf("service %s: %d to %d pods: must be 1 <= min <= max <= 1000", s.Name, hpa.Min, hpa.Max)
	case len(hpa.Up.Policies) == 0 || len(hpa.Down.Policies) == 0:
		return fmt.Errorf("service %s: the design document's HPA must have policies in both directions", s.Name)
	}
	return nil
}

// newForecaster returns a forecaster without history. Its first step begins at start.
func (s Service) newForecaster(start time.Time) *forecast.Forecaster {
	return forecast.New(forecast.Config{
		Target: s.Target, Floor: s.Floor, Document: s.Document, Predictive: autoscale.FastSpec(s.Document.Min, s.Document.Max, 0),
		Horizon: horizonSteps, Start: start.Unix(),
	})
}
