package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"

	"github.com/progressive-framework/platform/agents/internal/database"
)

// requestKey is a hash of a request without its user's id. Equal requests of
// different users have the same key.
type requestKey string

// newRequestKey returns the key of a request. The caller must have removed the user's id from
// the request.
func newRequestKey(request Request) requestKey {
	text, _ := json.Marshal(request) // a decoded request always encodes
	sum := sha256.Sum256(text)
	return requestKey(hex.EncodeToString(sum[:16]))
}

// encode encodes a plan as one line of JSON and compresses it. All responses with the plan
// share the result.
func encode(plan any) ([]byte, error) {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	if err := json.NewEncoder(w).Encode(plan); err != nil {
		return nil, fmt.Errorf("encode the plan: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress the plan: %w", err)
	}
	return compressed.Bytes(), nil
}

// maxPlan bounds a decompressed plan in bytes. A month of meals has 45 kB.
const maxPlan = 1 << 20

// decompress returns the line of JSON that encode has compressed.
func decompress(compressed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("decompress the plan: %w", err)
	}
	line, err := io.ReadAll(io.LimitReader(r, maxPlan+1))
	if err != nil {
		return nil, fmt.Errorf("decompress the plan: %w", err)
	}
	if len(line) > maxPlan {
		return nil, fmt.Errorf("plan has more than %d bytes", maxPlan)
	}
	return line, nil
}

// maxSaved is the maximum number of saved plans that a process remembers. The
// process does not save these plans again.
const maxSaved = 10_000

// savedPlans saves users' plans in PostgreSQL, one row for each request of a user.
// Responses do not wait for the database.
type savedPlans struct {
	store  *database.Store
	table  database.PlanKind
	saved  *otter.Cache[planKey, struct{}]
	writer *database.Writer[savedPlan]
}

// planKey identifies the plan of one user.
type planKey struct {
	request requestKey
	userID  string
}

// id returns the id of the plan's row. It is derived from the key, so that all processes
// write the same row.
func (k planKey) id() uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(string(k.request)+k.userID))
}

// savedPlan is a plan for the queue of the writer.
type savedPlan struct {
	planKey
	compressed []byte // by encode
}

// newSavedPlans starts the background writer. close ends it.
func newSavedPlans(ctx context.Context, s *database.Store, table database.PlanKind, log *slog.Logger) *savedPlans {
	p := &savedPlans{store: s, table: table, saved: otter.Must(&otter.Options[planKey, struct{}]{
		MaximumSize: maxSaved, ExpiryCalculator: otter.ExpiryWriting[planKey, struct{}](time.Hour),
	})}
	p.writer = database.NewWriter(ctx, "save plans", p.write, log)
	return p
}

// save queues the user's plan for writing, unless it is saved or queued already.
func (p *savedPlans) save(key planKey, compressed []byte) {
	if _, isNew := p.saved.SetIfAbsent(key, struct{}{}); !isNew {
		return
	}
	if !p.writer.Enqueue(savedPlan{key, compressed}) {
		p.saved.Invalidate(key) // the next request tries again
	}
}

// write stores plans in PostgreSQL. A plan that could not be stored is saved at
// its next request.
func (p *savedPlans) write(ctx context.Context, plans []savedPlan) error {
	var errs []error
	for _, plan := range plans {
		encoded, err := decompress(plan.compressed)
		if err == nil {
			err = p.store.SavePlan(ctx, p.table, plan.id(), plan.userID, encoded)
		}
		if err != nil {
			p.saved.Invalidate(plan.planKey)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// close writes the queued plans and ends the background writer, within a second.
func (p *savedPlans) close(ctx context.Context) { p.writer.Close(ctx) }
