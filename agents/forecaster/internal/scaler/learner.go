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
	// step is the time between two loads.
	step = forecast.StepSeconds * time.Second
	// historyLength is how far back the first read goes. A forecast gives older loads less than a
	// fifth of the weight of a new load.
	historyLength = 14 * 24 * time.Hour
	// maxQueryRange is the largest range of one query. Prometheus refuses more than 11,000 points.
	maxQueryRange = 10_000 * step
	// maxLoadAge is how old the last load may be. If it is older, the number of pods is not published.
	// KEDA uses the number for one more minute after its last scrape (components/scaling/promquery).
	// So KEDA stops using it two minutes after the last load.
	maxLoadAge = time.Minute
	// readDelay is the time from the end of a step until its load is read. It has two parts: 5 s
	// until the next scrape of Prometheus, and 1 s for the transfer.
	readDelay = 6 * time.Second
	// readTimeout bounds one query.
	readTimeout = 10 * time.Second
)

// rangeReader is the part of Prometheus' API that this package uses: a query over a time range.
type rangeReader interface {
	QueryRange(ctx context.Context, query string, r prometheus.Range, opts ...prometheus.Option) (model.Value, prometheus.Warnings, error)
}

// learner reads the loads of one service and gives them to the forecaster of this service.
type learner struct {
	service Service
	metrics rangeReader

	mutex      sync.Mutex
	forecaster *forecast.Forecaster // nil until the first load
	// readUntil is the end of the last step that was read.
	readUntil time.Time
	// lastLoad is the end of the last step that had a load.
	lastLoad time.Time
}

// catchUp reads the loads of all steps that ended since its last call. After an error, the next call
// continues with the first step that was not read. If the clock jumps back by more than maxLoadAge,
// or ahead by more than historyLength, catchUp forgets the loads and reads the whole history again.
func (l *learner) catchUp(ctx context.Context, now time.Time) error {
	lastEnded := now.Add(-readDelay).Truncate(step) // the end of the last step that can be read
	if unread := lastEnded.Sub(l.readUntil); unread > historyLength || unread < -maxLoadAge {
		l.reset(lastEnded.Add(-historyLength))
	}
	for l.readUntil.Before(lastEnded) {
		first := l.readUntil.Add(step)
		last := lastEnded
		if limit := first.Add(maxQueryRange); last.After(limit) {
			last = limit
		}
		loads, err := l.read(ctx, first, last)
		if err != nil {
			return fmt.Errorf("read the load of %s: %w", l.service.Name, err)
		}
		l.add(first, last, loads)
	}
	return nil
}

// reset forgets all loads. The next read begins with the step after start.
func (l *learner) reset(start time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.forecaster, l.readUntil, l.lastLoad = nil, start, time.Time{}
}

// read returns the loads of the steps from first to last. The key of a load is the Unix time at which
// its step ended. The unit of a load is pods: the value of the query divided by the capacity of one
// pod.
func (l *learner) read(ctx context.Context, first, last time.Time) (map[int64]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	value, _, err := l.metrics.QueryRange(ctx, l.service.Query, prometheus.Range{Start: first, End: last, Step: step})
	if err != nil {
		return nil, err
	}
	matrix, ok := value.(model.Matrix)
	if !ok || len(matrix) > 1 {
		return nil, fmt.Errorf("query %q has %d series of type %T: must be a matrix with at most one series", l.service.Query, len(matrix), value)
	}
	loads := map[int64]float64{}
	for _, series := range matrix {
		for _, point := range series.Values {
			loads[point.Timestamp.Unix()] = float64(point.Value) / l.service.Capacity
		}
	}
	return loads, nil
}

// add gives the loads of all steps from first to last to the forecaster. A step without a load is
// NaN. The history begins with the first load.
func (l *learner) add(first, last time.Time, loads map[int64]float64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for end := first; !end.After(last); end = end.Add(step) {
		load, ok := loads[end.Unix()]
		if ok {
			l.lastLoad = end
		} else {
			load = math.NaN()
		}
		if l.forecaster == nil && ok {
			l.forecaster = l.service.newForecaster(end.Add(-step))
		}
		if l.forecaster != nil {
			l.forecaster.Add(load)
		}
		l.readUntil = end
	}
}

// status contains the values of the metrics of one service.
type status struct {
	forecast.Status
	// Published is the number of pods that the service needs. It is only valid if AbsentReason is empty.
	Published float64
	// AbsentReason is why Published is not valid: "no history" or "stale". It is empty if
	// Published is valid.
	AbsentReason string
}

// status returns the current values of the metrics. Before the first load, only
// AbsentReason is set.
func (l *learner) status(now time.Time) status {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.forecaster == nil {
		return status{AbsentReason: "no history"}
	}
	current := status{Status: l.forecaster.Status(), Published: l.forecaster.Pods()}
	if age := now.Sub(l.lastLoad); age > maxLoadAge || age < -maxLoadAge {
		current.AbsentReason = "stale"
	}
	return current
}
