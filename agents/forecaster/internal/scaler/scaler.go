package scaler

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/progressive-framework/platform/agents/forecaster/internal/externalscaler"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// metricName is the name of the only metric of each service. Its target is 1: its value is pods.
const metricName = "forecast_pods"

// Scaler is KEDA's external scaler for all services.
type Scaler struct {
	externalscaler.UnimplementedExternalScalerServer

	learners map[string]*learner
	order    []string
	now      func() time.Time
	log      *slog.Logger
}

// New returns a scaler that reads from metrics.
func New(cfg Config, metrics ranger, log *slog.Logger) *Scaler {
	s := &Scaler{learners: map[string]*learner{}, now: time.Now, log: log}
	for _, service := range cfg.Services {
		s.order = append(s.order, service.Name)
		s.learners[service.Name] = &learner{service: service, metrics: metrics}
	}
	return s
}

// Run reads the loads every 15 s until ctx ends. Each service is read by itself, so that a slow
// query delays no other.
func (s *Scaler) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, l := range s.learners {
		group.Go(func() { s.follow(ctx, l) })
	}
	group.Wait()
}

func (s *Scaler) follow(ctx context.Context, l *learner) {
	failed := false
	for {
		err := l.catchUp(ctx, s.now())
		if ctx.Err() != nil {
			return
		}
		// One line when it begins, one when it ends: it is tried every 15 s.
		if (err != nil) != failed {
			failed = err != nil
			s.log.Warn("reads from Prometheus", "load", l.service.Name, "failed", failed, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.now().Truncate(step).Add(step + settle).Sub(s.now())):
		}
	}
}

// find returns the learner that a trigger names in its metadata.
func (s *Scaler) find(ref *externalscaler.ScaledObjectRef) (*learner, error) {
	name := ref.GetScalerMetadata()["service"]
	l, ok := s.learners[name]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "service %q: must be one of %v: set the trigger's metadata service", name, s.order)
	}
	return l, nil
}

// IsActive says that a service never scales to zero.
func (s *Scaler) IsActive(_ context.Context, ref *externalscaler.ScaledObjectRef) (*externalscaler.IsActiveResponse, error) {
	if _, err := s.find(ref); err != nil {
		return nil, err
	}
	return &externalscaler.IsActiveResponse{Result: true}, nil
}

// StreamIsActive says so once, until KEDA ends the stream.
func (s *Scaler) StreamIsActive(ref *externalscaler.ScaledObjectRef, stream externalscaler.ExternalScaler_StreamIsActiveServer) error {
	if _, err := s.find(ref); err != nil {
		return err
	}
	if err := stream.Send(&externalscaler.IsActiveResponse{Result: true}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

// GetMetricSpec returns the metric, whose target is one pod.
func (s *Scaler) GetMetricSpec(_ context.Context, ref *externalscaler.ScaledObjectRef) (*externalscaler.GetMetricSpecResponse, error) {
	if _, err := s.find(ref); err != nil {
		return nil, err
	}
	return &externalscaler.GetMetricSpecResponse{MetricSpecs: []*externalscaler.MetricSpec{
		{MetricName: metricName, TargetSize: 1, TargetSizeFloat: 1},
	}}, nil
}

// GetMetrics returns the pods. It fails while there are none to publish, so that the HPA uses its
// other metrics.
func (s *Scaler) GetMetrics(_ context.Context, request *externalscaler.GetMetricsRequest) (*externalscaler.GetMetricsResponse, error) {
	l, err := s.find(request.GetScaledObjectRef())
	if err != nil {
		return nil, err
	}
	a := l.publish(s.now())
	if a.Reason != "" {
		return nil, status.Errorf(codes.Unavailable, "service %s: %s", l.service.Name, a.Reason)
	}
	return &externalscaler.GetMetricsResponse{MetricValues: []*externalscaler.MetricValue{
		{MetricName: metricName, MetricValue: int64(a.Published + 1), MetricValueFloat: a.Published},
	}}, nil
}

// Handler serves the probes. The process is ready at once: without history it has an answer too.
func (s *Scaler) Handler(state *httpserver.State) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", state.Live)
	mux.HandleFunc("GET /health/ready", state.Ready)
	return httpserver.Routes(mux)
}
