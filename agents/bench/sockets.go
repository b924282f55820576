package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/coder/websocket"

	"github.com/progressive-framework/platform/agents/internal/load/traffic"
)

// weighSockets opens so many WebSockets and prints by how much the resident
// memory of web has grown.
func (w *world) weighSockets(ctx context.Context, count int) error {
	before, err := resident(w.Web.PID)
	if err != nil {
		return err
	}
	header := http.Header{"Authorization": {"Bearer " + w.token}}
	for range count {
		conn, _, err := websocket.Dial(ctx, w.Web.URL+traffic.Socket.Path, &websocket.DialOptions{HTTPHeader: header})
		if err != nil {
			return fmt.Errorf("open a WebSocket: %w", err)
		}
		defer conn.CloseNow()
	}
	after, err := resident(w.Web.PID)
	if err != nil {
		return err
	}
	bytes := float64(after - before)
	fmt.Printf("memory of %d idle WebSockets: %.0f MiB, %.1f KiB each\n", count, bytes/(1<<20), bytes/float64(count)/(1<<10))
	return nil
}

// resident is a process' resident memory in bytes, as Linux tells it.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, err
	}
	return pages * int64(os.Getpagesize()), nil
}
