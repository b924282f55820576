// Package scrape owns Prometheus' configuration file: the targets, the intervals, and the limits of
// a target's response. It imports no SDK.
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
	Global    global    `json:"global"`
	Runtime   goRuntime `json:"runtime"`
	RuleFiles []string  `json:"rule_files"`
	// Alerting has the Alertmanagers that get the alerts. nil means that alerts are evaluated, but
	// not sent.
	Alerting *alerting `json:"alerting,omitempty"`
	// RemoteWrites are servers to which series are also sent.
	RemoteWrites []remoteWrite `json:"remote_write,omitempty"`
	Scrapes      []job         `json:"scrape_configs"`
}

// global is the section "global" of the configuration file.
type global struct {
	Interval  string `json:"scrape_interval"`
	Timeout   string `json:"scrape_timeout"`
	Samples   int    `json:"sample_limit"`
	BodyLimit string `json:"body_size_limit"`
	// Labels are added to alerts and series that Prometheus sends.
	Labels map[string]string `json:"external_labels,omitempty"`
}

// goRuntime is the section "runtime" of the configuration file.
type goRuntime struct {
	// GOGC is by how many percent the heap grows before Go's garbage collector runs. Prometheus'
	// default is 75.
	GOGC int `json:"gogc"`
}

// alerting is the section "alerting" of the configuration file.
type alerting struct {
	Relabel       []relabel      `json:"alert_relabel_configs,omitempty"`
	Alertmanagers []alertmanager `json:"alertmanagers,omitempty"`
}

type alertmanager struct {
	Static []static `json:"static_configs"`
}

// static is an entry of static_configs.
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
	// TargetRules are the rules that select targets and set their labels. SeriesRules are the
	// rules that select series of these targets.
	TargetRules []relabel `json:"relabel_configs"`
	SeriesRules []relabel `json:"metric_relabel_configs,omitempty"`
}

type tls struct {
	CAFile string `json:"ca_file"`
}

type credentials struct {
	File string `json:"credentials_file"`
}

// discovery is an entry of kubernetes_sd_configs.
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

