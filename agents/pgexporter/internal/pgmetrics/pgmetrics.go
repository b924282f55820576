// Package pgmetrics turns the statistics of a PostgreSQL server into series for
// Prometheus. It owns the SQL queries and the names of the series. No query
// reads the rows of a service's table.
package pgmetrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// scrapeTimeout bounds the queries of one scrape together. Prometheus waits 14 s for a
	// scrape.
	scrapeTimeout = 5 * time.Second
	// maxScrapes is the largest number of concurrent scrapes.
	maxScrapes = 2
)

// Collector reads the server's statistics at each scrape. It stores no values.
type Collector struct {
	pool *pgxpool.Pool
	log  *slog.Logger
}

// New returns a Collector that reads through the pool. One connection is enough. The pool
// should keep this connection open, so that the Collector can also read a server that
// accepts no new connection.
func New(pool *pgxpool.Pool, log *slog.Logger) *Collector { return &Collector{pool, log} }

// Handler serves the series.
func (c *Collector) Handler() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes, Timeout: 2 * scrapeTimeout})
}

var (
	upDesc    = prometheus.NewDesc("pg_up", "1 if the server answers, else 0.", nil, nil)
	errorDesc = prometheus.NewDesc("pg_exporter_last_scrape_error", "1 if a statistic could not be read, else 0.", nil, nil)
)

// Describe implements prometheus.Collector. It sends nothing, because the series are only known
// at a scrape. A server that is down has only pg_up and pg_exporter_last_scrape_error.
func (*Collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. The server counts as down if a query that is
// not optional fails.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	up, scrapeError := 1.0, 0.0
	for _, q := range slices.Concat(serverQueries, workloadQueries) {
		metrics, err := c.read(ctx, q)
		if err != nil {
			c.log.Warn("the server's statistics could not be read", "series", q.series[0].name, "error", err)
			scrapeError = 1
			if q.optional {
				continue
			}
			up = 0
			break
		}
		for _, m := range metrics {
			out <- m
		}
	}
	out <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up)
	out <- prometheus.MustNewConstMetric(errorDesc, prometheus.GaugeValue, scrapeError)
}

// read returns the series of a query.
func (c *Collector) read(ctx context.Context, q query) ([]prometheus.Metric, error) {
	rows, err := c.pool.Query(ctx, q.sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var metrics []prometheus.Metric
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		labels := make([]string, len(q.labels))
		for i := range labels {
			labels[i] = fmt.Sprint(values[i])
			if q.labels[i] == q.redacted {
				labels[i] = redact(labels[i])
			}
		}
		for i, s := range q.series {
			value, ok := values[len(labels)+i].(float64)
			if !ok {
				return nil, fmt.Errorf("%s is %T, must be float8", s.name, values[len(labels)+i])
			}
			m, err := prometheus.NewConstMetric(prometheus.NewDesc(s.name, s.help, q.labels, nil), s.kind, value, labels...)
			if err != nil {
				return nil, err
			}
			metrics = append(metrics, m)
		}
	}
	return metrics, rows.Err()
}
