package diagnose

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"github.com/progressive-framework/platform/ops/kubeclient"
)

const (
	// window is how far back counters count. An older fault was repaired, or its alert
	// has fired.
	window = 10 * time.Minute
	// seriesTimeout bounds the query in Prometheus.
	seriesTimeout = "3s"
)

// sample is one series of a pod and its value.
type sample struct {
	name   string
	labels map[string]string
	value  float64
	// counter: only its growth says something.
	counter bool
}

// key identifies the series of a pod.
func (s sample) key() string {
	names := make([]string, 0, len(s.labels))
	for name := range s.labels {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(s.name)
	for _, name := range names {
		b.WriteString("\x00" + name + "\x00" + s.labels[name])
	}
	return b.String()
}

// samples are the series of one pod. Counters have their growth over since.
type samples []sample

// parse reads the text that a pod serves. A histogram is its sum and its count.
func parse(text []byte) (list samples, err error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			add := func(suffix string, value float64, counter bool) {
				list = append(list, sample{name + suffix, labels, value, counter})
			}
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				add("", m.GetCounter().GetValue(), true)
			case dto.MetricType_HISTOGRAM:
				add("_sum", m.GetHistogram().GetSampleSum(), true)
				add("_count", float64(m.GetHistogram().GetSampleCount()), true)
			case dto.MetricType_GAUGE:
				// Redis counts its slow commands in a number that is served as a gauge.
				add("", m.GetGauge().GetValue(), name == "redis_slowlog_last_id")
			case dto.MetricType_UNTYPED:
				add("", m.GetUntyped().GetValue(), false)
			}
		}
	}
	return list, nil
}

// growth subtracts the values of old, by key. A counter that is below its old value has
// begun again.
func (list samples) growth(old map[string]float64) {
	for i, s := range list {
		if before, exists := old[s.key()]; exists && s.counter && before <= s.value {
			list[i].value -= before
		}
	}
}

// sum adds the series of a name for which keep is true; nil: all.
func (list samples) sum(name string, keep func(labels map[string]string) bool) (total float64) {
	for _, s := range list {
		if s.name == name && (keep == nil || keep(s.labels)) {
			total += s.value
		}
	}
	return total
}

// by adds the series of a name by the value of a label.
func (list samples) by(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, s := range list {
		if s.name == name {
			sums[s.labels[label]] += s.value
		}
	}
	return sums
}

// value is the only series of a name, and whether it exists.
func (list samples) value(name string) (float64, bool) {
	for _, s := range list {
		if s.name == name {
			return s.value, true
		}
	}
	return math.NaN(), false
}

// oldSeries are the counters that rules read, as a regular expression of Prometheus.
const oldSeries = "http_requests_total|http_request_duration_seconds_(sum|count)|agent_.+_(total|sum|count)|application_cache_.+_total|" +
	"redis_(keyspace_(hits|misses)|evicted_keys)_total|redis_slowlog_last_id|pg_stat_(statements|user_tables|database)_.+"

// oldValues queries Prometheus for the values that each pod's counters had one window ago.
func oldValues(ctx context.Context, o objects, get func(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error)) (map[string]map[string]float64, error) {
	i := slices.IndexFunc(o.observers, func(p corev1.Pod) bool { return p.Labels["app"] == "prometheus" && kubeclient.Ready(p) })
	if i < 0 {
		return nil, fmt.Errorf("no pod of Prometheus is ready in %s", o.namespace+"-prometheus")
	}
	query := url.Values{"query": {fmt.Sprintf("{__name__=~%q,namespace=%q} offset %dm", oldSeries, o.namespace, int(window.Minutes()))}, "timeout": {seriesTimeout}}
	text, err := get(ctx, o.observers[i].Namespace, o.observers[i].Name, kubeclient.PrometheusPort, "/api/v1/query?"+query.Encode())
	if err != nil {
		return nil, err
	}
	return parseOldValues(text)
}

// parseOldValues reads the answer of Prometheus to an instant query (Prometheus' HTTP API).
func parseOldValues(text []byte) (map[string]map[string]float64, error) {
	var answer struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Result []struct {
				Metric map[string]string  `json:"metric"`
				Value  [2]json.RawMessage `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("the answer is no JSON of Prometheus: %w", err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("it answers %q: %.200s", answer.Status, answer.Error)
	}
	pods := map[string]map[string]float64{}
	for _, r := range answer.Data.Result {
		var number string
		if err := json.Unmarshal(r.Value[1], &number); err != nil {
			return nil, fmt.Errorf("a value of the answer is no text: %w", err)
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("a value of the answer is %q, must be a number", number)
		}
		s := sample{name: r.Metric["__name__"], labels: r.Metric}
		pod := r.Metric["pod"]
		for _, added := range []string{"__name__", "job", "instance", "pod", "namespace"} {
			delete(s.labels, added)
		}
		if pods[pod] == nil {
			pods[pod] = map[string]float64{}
		}
		pods[pod][s.key()] = value
	}
	return pods, nil
}
