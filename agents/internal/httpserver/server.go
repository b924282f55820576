// Package httpserver has what every service's process needs: environment, log, health
// checks, and an HTTP server with limits. When the process is stopped, the server
// drains, and no request fails. This package owns the life of the process and the
// middleware. The service owns its routes and responses.
//
// A drain has three steps. First, readiness becomes 503, so that load balancers stop
// sending requests. Then the server serves requests for DrainDelay, and each response
// closes its connection. Last, the listener closes, and running requests have
// ShutdownTimeout to end.
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

// Server serves one handler on one listener. It cannot be started a second time.
type Server struct {
	cfg   Config
	state *State
	log   *slog.Logger
	http  *http.Server
	// after is time.After. In tests it returns a channel that the test controls.
	after func(time.Duration) <-chan time.Time
}

// New returns a Server of handler. The state advances to Serving when the
// server listens, and to Draining at the shutdown.
func New(cfg Config, handler http.Handler, state *State, log *slog.Logger) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	hook := cfg.RequestHook
	if hook == nil {
		hook = func(*http.Request, int, time.Duration) {}
	}
	// Each line wraps the handler of the line before. So the middleware in the last line is the
	// first that handles a request. limitBody must get net/http's own ResponseWriter. Only this writer can
	// close the connection of a client that keeps sending. So limitBody is outside the access
	// log. rejectOversize is inside the access log, so that its responses are logged.
	handler = rejectOversize(cfg.MaxBodyBytes, handler)
	handler = newClientLimits(cfg).limit(handler)
	handler = catchPanics(log, handler)
	handler = logRequests(log, cfg.QuietPaths, hook, handler)
	if cfg.Middleware != nil {
		handler = cfg.Middleware(handler)
	}
	handler = closeWhileDraining(state, handler)
	handler = assignRequestIDs(handler)
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

// Run listens on the configured address and calls Serve.
func (s *Server) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.cfg.Address, err)
	}
	stop, err := s.serveMetrics(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stop()
	return s.Serve(ctx, listener)
}

// Serve serves on the listener until ctx ends, then drains and closes the
// listener. It returns nil after a complete drain. It returns an error when the
// listener failed or requests were canceled at ShutdownTimeout. Requests have
// their own context, which ends only at ShutdownTimeout.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	requestsCtx, cancelRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRequests()
	s.http.BaseContext = func(net.Listener) context.Context { return requestsCtx }

	serveErr := make(chan error, 1)
	go func() { serveErr <- s.http.Serve(listener) }()
	s.state.Advance(Serving)
	s.log.Info("listening", "address", listener.Addr().String())

	select {
	case err := <-serveErr:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}

	// Idle connections stay open during the delay, because a client may just be sending
	// a request on one of them. SetKeepAlivesEnabled(false) would close them. Each
	// response of the drain has "Connection: close" instead.
	s.state.Advance(Draining)
	s.log.Info("draining", "delay", s.cfg.DrainDelay.String(), "timeout", s.cfg.ShutdownTimeout.String())
	select {
	case err := <-serveErr:
		return fmt.Errorf("serve on %s while draining: %w", listener.Addr(), err)
	case <-s.after(s.cfg.DrainDelay):
	}
	return s.shutdown(requestsCtx, cancelRequests)
}

// shutdown waits for running requests. At the shutdown timeout it cancels the requests that
// still run, and returns an error.
func (s *Server) shutdown(requestsCtx context.Context, cancelRequests context.CancelFunc) error {
	timeoutCtx, cancel := context.WithTimeout(requestsCtx, s.cfg.ShutdownTimeout)
	defer cancel()
	err := s.http.Shutdown(timeoutCtx)
	if err == nil {
		s.log.Info("drained")
		return nil
	}
	cancelRequests()
	return errors.Join(
		fmt.Errorf("shutdown timeout: requests still ran %s after the drain delay and were canceled: %w", s.cfg.ShutdownTimeout, err),
		s.http.Close())
}
