// Package scrape owns Prometheus' configuration file: the targets, the intervals, and the limits of
// a target's response. It is pure.
//
// Names of fields and labels are Prometheus' own (prometheus/prometheus,
// docs/configuration/configuration.md).
package scrape

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
	"github.com/progressive-framework/platform/components/scaling/promrules"
)

const (
	// Timeout is the time in which a service must respond. It is less than
	// scaling.ScrapeInterval.
	Timeout = 4 * time.Second
	// slowInterval is the interval at which all other targets are scraped.
	slowInterval = 15 * time.Second

	// Prometheus refuses a response above sampleLimit or bodyLimit, so that a target can't
	// create series without limit. A service has about 300 series in 30 kB.
	sampleLimit = 5000
	bodyLimit   = "5MB"
)

// MetricsPort is the name of the container port of a pod's metrics.
const MetricsPort = "metrics"

// RulesFile is the name of the file with rules, in the folder of the configuration.
const RulesFile = "rules.yaml"

// Config is the configuration file.
type Config struct {
	Global    global   `json:"global"`
	RuleFiles []string `json:"rule_files"`
	// Alerting says where alerts are sent. nil means that they are evaluated, but not sent.
	Alerting *alerting `json:"alerting,omitempty"`
	// RemoteWrites are servers to which series are also sent.
	RemoteWrites []remoteWrite `json:"remote_write,omitempty"`
	Scrapes      []job         `json:"scrape_configs"`
}

type global struct {
	Interval  string `json:"scrape_interval"`
	Timeout   string `json:"scrape_timeout"`
	Samples   int    `json:"sample_limit"`
	BodyLimit string `json:"body_size_limit"`
	// Labels are added to alerts and series that Prometheus sends.
	Labels map[string]string `json:"external_labels,omitempty"`
}

type alerting struct {
	Relabel       []relabel      `json:"alert_relabel_configs,omitempty"`
	Alertmanagers []alertmanager `json:"alertmanagers,omitempty"`
}

type alertmanager struct {
	Static []static `json:"static_configs"`
}

type static struct {
	Targets []string `json:"targets"`
}

// WithAlertmanager returns the configuration that sends alerts to a host and port.
func (c Config) WithAlertmanager(address string) Config {
	withAlertmanager := alerting{}
	if c.Alerting != nil {
		withAlertmanager = *c.Alerting
	}
	withAlertmanager.Alertmanagers = []alertmanager{{[]static{{[]string{address}}}}}
	c.Alerting = &withAlertmanager
	return c
}

// job is an entry of scrape_configs.
type job struct {
	Name     string `json:"job_name"`
	Interval string `json:"scrape_interval,omitempty"`
	Timeout  string `json:"scrape_timeout,omitempty"`
	Scheme   string `json:"scheme,omitempty"`
	Path     string `json:"metrics_path,omitempty"`
	// BodyLimit replaces the global limit.
	BodyLimit string `json:"body_size_limit,omitempty"`
	// HonorLabels keeps the labels pod and namespace that the target has set, because its
	// series are about other pods.
	HonorLabels bool         `json:"honor_labels,omitempty"`
	TLS         *tls         `json:"tls_config,omitempty"`
	Token       *credentials `json:"authorization,omitempty"`
	Discovery   []discovery  `json:"kubernetes_sd_configs"`
	// Targets are the rules that select targets and set their labels. Series are the rules
	// that select series of these targets.
	Targets []relabel `json:"relabel_configs"`
	Series  []relabel `json:"metric_relabel_configs,omitempty"`
}

type tls struct {
	CAFile string `json:"ca_file"`
}

type credentials struct {
	File string `json:"credentials_file"`
}

type discovery struct {
	Role       string      `json:"role"`
	Namespaces *namespaces `json:"namespaces,omitempty"`
}

type namespaces struct {
	Names []string `json:"names"`
}

// relabel is a relabeling rule.
type relabel struct {
	Source      []string `json:"source_labels,omitempty"`
	Regex       string   `json:"regex,omitempty"`
	Target      string   `json:"target_label,omitempty"`
	Replacement string   `json:"replacement,omitempty"`
	Action      string   `json:"action,omitempty"`
}

