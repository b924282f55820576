// Package livestatus serves the agents' status over WebSocket. It owns the connections,
// their limits and the messages. Package auth authenticates the users. The agents' status
// comes from the MCA.
//
// A connection handles one message at a time, and reads no message while it writes a
// response. So no queue is needed. If a client sends messages but does not read the
// responses, TCP's flow control stops it. The connection is closed when a write times
// out.
package livestatus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

const (
	// protocol is the WebSocket subprotocol of the messages. If a client lists
	// subprotocols, this one must be in the list. The web page also sends its token as a
	// subprotocol (auth.RequireSocket). The server never sends the token back.
	protocol = "progressive.v1"
	// maxMessage is the largest client message in bytes. The message of the design
	// document's load test has 80 bytes.
	maxMessage = 4 << 10
	// messagesPerSecond and messageBurst limit the messages of one connection. The design document's
	// load test sends one message in five seconds, and the page sends one in two
	// seconds.
	messagesPerSecond, messageBurst = 10, 20
	// writeTimeout bounds the write of one response.
	writeTimeout = 5 * time.Second
	// closeTimeout bounds the closing handshakes of all connections together.
	closeTimeout = 2 * time.Second
)

// Config limits the connections.
type Config struct {
	// PerUser and Total limit the open connections of this process.
	PerUser, Total int
	// PingInterval is the time between two pings. A client that does not respond is
	// disconnected.
	PingInterval time.Duration
	// IdleTimeout is the longest time without a message of the client.
	IdleTimeout time.Duration
	// Origins are the hosts of the pages that may connect, in addition to the
	// request's own host.
	Origins []string
}

// Hub is the handler of all connections. It is safe for concurrent use.
type Hub struct {
	cfg        Config
	readStatus func(context.Context) Status // returns the agents' current status
	log        *slog.Logger
	now        func() time.Time

	mu          sync.Mutex
	countByUser map[string]int // the number of connections of each user
	total       int            // the number of connections of all users
	open        map[*websocket.Conn]struct{}
	closing     bool           // Close was called
	wg          sync.WaitGroup // waits for all counted connections
}

// NewHub returns a Hub. It calls readStatus for each request of a client.
func NewHub(cfg Config, readStatus func(context.Context) Status, log *slog.Logger) *Hub {
	return &Hub{cfg: cfg, readStatus: readStatus, log: log, now: time.Now, countByUser: map[string]int{}, open: map[*websocket.Conn]struct{}{}}
}

// OpenConnections returns the number of open connections.
func (h *Hub) OpenConnections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open)
}

// addConnection counts a connection of the user, or returns an error if a limit is
// reached.
func (h *Hub) addConnection(user string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closing:
		return errors.New("the process is shutting down; connect again")
	case h.countByUser[user] >= h.cfg.PerUser:
		return fmt.Errorf("connection limit of the user reached: at most %d", h.cfg.PerUser)
	case h.total >= h.cfg.Total:
		return fmt.Errorf("connection limit reached: at most %d; try again", h.cfg.Total)
	}
	h.countByUser[user]++
	h.total++
	h.wg.Add(1)
	return nil
}

// removeConnection removes a connection that addConnection has counted. conn is nil if the connection was
// not accepted.
func (h *Hub) removeConnection(user string, conn *websocket.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, conn)
	h.total--
	if h.countByUser[user]--; h.countByUser[user] == 0 {
		delete(h.countByUser, user)
	}
	h.wg.Done()
}

// ServeHTTP accepts a WebSocket of the request's principal and serves it.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	principal, _ := auth.PrincipalFromContext(r.Context())
	user := principal.Subject
	if err := h.addConnection(user); err != nil {
		w.Header().Set("Retry-After", "5")
		httpapi.SendError(w, http.StatusTooManyRequests, httpapi.CodeTooManyRequests, err.Error())
		return
	}
	var conn *websocket.Conn
	defer func() { h.removeConnection(user, conn) }()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: h.cfg.Origins, Subprotocols: []string{protocol}})
	if err != nil {
		return // Accept has sent the error: no upgrade, or another origin
	}
	defer conn.CloseNow()
	h.mu.Lock()
	h.open[conn] = struct{}{}
	closing := h.closing
	h.mu.Unlock()
	if closing {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go h.ping(ctx, cancel, conn)
	code, reason := h.serve(ctx, conn)
	_ = conn.Close(code, reason) // it may be closed already
}

// ping sends pings until ctx ends. It calls end if the client does not respond.
func (h *Hub) ping(ctx context.Context, end context.CancelFunc, conn *websocket.Conn) {
	tick := time.NewTicker(h.cfg.PingInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pingCtx, cancel := context.WithTimeout(ctx, min(h.cfg.PingInterval, writeTimeout))
		err := conn.Ping(pingCtx)
		cancel()
		if err != nil {
			end()
			return
		}
	}
}

// serve handles messages until the connection ends, and returns the close code
// and reason.
func (h *Hub) serve(ctx context.Context, conn *websocket.Conn) (code websocket.StatusCode, reason string) {
	conn.SetReadLimit(maxMessage)
	limiter := rate.NewLimiter(messagesPerSecond, messageBurst)
	for {
		readCtx, cancel := context.WithTimeout(ctx, h.cfg.IdleTimeout)
		kind, text, err := conn.Read(readCtx)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return websocket.StatusPolicyViolation, "idle timeout"
		case err != nil:
			return websocket.StatusNormalClosure, ""
		case kind != websocket.MessageText:
			return websocket.StatusUnsupportedData, "messages are JSON text"
		case !limiter.Allow():
			return websocket.StatusPolicyViolation, "too many messages"
		}
		encoded, err := json.Marshal(h.newResponse(ctx, text))
		if err != nil {
			h.log.ErrorContext(ctx, "encode a WebSocket response", "error", err)
			return websocket.StatusInternalError, ""
		}
		writeCtx, cancel := context.WithTimeout(ctx, writeTimeout)
		err = conn.Write(writeCtx, websocket.MessageText, encoded)
		cancel()
		if err != nil {
			return websocket.StatusPolicyViolation, "write timeout"
		}
	}
}

// Close rejects new connections, and closes every open one with the code "going away". It
// waits at most two seconds for the closing handshakes. After that, it closes the remaining
// connections and waits for no handshake.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closing = true
	open := make([]*websocket.Conn, 0, len(h.open))
	for conn := range h.open {
		open = append(open, conn)
	}
	h.mu.Unlock()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for _, conn := range open {
			go conn.Close(websocket.StatusGoingAway, "the process is shutting down; connect again")
		}
		h.wg.Wait()
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		for _, conn := range open {
			_ = conn.CloseNow()
		}
	}
}
