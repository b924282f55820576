package forecastreport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	autoscaling "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/progressive-framework/platform/components/podscaling/trigger"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/forecast"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// Service is what the forecaster publishes about one service.
type Service struct {
	Name string `json:"service"`
	// State is the state of the gate, or the reason why there is no forecast.
	State string `json:"state"`
	// Why explains the state.
	Why         string  `json:"why"`
	HistoryDays float64 `json:"history_days"`
	Candidate   string  `json:"candidate,omitempty"`
	// Load is the current load, and Forecast the median of the next 90 s, both in pods.
	Load     float64 `json:"load"`
	Forecast float64 `json:"forecast"`
	// Published is the number of pods that the forecaster publishes for KEDA. nil means that it
	// publishes nothing.
	Published *float64 `json:"published"`
	// Overload is the share of the load above the capacity of the pods, in the simulation of the
	// candidate. BudgetLeft is the unused part of forecast.Budget.
	Overload   float64 `json:"overload"`
	BudgetLeft float64 `json:"budget_left"`
	// Decides means that the HPA has the forecast among its metrics. Otherwise the forecast is
	// only shown.
	Decides bool `json:"decides"`
}

// reasons explains each state of agents/forecaster and of package forecast.
var reasons = map[string]string{
	"no history":                   "Prometheus has no load of the service yet, or does not respond",
	"stale":                        "Prometheus has no load of the last minute",
	string(forecast.Learning):      "less than a day of history: it publishes the document's target",
	string(forecast.WithinBudget):  "the cheapest candidate that kept the budget of overload in the simulation",
	string(forecast.LeastOverload): "no candidate kept the budget at the document's cost: the one with nearly the least overload",
	string(forecast.TooExpensive):  "each candidate costs more than the document's HPA: it publishes the document's target",
}

// forecasterSelector selects the forecaster's pod in the namespace of Prometheus.
const forecasterSelector = "app=forecaster"

// readServices reads what the forecaster of a stack publishes about each service, and the HPAs.
func readServices(ctx context.Context, readOutputs func(context.Context) (stackoutput.Outputs, error)) ([]Service, error) {
	clients, platform, err := newStackClients(ctx, readOutputs)
	if err != nil {
		return nil, err
	}
	namespace := kubeclient.PrometheusNamespace(platform)
	pods, err := clients.Kubernetes.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: forecasterSelector})
	if err != nil {
		return nil, fmt.Errorf("pods of the forecaster: %w", err)
	}
	i := slices.IndexFunc(pods.Items, kubeclient.IsReady)
	if i < 0 {
		return nil, fmt.Errorf("no ready pod %s in %s: podScaling.predictive must be shadow or on; else see kubectl -n %s get pods", forecasterSelector, namespace, namespace)
	}
	text, err := clients.Get(ctx, namespace, pods.Items[i].Name, scaling.MetricsPort, "/metrics")
	if err != nil {
		return nil, fmt.Errorf("metrics of pod/%s: %w", pods.Items[i].Name, err)
	}
	services, err := parseMetrics(text)
	if err != nil {
		return nil, err
	}
	hpas, err := clients.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(platform).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("HPAs of %s: %w", platform, err)
	}
	for i := range services {
		services[i].Decides = usesForecast(services[i].Name, hpas.Items)
	}
	return services, nil
}

// usesForecast reports whether the HPA of a service has the forecast among its metrics.
func usesForecast(service string, hpas []autoscaling.HorizontalPodAutoscaler) bool {
	i := slices.Index(serviceNames(), service)
	if i < 0 {
		return false
	}
	profile := scaling.Services()[i]
	name := trigger.ForecastMetric(profile)
	return slices.ContainsFunc(hpas, func(h autoscaling.HorizontalPodAutoscaler) bool {
		return h.Name == profile.HPA.Name && slices.ContainsFunc(h.Spec.Metrics, func(m autoscaling.MetricSpec) bool {
			return m.External != nil && m.External.Metric.Name == name
		})
	})
}

// newStackClients reads the stack's outputs. It returns clients of the stack's cluster, and the
// namespace of the services.
func newStackClients(ctx context.Context, readOutputs func(context.Context) (stackoutput.Outputs, error)) (kubeclient.Clients, string, error) {
	stack, err := readOutputs(ctx)
	if err != nil {
		return kubeclient.Clients{}, "", err
	}
	if stack.Namespace == "" || len(stack.KubeconfigContent()) == 0 {
		return kubeclient.Clients{}, "", errors.New("the stack has no output namespace or kubeconfig: run pulumi up first")
	}
	clients, err := kubeclient.New(stack.KubeconfigContent())
	return clients, stack.Namespace, err
}

// parseMetrics parses the metrics of the forecaster.
func parseMetrics(text []byte) ([]Service, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("metrics of the forecaster: %w", err)
	}
	services := map[string]*Service{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			key := labels["service"]
			if key == "" {
				continue
			}
			if services[key] == nil {
				services[key] = &Service{Name: key, BudgetLeft: forecast.Budget}
			}
			services[key].setValue(name, labels, m)
		}
	}
	if len(services) == 0 {
		return nil, errors.New("metrics of the forecaster: have no service")
	}
	list := make([]Service, 0, len(services))
	for _, key := range slices.Sorted(maps.Keys(services)) {
		list = append(list, *services[key])
	}
	return list, nil
}

// setValue stores the value of one series in its field. It ignores other series.
func (s *Service) setValue(name string, labels map[string]string, m *dto.Metric) {
	value := m.GetGauge().GetValue()
	switch name {
	case "gate_state":
		s.State, s.Why = labels["state"], reasons[labels["state"]]
	case "history_days":
		s.HistoryDays = value
	case "candidate":
		s.Candidate = labels["candidate"]
	case "forecast_present_load":
		s.Load = value
	case "forecast_load":
		s.Forecast = value
	case "forecast_published_pods":
		s.Published = &value
	case "gate_overload":
		if labels["window"] == "2d" {
			s.Overload, s.BudgetLeft = value, forecast.Budget-value
		}
	}
}

// writeServices writes the services to out as text or JSON.
func writeServices(out io.Writer, services []Service, asJSON bool) error {
	if asJSON {
		return writeJSON(out, services)
	}
	var b strings.Builder
	for _, s := range services {
		fmt.Fprintf(&b, "%s: %s: %s\n", s.Name, s.State, s.Why)
		fmt.Fprintf(&b, "  history    %.2f days; the gate chooses after 1, and 14 are best\n", s.HistoryDays)
		if s.Candidate != "" {
			fmt.Fprintf(&b, "  load       %.2f pods; the median of the next 90 s is %.2f\n", s.Load, s.Forecast)
			fmt.Fprintf(&b, "  candidate  %s\n", s.Candidate)
			fmt.Fprintf(&b, "  overload   %.4f %% in the simulation; %.4f %% of the budget of %.2f %% is left\n", 100*s.Overload, 100*s.BudgetLeft, 100*forecast.Budget)
		}
		published := "nothing"
		if s.Published != nil {
			published = fmt.Sprintf("%.2f pods", *s.Published)
		}
		effect := "a shadow: the HPA is the document's"
		switch {
		case s.Decides && s.Published != nil:
			effect = "the HPA has it among its metrics"
		case s.Decides:
			effect = "the guard triggers are the document's HPA"
		}
		fmt.Fprintf(&b, "  publishes  %s; %s\n\n", published, effect)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
