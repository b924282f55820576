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
	// counter means that the value only grows. Rules judge only the growth.
	counter bool
}

// seriesKey returns a text that identifies the series among all series of the pod.
func (s sample) seriesKey() string {
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

// parseMetrics parses metrics in Prometheus' text format. It keeps only the sum and the count of a
// histogram.
func parseMetrics(text []byte) (parsed samples, err error) {
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
				parsed = append(parsed, sample{name + suffix, labels, value, counter})
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
	return parsed, nil
}

// subtractOldValues subtracts the old value of each counter from the current value. old has the old
// values by seriesKey. A counter below the old value was reset, so the whole current value is growth.
func (list samples) subtractOldValues(old map[string]float64) {
	for i, s := range list {
		if oldValue, exists := old[s.seriesKey()]; exists && s.counter && oldValue <= s.value {
			list[i].value -= oldValue
		}
	}
}

// sum returns the sum of the series with this name that keep accepts. If keep is nil, it accepts all
// series.
func (list samples) sum(name string, keep func(labels map[string]string) bool) (total float64) {
	for _, s := range list {
		if s.name == name && (keep == nil || keep(s.labels)) {
			total += s.value
		}
	}
	return total
}

// sumBy returns the sum of the series with this name for each value of the label.
func (list samples) sumBy(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, s := range list {
		if s.name == name {
			sums[s.labels[label]] += s.value
		}
	}
	return sums
}

// value returns the value of the first series with this name, and whether there is one. Without one,
// the value is NaN.
func (list samples) value(name string) (float64, bool) {
	for _, s := range list {
		if s.name == name {
			return s.value, true
		}
	}
	return math.NaN(), false
}

// counterPattern is a regular expression of Prometheus for the names of the counters that rules read.
const counterPattern = "http_requests_total|http_request_duration_seconds_(sum|count)|agent_.+_(total|sum|count)|application_cache_.+_total|" +
	"redis_(keyspace_(hits|misses)|evicted_keys)_total|redis_slowlog_last_id|pg_stat_(statements|user_tables|database)_.+"

// resetStep is the interval between the samples that resetsQuery compares. A step of one scrape would
// need three times the CPU time of Prometheus.
const resetStep = 3 * scaling.ScrapeInterval

// resetLabel is the label in the result of resetsQuery that has the name of a series.
const resetLabel = "reset_series"

// oldValuesQuery returns the query for the values of the counters one window ago.
func oldValuesQuery(namespace string) string {
	return fmt.Sprintf("{__name__=~%q,namespace=%q} offset %s", counterPattern, namespace, model.Duration(window))
}

// resetsQuery returns the query for the counters that were reset within the window. The function
// resets removes the names of series, so label_replace copies each name into a label first.
func resetsQuery(namespace string) string {
	return fmt.Sprintf(`resets(label_replace({__name__=~%q,namespace=%q},%q,"$1","__name__","(.+)")[%s:%s]) > 0`,
		counterPattern, namespace, resetLabel, model.Duration(window), model.Duration(resetStep))
}

// readOldValues returns the values of each pod's counters one window ago, by pod and by seriesKey. It
// leaves out a counter that was reset since then: such a counter may have a higher value now. It does
// not notice a counter that was reset and passed its last value within one resetStep.
func readOldValues(ctx context.Context, prometheus kubeclient.Prometheus, namespace string) (map[string]map[string]float64, error) {
	old, err := prometheus.QueryVector(ctx, oldValuesQuery(namespace), time.Time{})
	if err != nil {
		return nil, err
	}
	reset, err := prometheus.QueryVector(ctx, resetsQuery(namespace), time.Time{})
	if err != nil {
		return nil, err
	}
	pods := map[string]map[string]float64{}
	for _, s := range old {
		pod, key := podAndSeriesKey(s.Metric)
		if pods[pod] == nil {
			pods[pod] = map[string]float64{}
		}
		pods[pod][key] = float64(s.Value)
	}
	for _, s := range reset {
		s.Metric[model.MetricNameLabel] = s.Metric[resetLabel]
		delete(s.Metric, resetLabel)
		pod, key := podAndSeriesKey(s.Metric)
		delete(pods[pod], key)
	}
	return pods, nil
}

// podAndSeriesKey returns the pod of a series in Prometheus, and the key of the series in that pod.
func podAndSeriesKey(metric model.Metric) (pod, key string) {
	s := sample{name: string(metric[model.MetricNameLabel]), labels: map[string]string{}}
	for name, value := range metric {
		switch name {
		case model.MetricNameLabel, "job", "instance", "pod", "namespace": // Prometheus adds them
		default:
			s.labels[string(name)] = string(value)
		}
	}
	return string(metric["pod"]), s.seriesKey()
}
