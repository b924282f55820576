package httpserver

import (
	"context"
	"io"
	"log/slog"
	"slices"
)

// NewLogger returns a JSON logger with the service's name. Each record has the
// attributes of its context (WithLogAttrs).
func NewLogger(out io.Writer, service string, level slog.Leveler) *slog.Logger {
	return slog.New(contextHandler{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})}).With("service", service)
}

// logAttrsKey is the context's key of the attributes.
type logAttrsKey struct{}

// WithLogAttrs returns a context that adds these attributes to its log records.
func WithLogAttrs(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, logAttrsKey{}, append(slices.Clip(logAttrs(ctx)), attrs...))
}

// logAttrs returns the attributes of the context.
func logAttrs(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(logAttrsKey{}).([]slog.Attr)
	return attrs
}

// contextHandler adds the attributes of the record's context. Each record is
// one write, so that a killed process loses no record.
type contextHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h contextHandler) Handle(ctx context.Context, record slog.Record) error {
	record.AddAttrs(logAttrs(ctx)...)
	return h.Handler.Handle(ctx, record)
}

func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}
