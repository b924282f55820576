// Package registry is the sandbox's OCI registry on loopback. It replaces ECR. The library
// olareg stores the images below layout.RegistryDir and implements the OCI distribution
// API 1.1. This package adds the parts of ECR that the library lacks: the password, the
// list of repositories, and errors with a fix. It does not build images.
//
// Reads need no credentials, because the kubelet pulls without them. Every write
// needs Basic credentials: the user AWS, as in ECR, and the password of
// EnsurePassword. The API version check, GET /v2/, also requires credentials,
// because clients find out by this request whether to send credentials.
//
// These properties of olareg 0.1.2 were checked:
//
//   - Restart: tags, digests, indexes and referrers are kept.
//   - kill -9 during pushes: acknowledged content is kept, and there is no
//     partial content. Unfinished uploads stay on disk, so Serve removes them.
//   - Wrong digests: the library refuses a blob or a manifest under another digest. It
//     also refuses a manifest if one of its blobs was not pushed.
//   - Damage: the library does not check the content that it reads. If the file of
//     a blob exists, it does not store the blob again, even if the file is damaged.
//     So handler checks each file against its digest and removes a damaged file.
//     The next push restores the file.
//   - Garbage collection: it never removes a tagged manifest. During a push it
//     could remove an old blob that the push relies on. So it runs only
//     when the registry starts, when it ends, and in a repository that was not used
//     for an hour. Untagged manifests are kept, because pods run images by digest.
//     Blobs younger than an hour are also kept.
//   - Concurrency: the race detector finds races in the use of a repository's
//     index, and concurrent referrers of one image overwrite each other. So
//     handler sends such requests one at a time.
//   - Power failure: writes are not synced to disk, so a power failure can damage
//     files. Damaged files are removed, see above.
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

	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Timeouts of the server. A layer of 1 GB takes seconds over loopback. Ten minutes are
// enough for a busy machine, and they end a connection that hangs.
const (
	headerTimeout   = 10 * time.Second
	transferTimeout = 10 * time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 5 * time.Second
)

// gracePeriod is how old a blob must be before garbage collection removes it. If a restart
// interrupts a push, the client can continue within that time.
const gracePeriod = time.Hour

// maxManifestSize is the largest size of a manifest in bytes. The OCI distribution
// specification requires a registry to accept manifests of this size.
const maxManifestSize = 4 << 20

// Serve serves the registry on the sandbox's registry port of 127.0.0.1 until ctx ends.
// Then running requests have five seconds to finish. Serve returns an error if the folder
// or the port can't be opened. After a shutdown it returns nil.
func Serve(ctx context.Context, l *layout.Layout) error {
	if l.Registry != "" {
		return fmt.Errorf("registry: this sandbox uses the registry %s and serves none of its own", l.Registry)
	}
	password, err := EnsurePassword(l)
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Ports.Registry))
	var listenConfig net.ListenConfig
	listener, err := listenConfig.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("registry: %s is in use by another program; stop it or give the sandbox another registry port: %w", address, err)
	}
	if err != nil {
		return fmt.Errorf("registry: listen on %s: %w", address, err)
	}
	// Only one process can listen on the port, so only one process opens the folder.
	files, err := openFolder(l.RegistryDir())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	collectGarbage(ctx, files)
	library := openLibrary(files.dir)
	slog.Info("registry serves", "address", address, "dir", files.dir)
	err = serve(ctx, listener, newHandler(library, files, password))
	closeLibrary(library)
	return err
}

// openLibrary returns the library's server for the images in dir.
func openLibrary(dir string) *olareg.Server {
	yes, no := true, false
	return olareg.New(config.Config{
		Storage: config.ConfigStorage{
			StoreType: config.StoreDir,
			RootDir:   dir,
			GC: config.ConfigGC{
				Frequency:   -1, // no collection at intervals, because clients may push at that time
				GracePeriod: gracePeriod,
				// With a limit the library closes the oldest upload, possibly during a
				// write, and that can deadlock.
				RepoUploadMax:     -1,
				Untagged:          &no,
				EmptyRepo:         &no, // the removal would damage a repository in a subfolder of the empty one
				ReferrersWithSubj: &yes,
			},
		},
		API: config.ConfigAPI{
			DeleteEnabled: &yes,
			Manifest:      config.ConfigAPIManifest{Limit: maxManifestSize},
		},
		Log: slog.Default(),
	})
}

// closeLibrary closes the library. The library then collects garbage in the
// repositories that were used.
func closeLibrary(library *olareg.Server) {
	if err := library.Close(); err != nil {
		slog.Warn("registry could not collect garbage; the next start tries again", "error", err)
	}
}

// collectGarbage removes the blobs of deleted images and unfinished pushes. The library
// collects garbage when it is closed, but only in repositories that were used. So
// collectGarbage reads from each repository and then closes the library.
func collectGarbage(ctx context.Context, files *folder) {
	library := openLibrary(files.dir)
	defer closeLibrary(library)
	for _, repository := range files.listRepositories() {
		callLibrary(ctx, library, http.MethodGet, "/v2/"+repository+"/tags/list")
	}
}

// serve serves HTTP on a listener until ctx ends, and then shuts the server down. Running
// requests have five seconds to finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	unused := &unusedConns{conns: map[net.Conn]struct{}{}}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       transferTimeout,
		WriteTimeout:      transferTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ConnState:         unused.track,
		// Clients try TLS before plain HTTP, so errors about TLS are normal.
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	serveErr := make(chan error, 1)
	go func() { serveErr <- server.Serve(listener) }()
	select {
	case err := <-serveErr:
		return fmt.Errorf("registry: %w", err)
	case <-ctx.Done():
	}
	unused.close()
	shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(shutdownCtx); err != nil {
		slog.Warn("registry cut off requests that did not end", "after", shutdownTimeout, "error", err)
		return server.Close() // a push that is cut off leaves no manifest
	}
	return nil
}

// unusedConns are the connections on which no client has sent a request yet. Clients open
// some connections in advance. http.Server.Shutdown would wait five seconds for them.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// track is the ConnState callback of the server. It adds new connections and
// removes those that are used or closed.
func (u *unusedConns) track(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state == http.StateNew {
		u.conns[c] = struct{}{}
	} else {
		delete(u.conns, c)
	}
}

// close closes all unused connections.
func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close() // no request is lost
	}
}
