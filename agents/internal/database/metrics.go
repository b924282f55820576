package database

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/progressive-framework/platform/agents/internal/telemetry"
)

// queryTracer measures the duration of each query, from its start to its last row. The
// wait for a free connection does not count. It is a pgx.QueryTracer.
type queryTracer struct{ duration prometheus.Histogram }

// newQueryTracer creates the histogram of query durations.
func newQueryTracer() *queryTracer {
	return &queryTracer{prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "database_query_duration_seconds", Help: "Time from the start of a query to its last row.", Buckets: telemetry.Buckets,
	})}
}

// queryStartKey is the key of a query's start in its context.
type queryStartKey struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (q *queryTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, queryStartKey{}, time.Now())
}

// TraceQueryEnd implements pgx.QueryTracer. It also measures failed queries, because
// the queries that time out are the slowest.
func (q *queryTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if start, ok := ctx.Value(queryStartKey{}).(time.Time); ok {
		q.duration.Observe(time.Since(start).Seconds())
	}
}

// These are the connections of the process' pool. The acquired connections divided
// by the maximum are the connection_pool_utilization of the design document.
var (
	acquiredDesc = prometheus.NewDesc("database_pool_acquired_connections", "Connections that queries use.", nil, nil)
	maxDesc      = prometheus.NewDesc("database_pool_max_connections", "Connections that the pool may open.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *Store) Describe(out chan<- *prometheus.Desc) {
	s.tracer.duration.Describe(out)
	out <- acquiredDesc
	out <- maxDesc
}

// Collect implements prometheus.Collector.
func (s *Store) Collect(out chan<- prometheus.Metric) {
	s.tracer.duration.Collect(out)
	stat := s.pool.Stat()
	out <- prometheus.MustNewConstMetric(acquiredDesc, prometheus.GaugeValue, float64(stat.AcquiredConns()))
	out <- prometheus.MustNewConstMetric(maxDesc, prometheus.GaugeValue, float64(stat.MaxConns()))
}
