package volumes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Run provisions volumes until ctx ends. It serves /healthz on the sandbox's port
// for volumes.
func Run(ctx context.Context, l *layout.Layout) error {
	root := filepath.Join(l.Dir, "volumes")
	if err := os.MkdirAll(root, 0o711); err != nil {
		return fmt.Errorf("volumes: %w", err)
	}
	client, err := newClient(l)
	if err != nil {
		return err
	}
	setupCtx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if err := ensureClass(setupCtx, client.StorageV1().StorageClasses(), newClass()); err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Ports.Volumes)))
	if err != nil {
		return fmt.Errorf("volumes: %w", err)
	}
	defer listener.Close()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// A sandbox has only one such process, so it needs no leader election.
	for _, name := range provisioners {
		go controller.NewProvisionController(ctx, client, name, provisioner{root}, controller.LeaderElection(false)).Run(ctx)
	}
	go runResizer(ctx, client)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	cancelClose := context.AfterFunc(ctx, func() { srv.Close() })
	defer cancelClose()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("volumes: %w", err)
	}
	return nil
}
