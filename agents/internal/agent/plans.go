package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"

	"github.com/progressive-framework/platform/agents/internal/database"
)

// requestKey is a hash of a request without its user's id. Equal requests of
// different users have the same key.
type requestKey string

// keyOf returns the key of a request. The user's id must have been removed from it.
func keyOf(request Request) requestKey {
	text, _ := json.Marshal(request) // a decoded request always encodes
	sum := sha256.Sum256(text)
	return requestKey(hex.EncodeToString(sum[:16]))
}

// emptyUser is the first field of an encoded plan. In a response, the user's id
// replaces the empty string.
const emptyUser = `{"userId":""`

// encodeShared encodes a plan without its first field, userId. The result is the
// part of the response that is equal for all users.
func encodeShared(plan any) ([]byte, error) {
	encoded, err := json.Marshal(plan)
	if err != nil {
		return nil, fmt.Errorf("encode the plan: %w", err)
	}
	rest, ok := strings.CutPrefix(string(encoded), emptyUser)
	if !ok {
		return nil, fmt.Errorf("plan of type %T begins with %.20q, must begin with %s", plan, encoded, emptyUser)
	}
	return []byte(rest + "\n"), nil
}

// userHead returns the beginning of a response: its first field with the user's id.
func userHead(userID string) []byte {
	quoted, _ := json.Marshal(userID) // a string always encodes
	return append([]byte(`{"userId":`), quoted...)
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

type planKey struct {
	request requestKey
	userID  string
}

// id is the row's id. It is derived from the key, so that all processes write
// the same row.
func (k planKey) id() uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(string(k.request)+k.userID))
}

type savedPlan struct {
	planKey
	encoded []byte
}

// newSavedPlans starts the background writer. close ends it.
func newSavedPlans(ctx context.Context, s *database.Store, table database.PlanKind, log *slog.Logger) *savedPlans {
	p := &savedPlans{store: s, table: table, saved: otter.Must(&otter.Options[planKey, struct{}]{
		MaximumSize: maxSaved, ExpiryCalculator: otter.ExpiryWriting[planKey, struct{}](time.Hour),
	})}
	p.writer = database.NewWriter(ctx, "save plans", p.write, log)
	return p
}

// save queues the user's plan for writing, unless it is saved already. head and
// rest are the two parts of the response.
func (p *savedPlans) save(key planKey, head, rest []byte) {
	if _, isNew := p.saved.SetIfAbsent(key, struct{}{}); !isNew {
		return
	}
	if !p.writer.Enqueue(savedPlan{key, slices.Concat(head, rest)}) {
		p.saved.Invalidate(key) // the next request tries again
	}
}

// write stores plans in PostgreSQL. A plan that could not be stored is saved at
// its next request.
func (p *savedPlans) write(ctx context.Context, plans []savedPlan) error {
	var errs []error
	for _, plan := range plans {
		err := p.store.SavePlan(ctx, p.table, plan.id(), plan.userID, plan.encoded)
		if err != nil {
			p.saved.Invalidate(plan.planKey)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// close writes the queued plans, for at most a second.
func (p *savedPlans) close(ctx context.Context) { p.writer.Close(ctx) }