// Targets are the programs that Prometheus scrapes, and their namespaces.
type Targets struct {
	// Own is the namespace of Prometheus. Platform is the namespace of the services.
	Own, Platform string
	// Controllers are the namespaces of KEDA and VPA.
	Controllers []string
	// Stores are the values of the label app of the stores' pods in Platform. Empty means that
	// the platform has no stores in the cluster.
	Stores []string
	// Forecaster means that a forecaster runs in Own.
	Forecaster bool
	// PGExporter means that the exporter of PostgreSQL's metrics runs in Platform.
	PGExporter bool
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

// New returns the configuration for the targets. Each service has its own job, with the name of the service's
// Deployment.
func New(services []scaling.Profile, targets Targets) Config {
	config := Config{
		// Memory is what a Prometheus runs out of first. A smaller heap costs little CPU time.
		Runtime:   goRuntime{GOGC: 50},
		Global:    global{Interval: formatSeconds(slowInterval), Timeout: formatSeconds(slowInterval - time.Second), Samples: sampleLimit, BodyLimit: bodyLimit},
		RuleFiles: []string{RulesFile},
	}
	for _, service := range services {
		config.Scrapes = append(config.Scrapes, job{
			Name: promquery.Job(service), Interval: formatSeconds(scaling.ScrapeInterval), Timeout: formatSeconds(Timeout),
			Discovery: podDiscovery(targets.Platform), TargetRules: podTargetRules(relabel{Source: []string{podApp}, Regex: service.Name, Action: "keep"}),
		})
	}
	if len(targets.Controllers) > 0 {
		config.Scrapes = append(config.Scrapes, job{
			Name: "controllers", Discovery: podDiscovery(targets.Controllers...),
			TargetRules: podTargetRules(relabel{Source: []string{podApp}, Target: "app"}),
			// KEDA's adapter has 2,000 series about its API server. Nothing reads these
			// series.
			SeriesRules: []relabel{{Source: []string{"__name__"}, Regex: "(keda|vpa|controller_runtime_reconcile|process)_.*", Action: "keep"}},
		})
	}
	if len(targets.Stores) > 0 {
		config.Scrapes = append(config.Scrapes, job{
			Name: promrules.StoresJob, Discovery: podDiscovery(targets.Platform),
			TargetRules: podTargetRules(relabel{Source: []string{podApp}, Regex: strings.Join(targets.Stores, "|"), Action: "keep"}),
		})
	}
	if targets.Forecaster {
		config.Scrapes = append(config.Scrapes, job{
			// The interval is short, because KEDA reads the forecast from Prometheus, and a forecast is
			// for the next 90 s.
			Name: promquery.ForecasterJob, Interval: formatSeconds(scaling.ScrapeInterval), Timeout: formatSeconds(Timeout), Discovery: podDiscovery(targets.Own),
			TargetRules: podTargetRules(relabel{Source: []string{podApp}, Regex: ForecasterApp, Action: "keep"}),
		})
	}
	if targets.PGExporter {
		config.Scrapes = append(config.Scrapes, job{
			Name: promrules.DatabaseJob, Discovery: podDiscovery(targets.Platform),
			TargetRules: podTargetRules(relabel{Source: []string{podApp}, Regex: DatabaseApp, Action: "keep"}),
		})
	}
	config.Scrapes = append(config.Scrapes, job{
		Name: "prometheus", Discovery: podDiscovery(targets.Own),
		TargetRules: podTargetRules(relabel{Source: []string{podApp}, Regex: App, Action: "keep"}),
	}, job{
		Name: promrules.StateJob, HonorLabels: true, Discovery: podDiscovery(targets.Own),
		TargetRules: podTargetRules(relabel{Source: []string{podApp}, Regex: KubeStateMetricsApp, Action: "keep"}),
	}, containerJob(targets.Platform), throttlingJob(targets.Platform))
	return config
}

// App is the value of the label app of Prometheus' own pods.
const App = "prometheus"

// KubeStateMetricsApp is the value of the label app of kube-state-metrics, in the namespace of
// Prometheus.
const KubeStateMetricsApp = "kube-state-metrics"

// KubeStateMetricsPort is the port on which kube-state-metrics publishes its series.
const KubeStateMetricsPort = 8080

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

// podTargetRules returns the rules that select running pods with a metrics port, and that set the
// labels of their series. selection are further rules. The label instance is POD:PORT and not the
// pod's address. So a pod that gets a new address while Prometheus is down keeps its series. If the
// label were the address, the pod would have two series for the 5 minutes of the look-back.
func podTargetRules(selection ...relabel) []relabel {
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
// (kubernetes/kubernetes, pkg/kubelet/metrics/collectors/resource_metrics.go). The job keeps only
// the series of one namespace.
func containerJob(namespace string) job {
	return job{
		Name: promrules.ContainersJob, Scheme: "https", Path: "/metrics/resource",
		TLS: &tls{authorityFile}, Token: &credentials{tokenFile},
		Discovery:   []discovery{{Role: "node"}},
		TargetRules: []relabel{{Source: []string{"__meta_kubernetes_node_name"}, Target: "node"}},
		SeriesRules: []relabel{
			{Source: []string{"namespace"}, Regex: namespace, Action: "keep"},
			{Source: []string{"__name__"}, Regex: "container_(cpu_usage_seconds_total|memory_working_set_bytes)", Action: "keep"},
		},
	}
}

const (
	// throttlingInterval is twice slowInterval. cAdvisor's response is the largest of all, and the
	// queries of its series have a window of ten minutes.
	throttlingInterval = 2 * slowInterval
	// throttlingBodyLimit is the limit of cAdvisor's response. The response has some hundred series
	// for each container of the node, about 40 kB, because metric_relabel_configs apply later.
	throttlingBodyLimit = "20MB"
)

// throttlingJob returns the job that reads from the kubelets how often the kernel throttles each
// container. The job reads cAdvisor's series (google/cadvisor, docs/storage/prometheus.md), because
// /metrics/resource does not have these counts. In one namespace, the job keeps two series for each
// container with a CPU limit. For 100 such containers, these are 200 of more than 10,000 series.
//
// The job drops series without a container: they are about the cgroup of a whole pod. The job also
// drops the labels id, name and image. id and name change with each restart, and image changes with
// each release. Without these labels a container keeps its two series.
func throttlingJob(namespace string) job {
	j := containerJob(namespace)
	j.Name, j.Path, j.Interval, j.BodyLimit = promrules.ThrottlingJob, "/metrics/cadvisor", formatSeconds(throttlingInterval), throttlingBodyLimit
	j.SeriesRules = []relabel{
		{Source: []string{"__name__"}, Regex: "container_cpu_cfs_(throttled_)?periods_total", Action: "keep"},
		{Source: []string{"namespace", "container"}, Regex: namespace + ";.+", Action: "keep"},
		{Regex: "id|image|name", Action: "labeldrop"},
	}
	return j
}

// formatSeconds returns d in Prometheus' notation, in whole seconds.
func formatSeconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// File returns the text of the configuration file. It is JSON, which is valid YAML.
func (c Config) File() (string, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", fmt.Errorf("configuration of Prometheus: %w", err)
	}
	return string(text) + "\n", nil
}
