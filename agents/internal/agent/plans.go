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

// requestKey is the same for equal requests of all users.
type requestKey string

// keyOf is the key of a request without a user's id.
func keyOf(request Request) requestKey {
	text, _ := json.Marshal(request) // a decoded request always encodes
	sum := sha256.Sum256(text)
	return requestKey(hex.EncodeToString(sum[:16]))
}

// noUser is the beginning of an answer that has no user's id yet.
const noUser = `{"userId":""`

// sharedAnswer encodes an answer without its beginning, which differs by user.
func sharedAnswer(answer any) ([]byte, error) {
	line, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	rest, ok := strings.CutPrefix(string(line), noUser)
	if !ok {
		return nil, fmt.Errorf("an answer of %T begins with %.20q, must begin with %s", answer, line, noUser)
	}
	return []byte(rest + "\n"), nil
}

// answerHead is the beginning of an answer for one user.
func answerHead(userID string) []byte {
	quoted, _ := json.Marshal(userID) // a string always encodes
	return append([]byte(`{"userId":`), quoted...)
}

// maxSaved is how many saved plans are remembered, so that they are not saved
// again at each answer.
const maxSaved = 10_000

// savedPlans saves the plans that users received in PostgreSQL, one row for each
// request of a user. No answer waits for it.
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

// id is the id of the row, so that all processes write the same row.
func (k planKey) id() uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(string(k.request)+k.userID))
}

type savedPlan struct {
	planKey
	line []byte
}

func newSavedPlans(ctx context.Context, s *database.Store, table database.PlanKind, log *slog.Logger) *savedPlans {
	p := &savedPlans{store: s, table: table, saved: otter.Must(&otter.Options[planKey, struct{}]{
		MaximumSize: maxSaved, ExpiryCalculator: otter.ExpiryWriting[planKey, struct{}](time.Hour),
	})}
	p.writer = database.NewWriter(ctx, "saving plans", p.write, log)
	return p
}

// save has the user's answer written soon, unless it is saved already.
func (p *savedPlans) save(key planKey, head, rest []byte) {
	if _, isNew := p.saved.SetIfAbsent(key, struct{}{}); !isNew {
		return
	}
	if !p.writer.Do(savedPlan{key, slices.Concat(head, rest)}) {
		p.saved.Invalidate(key) // the next answer tries again
	}
}

// write stores plans. A plan that fails is tried again at its next answer.
func (p *savedPlans) write(ctx context.Context, plans []savedPlan) error {
	var errs []error
	for _, plan := range plans {
		err := p.store.SavePlan(ctx, p.table, plan.id(), plan.userID, plan.line)
		if err != nil {
			p.saved.Invalidate(plan.planKey)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// close writes the plans that wait, for a second at most.
func (p *savedPlans) close(ctx context.Context) { p.writer.Close(ctx) }
