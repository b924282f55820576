package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/auth/issuer"
	"github.com/progressive-framework/platform/agents/internal/testservers"
	"github.com/progressive-framework/platform/agents/migrate/postgres"
)

// world is every process that a measurement needs.
type world struct {
	dir                 string
	token               string
	echo, web, mca, npa string // base URLs
	webPID              int
	closers             []func() error
	environ             []string
}

const (
	user     = "test-user-123"
	iss, aud = "bench", "progressive-framework"
)

func newWorld(ctx context.Context) (_ *world, err error) {
	w := &world{}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "agents-bench-"); err != nil {
		return nil, err
	}
	w.closers = append(w.closers, func() error { return os.RemoveAll(w.dir) })
	if err := w.backing(ctx); err != nil {
		return nil, err
	}
	const agents = "github.com/progressive-framework/platform/agents/"
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", w.dir+"/", agents+"web", agents+"mca", agents+"npa")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the services: %w\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if w.echo, _, err = w.launch(ctx, self, nil, "-serve=echo"); err != nil {
		return nil, err
	}
	stub, _, err := w.launch(ctx, self, nil, "-serve=stub")
	if err != nil {
		return nil, err
	}
	if w.npa, _, err = w.launch(ctx, filepath.Join(w.dir, "npa"), nil); err != nil {
		return nil, err
	}
	if w.mca, _, err = w.launch(ctx, filepath.Join(w.dir, "mca"), []string{"NPA_URL=" + stub, "WPA_URL=" + stub}); err != nil {
		return nil, err
	}
	w.web, w.webPID, err = w.launch(ctx, filepath.Join(w.dir, "web"), []string{
		"MCA_URL=" + w.mca, "USER_RATE=1000000", "USER_BURST=1000000", "WS_CONNECTIONS_PER_USER=10000",
	})
	return w, err
}

// backing starts PostgreSQL and Redis, and makes the schema and an issuer.
func (w *world) backing(ctx context.Context) error {
	database, err := testservers.StartPostgres(ctx, nil)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, database.Close)
	redis, err := testservers.StartRedis(ctx, 0)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, redis.Close)
	url := database.URL("postgres")
	conn, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	policy := postgres.Partitions{Ahead: 1, Keep: 1, Now: time.Now()}
	if err := postgres.Up(ctx, conn, policy, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if err := issuer.Init(w.dir); err != nil {
		return err
	}
	key, err := issuer.Load(filepath.Join(w.dir, issuer.KeyFile))
	if err != nil {
		return err
	}
	now := time.Now()
	w.token, err = key.Token(issuer.Claims{
		Issuer: iss, Audience: aud, Subject: user, NotBefore: now, Expiry: now.Add(time.Hour),
		Scopes: []string{auth.ScopeUsersRead, auth.ScopeUsersWrite, auth.ScopeAgentsRead, auth.ScopeAgentsRun},
	})
	w.environ = []string{
		"GOMAXPROCS=1", "LISTEN_ADDRESS=127.0.0.1:0", "CLIENT_RATE=0", "CLIENT_BURST=0", "JWT_ISSUER=" + iss, "JWT_AUDIENCE=" + aud,
		"JWT_JWKS_FILE=" + filepath.Join(w.dir, issuer.JWKSFile), "DATABASE_URL=" + url, "REDIS_ADDRESSES=" + strings.Join(redis.Addresses(), ","),
	}
	return err
}

// launch starts a server, which ends with the world, and returns its base URL.
func (w *world) launch(ctx context.Context, program string, environ []string, args ...string) (url string, pid int, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(environ, w.environ...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, err
	}
	if err := cmd.Start(); err != nil {
		return "", 0, err
	}
	w.closers = append(w.closers, func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		return err
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var record struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &record) == nil && record.Msg == "listening" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://" + record.Address, cmd.Process.Pid, nil
		}
	}
	return "", 0, fmt.Errorf("%s %v ended without listening", program, args)
}

func (w *world) close() {
	for i := len(w.closers) - 1; i >= 0; i-- {
		if err := w.closers[i](); err != nil && !errors.Is(err, os.ErrProcessDone) {
			fmt.Fprintln(os.Stderr, "close:", err)
		}
	}
}

// endpoints are what is measured, the echo first.
func (w *world) endpoints() []endpoint {
	same := func(body string) func(int) string { return func(int) string { return body } }
	const coordinate = "/api/v1/agents/mca/coordinate"
	return []endpoint{
		{"bare net/http JSON echo", http.MethodPost, w.echo, w.token, same(`{"theme":"dark","notifications":true}`)},
		{"web GET profile, cached in Redis", http.MethodGet, w.web + "/api/v1/users/profile", w.token, same("")},
		{"web POST preferences", http.MethodPost, w.web + "/api/v1/users/preferences", w.token, same(`{"theme":"dark","notifications":true}`)},
		{"mca POST coordinate, agents stubbed, never cached", http.MethodPost, w.mca + coordinate, w.token, func(n int) string {
			return fmt.Sprintf(`{"task":"coordinate_agents","agents":["npa","wpa"],"priority":"normal","nutrition":{"weightKg":%d}}`, 1000+n)
		}},
		{"mca POST coordinate, cached", http.MethodPost, w.mca + coordinate, w.token,
			same(`{"task":"coordinate_agents","agents":["npa","wpa"],"priority":"normal"}`)},
		{"npa POST plan of 7 days, cached", http.MethodPost, w.npa + "/api/v1/agents/npa/plan", w.token,
			same(`{"userId":"` + user + `","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`)},
	}
}

// weighSockets opens so many WebSockets and returns by how many bytes the
// resident memory of web has grown.
func (w *world) weighSockets(ctx context.Context, count int) (int64, error) {
	before, err := resident(w.webPID)
	if err != nil {
		return 0, err
	}
	url := strings.Replace(w.web, "http", "ws", 1) + "/ws"
	header := http.Header{"Authorization": {"Bearer " + w.token}}
	for range count {
		conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header})
		if err != nil {
			return 0, fmt.Errorf("open a WebSocket: %w", err)
		}
		defer conn.CloseNow()
	}
	after, err := resident(w.webPID)
	return after - before, err
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
