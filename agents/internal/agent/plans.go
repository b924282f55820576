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
	encoded, _ := json.Marshal(request) // cannot fail, because the request was decoded from JSON
	sum := sha256.Sum256(encoded)
	return requestKey(hex.EncodeToString(sum[:16]))
}

// compressPlan encodes a plan as one line of JSON and compresses it. All responses with the plan
// share the result.
func compressPlan(plan any) ([]byte, error) {
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

// maxPlanBytes bounds a decompressed plan. A month of meals has 45 kB.
const maxPlanBytes = 1 << 20

// decompressPlan returns the line of JSON that compressPlan has compressed.
func decompressPlan(compressed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("decompress the plan: %w", err)
	}
	line, err := io.ReadAll(io.LimitReader(r, maxPlanBytes+1))
	if err != nil {
		return nil, fmt.Errorf("decompress the plan: %w", err)
	}
	if len(line) > maxPlanBytes {
		return nil, fmt.Errorf("plan has more than %d bytes", maxPlanBytes)
	}
	return line, nil
}

// maxSavedKeys is the maximum number of saved plans that a process remembers by
// their keys. The process does not save these plans again.
const maxSavedKeys = 10_000

// savedPlans saves users' plans in PostgreSQL, one row for each request of a user.
// Responses do not wait for the database.
type savedPlans struct {
	store     *database.Store
	planKind  database.PlanKind
	savedKeys *otter.Cache[planKey, struct{}] // of the plans that are saved or queued
	writer    *database.Writer[savedPlan]
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
	compressed []byte // the result of compressPlan
}

// newSavedPlans starts the background writer. close ends it.
func newSavedPlans(ctx context.Context, s *database.Store, planKind database.PlanKind, log *slog.Logger) *savedPlans {
	p := &savedPlans{store: s, planKind: planKind, savedKeys: otter.Must(&otter.Options[planKey, struct{}]{
		MaximumSize: maxSavedKeys, ExpiryCalculator: otter.ExpiryWriting[planKey, struct{}](time.Hour),
	})}
	p.writer = database.NewWriter(ctx, "save plans", p.write, log)
	return p
}

// save queues the user's plan for writing, unless it is saved or queued already.
func (p *savedPlans) save(key planKey, compressed []byte) {
	if _, isNew := p.savedKeys.SetIfAbsent(key, struct{}{}); !isNew {
		return
	}
	if !p.writer.Enqueue(savedPlan{key, compressed}) {
		p.savedKeys.Invalidate(key) // the next request tries again
	}
}

// write stores plans in PostgreSQL. A plan that could not be stored is saved at
// its next request.
func (p *savedPlans) write(ctx context.Context, plans []savedPlan) error {
	var errs []error
	for _, plan := range plans {
		line, err := decompressPlan(plan.compressed)
		if err == nil {
			err = p.store.SavePlan(ctx, p.planKind, plan.id(), plan.userID, line)
		}
		if err != nil {
			p.savedKeys.Invalidate(plan.planKey)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// close writes the queued plans and ends the background writer, within a second.
func (p *savedPlans) close(ctx context.Context) { p.writer.Close(ctx) }
