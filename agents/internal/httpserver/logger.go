package httpserver

import (
	"context"
	"io"
	"log/slog"
	"slices"
)

// NewLogger returns a logger of JSON lines that name the service. Each record
// carries the attributes of its context, see WithLogAttrs.
func NewLogger(out io.Writer, service string, level slog.Leveler) *slog.Logger {
	return slog.New(contextHandler{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})}).With("service", service)
}

type logAttrsKey struct{}

// WithLogAttrs returns a context whose records carry these attributes as well.
func WithLogAttrs(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, logAttrsKey{}, append(slices.Clip(logAttrs(ctx)), attrs...))
}

func logAttrs(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(logAttrsKey{}).([]slog.Attr)
	return attrs
}

// contextHandler adds the attributes of the record's context. Every record is one
// write: a process that is killed loses none.
type contextHandler struct{ slog.Handler }

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
