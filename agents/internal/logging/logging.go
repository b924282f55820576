// Package logging is how every service logs: one JSON record a line, with what
// the context knows, such as the request's id. It owns the form; what is
// logged, and what a context knows, is the callers'.
package logging

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// New returns a logger of JSON lines that name the service.
func New(out io.Writer, service string, level slog.Leveler) *slog.Logger {
	return slog.New(handler{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})}).With("service", service)
}

// ReadLevel reads LOG_LEVEL: debug, info, warn or error.
func ReadLevel(env *envconfig.Reader) slog.Level {
	return map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[env.OneOf("LOG_LEVEL", "info", "debug", "info", "warn", "error")]
}

type attrsKey struct{}

// With returns a context whose records carry these attributes as well.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, attrsKey{}, append(slices.Clip(from(ctx)), attrs...))
}

// Find returns what the context's records say under a key; its String is empty
// where they say nothing.
func Find(ctx context.Context, key string) slog.Value {
	for _, attr := range from(ctx) {
		if attr.Key == key {
			return attr.Value
		}
	}
	return slog.StringValue("")
}

func from(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return attrs
}

// handler adds the attributes of the record's context. Every record is one
// write: a process that is killed loses none.
type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, record slog.Record) error {
	record.AddAttrs(from(ctx)...)
	return h.Handler.Handle(ctx, record)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name)}
}
