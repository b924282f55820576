// Package livestatus answers over WebSocket how the agents are. It owns the
// connections, their bounds and the form of the messages; who may connect is
// auth's, and how the agents are is asked of the MCA.
//
// A connection answers one message at a time: while an answer waits to be
// written nothing more is read, so a client that does not read is held up by
// its own TCP window, costs no memory, and is closed when a write takes too
// long. There is no queue to bound.
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
	// protocol is the subprotocol of our messages. A client that offers any must
	// offer it: the other that our page offers is its token (auth.RequireSocket),
	// and is never answered.
	protocol = "progressive.v1"
	// maxMessage is the largest message of a client, in bytes; the seed's has 80.
	maxMessage = 4 << 10
	// perSecond and burst bound the messages of one connection; the seed's load
	// test sends one in five seconds, the page one in two.
	perSecond, burst = 10, 20
	// writeTimeout is how long a client may take to take an answer.
	writeTimeout = 5 * time.Second
	// closeTimeout bounds the goodbye to all connections together.
	closeTimeout = 2 * time.Second
)

// Config bounds the connections.
type Config struct {
	// PerUser and Total are how many may be open at once in this process.
	PerUser, Total int
	// PingEvery is how often a client must show that it is there.
	PingEvery time.Duration
	// IdleTimeout is how long a client may say nothing.
	IdleTimeout time.Duration
	// Origins are the hosts, beside the request's own, whose pages may connect.
	Origins []string
}

// Hub is the handler of all connections. It is safe for use by several
// goroutines.
type Hub struct {
	cfg    Config
	status func(context.Context) Status
	log    *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	users   map[string]int
	taken   int // all of users
	open    map[*websocket.Conn]struct{}
	closing bool
	all     sync.WaitGroup
}

// NewHub returns a Hub that answers with status.
func NewHub(cfg Config, status func(context.Context) Status, log *slog.Logger) *Hub {
	return &Hub{cfg: cfg, status: status, log: log, now: time.Now, users: map[string]int{}, open: map[*websocket.Conn]struct{}{}}
}

// Open is how many connections are open.
func (h *Hub) Open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open)
}

// enter takes a place of the user's.
func (h *Hub) enter(user string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closing:
		return errors.New("this process is about to end; connect again")
	case h.users[user] >= h.cfg.PerUser:
		return fmt.Errorf("this user has %d connections, as many as may be", h.cfg.PerUser)
	case h.taken >= h.cfg.Total:
		return fmt.Errorf("%d connections are open, as many as may be; try again", h.cfg.Total)
	}
	h.users[user]++
	h.taken++
	h.all.Add(1)
	return nil
}

func (h *Hub) leave(user string, conn *websocket.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, conn)
	h.taken--
	if h.users[user]--; h.users[user] == 0 {
		delete(h.users, user)
	}
	h.all.Done()
}

// ServeHTTP takes a connection of the request's principal.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	principal, _ := auth.PrincipalOf(r.Context())
	user := principal.Subject
	if err := h.enter(user); err != nil {
		w.Header().Set("Retry-After", "5")
		httpapi.Error(w, http.StatusTooManyRequests, httpapi.CodeTooManyRequests, err.Error())
		return
	}
	var conn *websocket.Conn
	defer func() { h.leave(user, conn) }()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: h.cfg.Origins, Subprotocols: []string{protocol}})
	if err != nil {
		return // Accept has answered: no upgrade, or a foreign origin
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
	_ = conn.Close(code, reason) // it may be gone already
}

// ping ends the connection of a client that is no longer there.
func (h *Hub) ping(ctx context.Context, end context.CancelFunc, conn *websocket.Conn) {
	tick := time.NewTicker(h.cfg.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pong, cancel := context.WithTimeout(ctx, min(h.cfg.PingEvery, writeTimeout))
		err := conn.Ping(pong)
		cancel()
		if err != nil {
			end()
			return
		}
	}
}

// serve answers messages until the connection is to end, and says why.
func (h *Hub) serve(ctx context.Context, conn *websocket.Conn) (websocket.StatusCode, string) {
	conn.SetReadLimit(maxMessage)
	messages := rate.NewLimiter(perSecond, burst)
	for {
		idle, cancel := context.WithTimeout(ctx, h.cfg.IdleTimeout)
		kind, text, err := conn.Read(idle)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return websocket.StatusPolicyViolation, "nothing was said for too long"
		case err != nil:
			return websocket.StatusNormalClosure, ""
		case kind != websocket.MessageText:
			return websocket.StatusUnsupportedData, "messages are JSON text"
		case !messages.Allow():
			return websocket.StatusPolicyViolation, "too many messages"
		}
		line, err := json.Marshal(h.answer(ctx, text))
		if err != nil {
			h.log.ErrorContext(ctx, "an answer over WebSocket can't be encoded", "error", err)
			return websocket.StatusInternalError, ""
		}
		write, cancel := context.WithTimeout(ctx, writeTimeout)
		err = conn.Write(write, websocket.MessageText, line)
		cancel()
		if err != nil {
			return websocket.StatusPolicyViolation, "answers are not read"
		}
	}
}

// Close takes no more connections, tells every client to go elsewhere, and
// waits until they have gone, for two seconds at most.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closing = true
	open := make([]*websocket.Conn, 0, len(h.open))
	for conn := range h.open {
		open = append(open, conn)
	}
	h.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for _, conn := range open {
			go conn.Close(websocket.StatusGoingAway, "this process is about to end; connect again")
		}
		h.all.Wait()
	}()
	select {
	case <-gone:
	case <-time.After(closeTimeout):
		for _, conn := range open {
			_ = conn.CloseNow()
		}
	}
}
