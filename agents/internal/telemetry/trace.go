package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// TraceConfig defines where traces are sent, and for how many requests.
type TraceConfig struct {
	// Endpoint is OTEL_EXPORTER_OTLP_ENDPOINT, the URL of an OTLP/HTTP
	// collector. Without it there are no traces, at no cost.
	Endpoint string
	// Percent is TRACE_PERCENT, 0 to 100: the percentage of requests that are traced.
	// If the caller sends a traceparent header, the caller decides instead.
	Percent int
}

// ReadTraceConfig reads the variables of TraceConfig.
func ReadTraceConfig(env *envconfig.Reader) TraceConfig {
	return TraceConfig{
		Endpoint: env.URL("OTEL_EXPORTER_OTLP_ENDPOINT", "", "http", "https"),
		Percent:  env.Int("TRACE_PERCENT", 10, 0, 100),
	}
}

// Tracing creates spans of requests. W3C traceparent headers link the spans of
// several services. The zero value creates no spans.
type Tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
}

// traceContext reads and writes the headers of https://www.w3.org/TR/trace-context/.
var traceContext = propagation.TraceContext{}

// NewTracing starts to send spans in batches. If the collector is unreachable,
// spans are lost, but no request fails.
func NewTracing(ctx context.Context, cfg TraceConfig, service string) (*Tracing, error) {
	if cfg.Endpoint == "" {
		return &Tracing{}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.Endpoint+"/v1/traces"))
	if err != nil {
		return nil, fmt.Errorf("create the exporter of traces to OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	return newTracing(sdktrace.WithBatcher(exporter), cfg, service), nil
}

// newTracing returns a Tracing. exporterOption defines where it sends its spans.
func newTracing(exporterOption sdktrace.TracerProviderOption, cfg TraceConfig, service string) *Tracing {
	provider := sdktrace.NewTracerProvider(exporterOption,
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(cfg.Percent)/100))))
	return &Tracing{provider.Tracer("github.com/progressive-framework/platform/agents"), provider}
}

// Close sends the remaining spans.
func (t *Tracing) Close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Middleware returns a middleware for httpserver.Config, or nil without tracing. The
// middleware creates a span for each request, as a child of the span of the caller.
// It adds the ids of the trace and of the span to the log records of the request.
func (t *Tracing) Middleware() func(http.Handler) http.Handler {
	if t.tracer == nil {
		return nil
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := traceContext.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			ctx, span := t.tracer.Start(ctx, methodLabel(r), trace.WithSpanKind(trace.SpanKindServer))
			defer span.End()
			spanContext := span.SpanContext()
			ctx = httpserver.WithLogAttrs(ctx, slog.String("trace_id", spanContext.TraceID().String()), slog.String("span_id", spanContext.SpanID().String()))
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// annotateSpan adds what is only known at the end of the request to the request's span:
// the name and the attributes. The names of the attributes are from OpenTelemetry's
// semantic conventions for HTTP.
func annotateSpan(r *http.Request, route string, status int) {
	span := trace.SpanFromContext(r.Context())
	if !span.IsRecording() {
		return
	}
	span.SetName(route)
	span.SetAttributes(
		attribute.String("http.request.method", methodLabel(r)), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status),
		attribute.String("request.id", httpserver.RequestID(r.Context())))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// Transport returns a RoundTripper for requests to another service. It sends the id of
// the current request in a header, and the trace if there is one.
func (t *Tracing) Transport(base http.RoundTripper) http.RoundTripper { return transport{t, base} }

// transport adds the headers for the request's id and its trace to outgoing requests.
type transport struct {
	tracing *Tracing
	base    http.RoundTripper
}

// RoundTrip sends the request with the request id and the trace in the request's
// context. With tracing, it creates a span for the request.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	var span trace.Span
	if t.tracing.tracer != nil {
		ctx, span = t.tracing.tracer.Start(ctx, r.Method+" "+r.URL.Host, trace.WithSpanKind(trace.SpanKindClient))
		defer span.End()
	}
	r = r.Clone(ctx) // a RoundTripper must not change its request
	if id := httpserver.RequestID(ctx); id != "" {
		r.Header.Set(httpapi.RequestIDHeader, id)
	}
	traceContext.Inject(ctx, propagation.HeaderCarrier(r.Header))
	response, err := t.base.RoundTrip(r)
	if span != nil {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		} else {
			span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
		}
	}
	return response, err
}
