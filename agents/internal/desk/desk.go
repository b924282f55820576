// Package desk is what npa and wpa have in common around their work: they look
// at who asks, answer the same wish from a cache, keep what a user was given,
// and count. It owns none of the work.
package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/backing"
	"github.com/progressive-framework/platform/agents/internal/besteffort"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/reply"
	"github.com/progressive-framework/platform/agents/internal/store"
	"github.com/progressive-framework/platform/agents/internal/telemetry"
)

// Work makes an answer, a struct whose JSON begins with an empty userId: it
// must be the same for everyone who has the same wish.
type Work func(context.Context) (any, error)

// Desk gives a user the answer to a wish.
type Desk interface {
	// Routes adds the desk's own routes to an agent's.
	Routes(handle func(pattern string, handler http.Handler))
	// Guard lets those through who may have the agent work.
	Guard(next http.HandlerFunc) http.Handler
	// Answer answers with what work makes of the wish, with the user's id in
	// it. An error of work's is left to the caller to answer.
	Answer(w http.ResponseWriter, r *http.Request, wish Wish, work Work) error
}

// Wish is what a user wants.
type Wish struct {
	userID string
	key    wishKey
	id     uuid.UUID // of the row in which its answer is kept for them
	head   []byte    // how its answer begins for them
}

// wishKey is the same for the same wish of anyone.
type wishKey string

// NewWish returns the user's wish: what encodes as the same JSON is the same
// for everyone, so the user must not be in it.
func NewWish(userID string, wish any) Wish {
	text, _ := json.Marshal(wish) // a decoded request always encodes
	sum := sha256.Sum256(text)
	key := hex.EncodeToString(sum[:16])
	return Wish{userID, wishKey(key), uuid.NewSHA1(uuid.NameSpaceOID, []byte(key+userID)), forUser(userID)}
}

// anyone is how an answer begins that is nobody's yet.
const anyone = `{"userId":""`

// encode makes the part of an answer's line that is the same for everyone.
func encode(answer any) ([]byte, error) {
	line, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	rest, ok := strings.CutPrefix(string(line), anyone)
	if !ok {
		return nil, fmt.Errorf("an answer of %T begins with %.20q, must begin with %s", answer, line, anyone)
	}
	return []byte(rest + "\n"), nil
}

// forUser is how the answer's line begins for one user.
func forUser(userID string) []byte {
	quoted, _ := json.Marshal(userID) // a string always encodes
	return append([]byte(`{"userId":`), quoted...)
}

// Plain is a Desk that looks at nobody and keeps nothing, for tests of the work
// alone.
type Plain struct{}

// Routes is Desk's.
func (Plain) Routes(func(string, http.Handler)) {}

// Guard is Desk's.
func (Plain) Guard(next http.HandlerFunc) http.Handler { return next }

// Answer is Desk's.
func (Plain) Answer(w http.ResponseWriter, r *http.Request, wish Wish, work Work) error {
	answer, err := work(r.Context())
	if err != nil {
		return err
	}
	rest, err := encode(answer)
	if err != nil {
		return err
	}
	reply.Line(w, http.StatusOK, wish.head, rest)
	return nil
}

// Config is what differs between the desks.
type Config struct {
	Strategy cache.Strategy
	Prefix   string // of the keys in Redis
	Bytes    uint64 // of the local tier
	Kind     store.PlanKind
	Count    *prometheus.CounterVec // of work that was done, by outcome
}

// Front is the Desk of a running agent.
type Front struct {
	cfg     Config
	backing *backing.Services
	answers *cache.Space[wishKey, []byte]
	kept    *otter.Cache[uuid.UUID, struct{}]
	keeper  *besteffort.Worker[plan]
	// compress wraps a handler of large answers.
	compress func(http.Handler) http.HandlerFunc
}

// plan is what one user was given.
type plan struct {
	id     uuid.UUID
	userID string
	line   []byte
}

// remembered is how many kept plans are known not to need keeping again.
const remembered = 10_000

// New opens the desk of an agent.
func New(ctx context.Context, b *backing.Services, cfg Config, log *slog.Logger) (*Front, error) {
	answers, err := cache.NewSpace[wishKey, []byte](b.Cache, cfg.Strategy, cfg.Prefix, cfg.Bytes)
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("compression of answers: %w", err)
	}
	f := &Front{
		compress: compress, cfg: cfg, backing: b, answers: answers,
		kept: otter.Must(&otter.Options[uuid.UUID, struct{}]{
			MaximumSize: remembered, ExpiryCalculator: otter.ExpiryWriting[uuid.UUID, struct{}](time.Hour),
		}),
	}
	f.keeper = besteffort.New(ctx, "keeping plans", f.save, log)
	return f, nil
}

// Routes is Desk's.
func (f *Front) Routes(handle func(pattern string, handler http.Handler)) {
	handle("GET /metrics", f.backing.MetricsHandler())
}

// compressFrom is from how many bytes on an answer is compressed. Less arrives
// in TCP's first window of ten segments (RFC 6928, 14,600 bytes), so compression
// saves no round trip; it would cost twice what the rest of a cached answer does.
const compressFrom = 14_600

// Guard is Desk's: it asks for a token with the scope agents:run. A route that
// lacks it answers nobody, see Answer.
func (f *Front) Guard(next http.HandlerFunc) http.Handler {
	return f.backing.Tokens.Require(auth.ScopeAgentsRun, f.compress(next))
}

// Answer is Desk's. A user who is not the token's subject is refused.
func (f *Front) Answer(w http.ResponseWriter, r *http.Request, wish Wish, work Work) error {
	if principal, ok := auth.PrincipalOf(r.Context()); !ok || principal.Subject != wish.userID {
		reply.Error(w, http.StatusForbidden, reply.CodeForbidden, "userId is not the token's subject")
		return nil
	}
	rest, err := f.answers.Load(r.Context(), wish.key, func(ctx context.Context) ([]byte, error) {
		answer, err := work(ctx)
		if err != nil {
			f.cfg.Count.WithLabelValues(telemetry.OutcomeFailed).Inc()
			return nil, err
		}
		f.cfg.Count.WithLabelValues(telemetry.OutcomeOK).Inc()
		return encode(answer)
	})
	if err != nil {
		return err
	}
	f.keep(wish, rest)
	reply.Line(w, http.StatusOK, wish.head, rest)
	return nil
}

// keep stores what a user was given, one row for each wish of theirs.
func (f *Front) keep(wish Wish, rest []byte) {
	if _, isNew := f.kept.SetIfAbsent(wish.id, struct{}{}); !isNew {
		return
	}
	if !f.keeper.Do(plan{wish.id, wish.userID, slices.Concat(wish.head, rest)}) {
		f.kept.Invalidate(wish.id) // the next answer tries again
	}
}

// save stores plans. One that fails is tried again when it is next given.
func (f *Front) save(ctx context.Context, plans []plan) error {
	var errs []error
	for _, p := range plans {
		err := f.backing.Store.SavePlan(ctx, f.cfg.Kind, p.id, p.userID, p.line)
		if err != nil {
			f.kept.Invalidate(p.id)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Close keeps what waits to be kept.
func (f *Front) Close(ctx context.Context) error {
	f.keeper.Close(ctx)
	return f.backing.Close(ctx)
}
