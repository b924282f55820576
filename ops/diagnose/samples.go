package diagnose

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

// window is the period over which counters are judged. An older fault was repaired, or its alert
// has fired.
const window = 10 * time.Minute

// sample is the value of one series of a pod.
type sample struct {
	name   string
	labels map[string]string
	value  float64
	// counter means that the value only grows. Only its growth is judged.
	counter bool
}

// key identifies the series among all series of the pod.
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

// samples are the series of one pod.
type samples []sample

// parse reads metrics in Prometheus' text format. Of a histogram it keeps the sum and the count.
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
				// redis_slowlog_last_id counts slow commands, but its type is gauge.
				add("", m.GetGauge().GetValue(), name == "redis_slowlog_last_id")
			case dto.MetricType_UNTYPED:
				add("", m.GetUntyped().GetValue(), false)
			}
		}
	}
	return list, nil
}

// growth replaces counters by their growth since the values of old, which are by key. A counter
// below its old value was reset, and has grown by its whole value.
func (list samples) growth(old map[string]float64) {
	for i, s := range list {
		if before, exists := old[s.key()]; exists && s.counter && before <= s.value {
			list[i].value -= before
		}
	}
}

// sum returns the sum of the series with a name for which keep returns true. A nil keep accepts all.
func (list samples) sum(name string, keep func(labels map[string]string) bool) (total float64) {
	for _, s := range list {
		if s.name == name && (keep == nil || keep(s.labels)) {
			total += s.value
		}
	}
	return total
}

// by returns, for each value of a label, the sum of the series with a name.
func (list samples) by(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, s := range list {
		if s.name == name {
			sums[s.labels[label]] += s.value
		}
	}
	return sums
}

// value returns the first series of a name, and reports whether there is one.
func (list samples) value(name string) (float64, bool) {
	for _, s := range list {
		if s.name == name {
			return s.value, true
		}
	}
	return math.NaN(), false
}

// oldSeries matches the counters that rules read. It is a regular expression of Prometheus.
const oldSeries = "http_requests_total|http_request_duration_seconds_(sum|count)|agent_.+_(total|sum|count)|application_cache_.+_total|" +
	"redis_(keyspace_(hits|misses)|evicted_keys)_total|redis_slowlog_last_id|pg_stat_(statements|user_tables|database)_.+"

// resetStep is the interval of the samples in which resets are searched. A step of one scrape would
// cost Prometheus three times the CPU time.
const resetStep = 3 * scaling.ScrapeInterval

// resetName is the label in the result of resetsQuery that has the name of a series.
const resetName = "reset_series"

// oldValuesQuery returns the query for the values of the counters one window ago.
func oldValuesQuery(namespace string) string {
	return fmt.Sprintf("{__name__=~%q,namespace=%q} offset %s", oldSeries, namespace, model.Duration(window))
}

// resetsQuery returns the query for the counters that were reset within the window. The function
// resets removes the names of series. label_replace copies the name into a label first.
func resetsQuery(namespace string) string {
	return fmt.Sprintf(`resets(label_replace({__name__=~%q,namespace=%q},%q,"$1","__name__","(.+)")[%s:%s]) > 0`,
		oldSeries, namespace, resetName, model.Duration(window), model.Duration(resetStep))
}

// oldValues returns the values of each pod's counters one window ago, by pod and by the key of the
// series. A counter that was reset since then has none, because its current value may be above its
// old one. A counter that was reset and passed its last value within one resetStep is not noticed.
func oldValues(ctx context.Context, prometheus kubeclient.Prometheus, namespace string) (map[string]map[string]float64, error) {
	old, err := prometheus.Vector(ctx, oldValuesQuery(namespace), time.Time{})
	if err != nil {
		return nil, err
	}
	reset, err := prometheus.Vector(ctx, resetsQuery(namespace), time.Time{})
	if err != nil {
		return nil, err
	}
	pods := map[string]map[string]float64{}
	for _, s := range old {
		pod, key := podSeries(s.Metric)
		if pods[pod] == nil {
			pods[pod] = map[string]float64{}
		}
		pods[pod][key] = float64(s.Value)
	}
	for _, s := range reset {
		s.Metric[model.MetricNameLabel] = s.Metric[resetName]
		delete(s.Metric, resetName)
		pod, key := podSeries(s.Metric)
		delete(pods[pod], key)
	}
	return pods, nil
}

// podSeries returns the pod of a series in Prometheus, and the key of the series in that pod.
func podSeries(metric model.Metric) (pod, key string) {
	s := sample{name: string(metric[model.MetricNameLabel]), labels: map[string]string{}}
	for name, value := range metric {
		switch name {
		case model.MetricNameLabel, "job", "instance", "pod", "namespace": // Prometheus adds them
		default:
			s.labels[string(name)] = string(value)
		}
	}
	return string(metric["pod"]), s.key()
}
