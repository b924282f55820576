// Package httpserver is the process that every service is: its environment, its
// log, its health, and an HTTP server with limits of time and size that drains
// without a failed request when the process is asked to end. It owns the life of
// the process and what happens around a handler; routes and answers are the
// service's.
//
// A drain goes in this order: readiness falls, so that balancers look
// elsewhere; for DrainDelay requests are still served, and each answer asks
// its client to close the connection; then the listener closes and the
// requests under way have ShutdownTimeout to end.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server serves one handler on one listener, once.
type Server struct {
	cfg   Config
	state *State
	log   *slog.Logger
	http  *http.Server
	// after is time.After; the drain's tests end the delay by event, not by
	// clock.
	after func(time.Duration) <-chan time.Time
}

// New returns a Server of handler. The state is advanced to Serving when the
// listener stands, and to Draining when the end is asked for.
func New(cfg Config, handler http.Handler, state *State, log *slog.Logger) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	observe := cfg.Observe
	if observe == nil {
		observe = func(*http.Request, int, time.Duration) {}
	}
	// From the inside out. The body's limit stands outside the access log
	// because it must hold net/http's own writer to close the connection of a
	// client that keeps sending; the refusal of a declared length stands
	// inside, so that it is logged.
	handler = refuseOversize(cfg.MaxBodyBytes, handler)
	handler = newClients(cfg).limit(handler)
	handler = catchPanics(log, handler)
	handler = accessLog(log, cfg.QuietPaths, observe, handler)
	if cfg.Around != nil {
		handler = cfg.Around(handler)
	}
	handler = closeWhileDraining(state, handler)
	handler = requestIDs(handler)
	handler = limitBody(cfg.MaxBodyBytes, handler)
	return &Server{
		cfg: cfg, state: state, log: log, after: time.After,
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: cfg.ReadHeaderTimeout,
			ReadTimeout:       cfg.ReadTimeout,
			WriteTimeout:      cfg.WriteTimeout,
			IdleTimeout:       cfg.IdleTimeout,
			MaxHeaderBytes:    cfg.MaxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
	}, nil
}

// Run listens on the configured address and serves until ctx ends; see Serve.
func (s *Server) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.cfg.Address, err)
	}
	return s.Serve(ctx, listener)
}

// Serve serves on the listener, which it closes, until ctx ends; then it
// drains. It returns nil after a full drain, an error when the listener failed
// or requests were cut off at ShutdownTimeout. Requests do not end with ctx:
// theirs is cancelled only when they are cut off.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	requests, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	s.http.BaseContext = func(net.Listener) context.Context { return requests }

	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(listener) }()
	s.state.Advance(Serving)
	s.log.Info("listening", "address", listener.Addr().String())

	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}

	// Idle connections are deliberately left open here (as
	// SetKeepAlivesEnabled(false) would not): closing one may cross a request
	// on its way. Busy clients move on at their next answer.
	s.state.Advance(Draining)
	s.log.Info("draining", "delay", s.cfg.DrainDelay.String(), "timeout", s.cfg.ShutdownTimeout.String())
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s while draining: %w", listener.Addr(), err)
	case <-s.after(s.cfg.DrainDelay):
	}
	return s.shutdown(requests, cutOff)
}

func (s *Server) shutdown(requests context.Context, cutOff context.CancelFunc) error {
	limit, cancel := context.WithTimeout(requests, s.cfg.ShutdownTimeout)
	defer cancel()
	err := s.http.Shutdown(limit)
	if err == nil {
		s.log.Info("drained")
		return nil
	}
	cutOff()
	return errors.Join(
		fmt.Errorf("requests were still under way %s after the drain and were cut off: %w", s.cfg.ShutdownTimeout, err),
		s.http.Close())
}