// Namespaces are the names of the namespaces with targets.
type Namespaces struct {
	// Own is the namespace of Prometheus. Platform is the namespace of the services.
	Own, Platform string
	// Controllers are the namespaces of KEDA and VPA.
	Controllers []string
	// Stores are the values of the label app of the stores' pods in Platform. Empty means that
	// the platform has no stores in the cluster.
	Stores []string
	// Forecaster means that a forecaster runs in Own.
	Forecaster bool
	// Database means that the exporter of PostgreSQL's metrics runs in Platform.
	Database bool
}

// Labels of a discovered pod (prometheus/prometheus, docs/configuration/configuration.md, "pod").
const (
	podApp        = "__meta_kubernetes_pod_label_app"
	podPort       = "__meta_kubernetes_pod_container_port_name"
	podPhase      = "__meta_kubernetes_pod_phase"
	podPortNumber = "__meta_kubernetes_pod_container_port_number"
	podName       = "__meta_kubernetes_pod_name"
	podNamespace  = "__meta_kubernetes_namespace"
)

// New returns the configuration. Each service has its own job, with the name of the service's
// Deployment.
func New(services []scaling.Profile, in Namespaces) Config {
	config := Config{
		Global:    global{Interval: seconds(slowInterval), Timeout: seconds(slowInterval - time.Second), Samples: sampleLimit, BodyLimit: bodyLimit},
		RuleFiles: []string{RulesFile},
	}
	for _, service := range services {
		config.Scrapes = append(config.Scrapes, job{
			Name: promquery.Job(service), Interval: seconds(scaling.ScrapeInterval), Timeout: seconds(Timeout),
			Discovery: podDiscovery(in.Platform), Targets: podTargets(relabel{Source: []string{podApp}, Regex: service.Name, Action: "keep"}),
		})
	}
	if len(in.Controllers) > 0 {
		config.Scrapes = append(config.Scrapes, job{
			Name: "controllers", Discovery: podDiscovery(in.Controllers...),
			Targets: podTargets(relabel{Source: []string{podApp}, Target: "app"}),
			// KEDA's adapter has 2,000 series about its API server. Nothing reads these
			// series.
			Series: []relabel{{Source: []string{"__name__"}, Regex: "(keda|vpa|controller_runtime_reconcile|process)_.*", Action: "keep"}},
		})
	}
	if len(in.Stores) > 0 {
		config.Scrapes = append(config.Scrapes, job{
			Name: promrules.StoresJob, Discovery: podDiscovery(in.Platform),
			Targets: podTargets(relabel{Source: []string{podApp}, Regex: strings.Join(in.Stores, "|"), Action: "keep"}),
		})
	}
	if in.Forecaster {
		config.Scrapes = append(config.Scrapes, job{
			// The interval is short, because KEDA reads the forecast from Prometheus, and a forecast is
			// for the next 90 s.
			Name: promquery.ForecasterJob, Interval: seconds(scaling.ScrapeInterval), Timeout: seconds(Timeout), Discovery: podDiscovery(in.Own),
			Targets: podTargets(relabel{Source: []string{podApp}, Regex: ForecasterApp, Action: "keep"}),
		})
	}
	if in.Database {
		config.Scrapes = append(config.Scrapes, job{
			Name: promrules.DatabaseJob, Discovery: podDiscovery(in.Platform),
			Targets: podTargets(relabel{Source: []string{podApp}, Regex: DatabaseApp, Action: "keep"}),
		})
	}
	config.Scrapes = append(config.Scrapes, job{
		Name: "prometheus", Discovery: podDiscovery(in.Own),
		Targets: podTargets(relabel{Source: []string{podApp}, Regex: App, Action: "keep"}),
	}, job{
		Name: promrules.StateJob, HonorLabels: true, Discovery: podDiscovery(in.Own),
		Targets: podTargets(relabel{Source: []string{podApp}, Regex: StateApp, Action: "keep"}),
	}, containerJob(in.Platform), throttling(in.Platform))
	return config
}

// App is the value of the label app of Prometheus' own pods.
const App = "prometheus"

