package scaler

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/progressive-framework/platform/forecast"
)

const (
	step = forecast.StepSeconds * time.Second
	// history is how far back the first read goes. Older loads have faded to a fifth.
	history = 14 * 24 * time.Hour
	// chunk bounds one range query. Prometheus refuses more than 11,000 points.
	chunk = 10_000 * step
	// fresh is how old the last load may be. KEDA takes a number for a minute after the last scrape
	// that had it (components/scaling/promquery), so that the last of an old load is used two
	// minutes after it.
	fresh = time.Minute
	// settle is how long after its end a load is read: one scrape, and its transfer.
	settle = 6 * time.Second
	// readTimeout bounds one query.
	readTimeout = 10 * time.Second
)

// ranger reads a range of a metric. It is the part of Prometheus' API that is used.
type ranger interface {
	QueryRange(ctx context.Context, query string, r prometheus.Range, opts ...prometheus.Option) (model.Value, prometheus.Warnings, error)
}

// learner has the forecaster of one service.
type learner struct {
	service Service
	metrics ranger

	mutex      sync.Mutex
	forecaster *forecast.Forecaster // nil before the first load
	// end is the end of the last step that was read.
	end time.Time
	// seen is the end of the last step that had a load.
	seen time.Time
}

// catchUp reads the steps since the last one. It can be called again after an error: what was read
// is kept. A clock that jumps far makes the history be read anew.
func (l *learner) catchUp(ctx context.Context, now time.Time) error {
	last := now.Add(-settle).Truncate(step)
	if ahead := last.Sub(l.end); ahead > history || ahead < -fresh {
		l.reset(last.Add(-history))
	}
	for l.end.Before(last) {
		first := l.end.Add(step)
		until := last
		if limit := first.Add(chunk); until.After(limit) {
			until = limit
		}
		loads, err := l.read(ctx, first, until)
		if err != nil {
			return fmt.Errorf("load of %s: %w", l.service.Name, err)
		}
		l.add(first, until, loads)
	}
	return nil
}

func (l *learner) reset(end time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.forecaster, l.end, l.seen = nil, end, time.Time{}
}

// read returns the loads of a range by their Unix time, in pods.
func (l *learner) read(ctx context.Context, first, last time.Time) (map[int64]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	value, _, err := l.metrics.QueryRange(ctx, l.service.Query, prometheus.Range{Start: first, End: last, Step: step})
	if err != nil {
		return nil, err
	}
	matrix, ok := value.(model.Matrix)
	if !ok || len(matrix) > 1 {
		return nil, fmt.Errorf("query %q has %d series of type %T: must have one", l.service.Query, len(matrix), value)
	}
	loads := map[int64]float64{}
	for _, series := range matrix {
		for _, point := range series.Values {
			loads[point.Timestamp.Unix()] = float64(point.Value) / l.service.Capacity
		}
	}
	return loads, nil
}

// add gives the steps to the forecaster. Before the first load there is no history.
func (l *learner) add(first, last time.Time, loads map[int64]float64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for end := first; !end.After(last); end = end.Add(step) {
		load, ok := loads[end.Unix()]
		if ok {
			l.seen = end
		} else {
			load = math.NaN()
		}
		if l.forecaster == nil && ok {
			l.forecaster = l.service.forecaster(end.Add(-step))
		}
		if l.forecaster != nil {
			l.forecaster.Add(load)
		}
		l.end = end
	}
}

// answer is what is published about a service.
type answer struct {
	forecast.Status
	// Published is the number of pods. It is only valid if Reason is empty.
	Published float64
	// Reason says why nothing is published.
	Reason string
}

// answer returns what is published now.
func (l *learner) answer(now time.Time) answer {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.forecaster == nil {
		return answer{Reason: "no history"}
	}
	a := answer{Status: l.forecaster.Status(), Published: l.forecaster.Pods()}
	if age := now.Sub(l.seen); age > fresh || age < -fresh {
		a.Reason = "stale"
	}
	return a
}
