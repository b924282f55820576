// Package registry is the sandbox's OCI registry on loopback: what ECR is to
// the platform on AWS. It owns the blobs and manifests below
// home.RegistryDir and the password for pushes; it knows neither how an image
// is built nor which images there should be.
//
// The disk is the only state: every request reads and writes it, each write is
// one rename, and what is read is checked against its digest first. So a kill
// at any moment loses at most the push that was under way.
//
// Reads are open, because the kubelet pulls without credentials. Whatever
// writes needs Basic credentials, the user AWS (as with ECR) and the password
// of EnsurePassword. The API version check, GET /v2/, asks for them as well:
// clients learn from it alone whether to send any.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
)

// Timeouts of the server. A layer of 1 GB crosses loopback in seconds; ten
// minutes let a busy machine finish and still free a connection that hangs.
const (
	headerTimeout   = 10 * time.Second
	transferTimeout = 10 * time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 5 * time.Second
)

// Serve answers on 127.0.0.1 at the sandbox's registry port until ctx is done,
// then lets requests under way finish for five seconds. It returns an error
// when the folder or the port can't be had, and nil after a shutdown.
func Serve(ctx context.Context, h *home.Home) error {
	if h.Registry != "" {
		return fmt.Errorf("registry: this sandbox uses the registry %s and serves none of its own", h.Registry)
	}
	password, err := EnsurePassword(h)
	if err != nil {
		return err
	}
	s, err := openStore(h.RegistryDir())
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(h.Ports.Registry))
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("registry: %s is in use by another program; stop it or give the sandbox another registry port: %w", address, err)
	}
	if err != nil {
		return fmt.Errorf("registry: listen on %s: %w", address, err)
	}
	slog.Info("registry serves", "address", address, "dir", h.RegistryDir())
	return serve(ctx, ln, newHandler(s, password))
}

func serve(ctx context.Context, ln net.Listener, handler http.Handler) error {
	unused := &unusedConns{conns: map[net.Conn]struct{}{}}
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       transferTimeout,
		WriteTimeout:      transferTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ConnState:         unused.track,
		// Clients try TLS first on every ping; that is no news.
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("registry: %w", err)
	case <-ctx.Done():
	}
	unused.close()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		slog.Warn("registry cut off requests that did not end", "after", shutdownTimeout, "error", err)
		return srv.Close() // the store bears a push that is cut off
	}
	return nil
}

// unusedConns are the connections that no request has come on. Clients open
// some in advance, and http.Server.Shutdown would wait seconds for each.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (u *unusedConns) track(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state == http.StateNew {
		u.conns[c] = struct{}{}
	} else {
		delete(u.conns, c)
	}
}

func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close() // nothing was said on it
	}
}