// StateApp is the value of the label app of kube-state-metrics, in the namespace of
// Prometheus.
const StateApp = "kube-state-metrics"

// StatePort is the port on which kube-state-metrics publishes its series.
const StatePort = 8080

// ForecasterApp is the value of the label app of the forecaster, in the namespace of
// Prometheus.
const ForecasterApp = "forecaster"

// DatabaseApp is the value of the label app of the exporter of PostgreSQL's metrics, in the
// namespace of the services.
const DatabaseApp = "postgres-exporter"

// podDiscovery returns the discovery of the pods in namespaces. Equal discoveries share one watch.
func podDiscovery(names ...string) []discovery {
	return []discovery{{Role: "pod", Namespaces: &namespaces{names}}}
}

// podTargets returns the rules that select running pods with a metrics port, and that set the
// labels of their series. selection are further rules. The label instance is POD:PORT and not the
// pod's address. So a pod that gets a new address while Prometheus is down keeps its series.
// With the address, it would have two series for the 5 minutes of the look-back.
func podTargets(selection ...relabel) []relabel {
	return append([]relabel{
		{Source: []string{podPort}, Regex: MetricsPort, Action: "keep"},
		{Source: []string{podPhase}, Regex: "Running", Action: "keep"},
		{Source: []string{podName}, Target: "pod"},
		{Source: []string{podName, podPortNumber}, Regex: "(.+);(.+)", Replacement: "$1:$2", Target: "instance"},
		{Source: []string{podNamespace}, Target: "namespace"},
	}, selection...)
}

// Files of a pod's service account.
const (
	accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount/"
	authorityFile = accountFolder + "ca.crt"
	tokenFile     = accountFolder + "token"
)

// containerJob returns the job that reads the CPU and memory of containers from the kubelets
// (kubernetes/kubernetes, pkg/kubelet/metrics/collectors/resource_metrics.go). It keeps only the
// series of one namespace.
func containerJob(namespace string) job {
	return job{
		Name: promrules.ContainersJob, Scheme: "https", Path: "/metrics/resource",
		TLS: &tls{authorityFile}, Token: &credentials{tokenFile},
		Discovery: []discovery{{Role: "node"}},
		Targets:   []relabel{{Source: []string{"__meta_kubernetes_node_name"}, Target: "node"}},
		Series: []relabel{
			{Source: []string{"namespace"}, Regex: namespace, Action: "keep"},
			{Source: []string{"__name__"}, Regex: "container_(cpu_usage_seconds_total|memory_working_set_bytes)", Action: "keep"},
		},
	}
}

const (
	// throttlingInterval is twice slowInterval: cAdvisor's answer is the largest of all, and its
	// readers look at ten minutes.
	throttlingInterval = 2 * slowInterval
	// throttlingBodyLimit is for cAdvisor's answer before metric_relabel_configs. It has some
	// hundred series for each container of the node, about 40 kB.
	throttlingBodyLimit = "20MB"
)

// throttling scrapes cAdvisor in the kubelets, because /metrics/resource does not say which
// containers the kernel throttles (google/cadvisor, docs/storage/prometheus.md). It keeps two
// series for each container of one namespace that has a CPU limit: with 100 such containers, 200
// of cAdvisor's 10,000 series or more. Series without a container are of the cgroup of a whole
// pod. The labels id and name change with each restart, and image with each release; without them
// a container keeps its two series.
func throttling(namespace string) job {
	j := containerJob(namespace)
	j.Name, j.Path, j.Interval, j.BodyLimit = promrules.ThrottlingJob, "/metrics/cadvisor", seconds(throttlingInterval), throttlingBodyLimit
	j.Series = []relabel{
		{Source: []string{"__name__"}, Regex: "container_cpu_cfs_(throttled_)?periods_total", Action: "keep"},
		{Source: []string{"namespace", "container"}, Regex: namespace + ";.+", Action: "keep"},
		{Regex: "id|image|name", Action: "labeldrop"},
	}
	return j
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// File returns the text of the configuration file. It is JSON, which is valid YAML.
func (c Config) File() (string, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", fmt.Errorf("configuration of Prometheus: %w", err)
	}
	return string(text) + "\n", nil
}
