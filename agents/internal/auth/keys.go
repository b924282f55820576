package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// refreshEvery is how old the keys may become before they are fetched
	// anew: a key that its issuer has withdrawn works no longer than this.
	refreshEvery = 10 * time.Minute
	// refreshAtMost is the least time between two fetches, so that tokens with
	// made-up key ids can't turn us against the issuer.
	refreshAtMost = 15 * time.Second
	// staleAfter is how long keys serve while the issuer is away.
	staleAfter = 24 * time.Hour
	// fetchTimeout, maxSet and maxKeys bound one fetch.
	fetchTimeout = 5 * time.Second
	maxSet       = 256 << 10
	maxKeys      = 64
	// leastRSA is NIST SP 800-57's for use after 2013, in bits.
	leastRSA = 2048
)

// keySet is the issuer's published keys, fetched when needed.
type keySet struct {
	fetch func(context.Context) ([]byte, error)
	now   func() time.Time
	held  atomic.Pointer[heldKeys]

	mu    sync.Mutex // one fetch at a time
	tried time.Time  // guarded by mu
	err   error      // of the last fetch; guarded by mu
}

type heldKeys struct {
	byID    map[string]jose.JSONWebKey
	fetched time.Time
}

// find returns the key with that id. A key that is not known, or a set that is
// too old, is fetched for, within the bounds above.
func (s *keySet) find(ctx context.Context, id string) (jose.JSONWebKey, error) {
	held := s.held.Load()
	if held == nil || held.byID[id].Key == nil || s.now().Sub(held.fetched) > refreshEvery {
		if err := s.refresh(ctx); err != nil {
			held = s.held.Load()
			if held == nil || s.now().Sub(held.fetched) > staleAfter {
				return jose.JSONWebKey{}, fmt.Errorf("%w: %w", ErrNoKeys, err)
			}
		}
		held = s.held.Load()
	}
	key, ok := held.byID[id]
	if !ok {
		return jose.JSONWebKey{}, errors.New("it is signed with an unknown key")
	}
	return key, nil
}

// refresh fetches the set unless that was tried a moment ago; those who ask
// meanwhile wait for the one fetch and share its end.
func (s *keySet) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tried.IsZero() && s.now().Sub(s.tried) < refreshAtMost {
		return s.err
	}
	s.tried = s.now()
	// A caller who leaves must not fail the others who wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	text, err := s.fetch(ctx)
	if err != nil {
		s.err = fmt.Errorf("fetch the issuer's keys: %w", err)
		return s.err
	}
	byID, err := parseKeys(text)
	if err != nil {
		s.err = fmt.Errorf("read the issuer's keys: %w", err)
		return s.err
	}
	s.held.Store(&heldKeys{byID, s.now()})
	s.err = nil
	return nil
}

// parseKeys keeps what can verify a signature of ours; a set may hold more.
func parseKeys(text []byte) (map[string]jose.JSONWebKey, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("it holds %d keys; at most %d are taken", len(set.Keys), maxKeys)
	}
	byID := map[string]jose.JSONWebKey{}
	for _, one := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(one, &key); err != nil || !usable(key) {
			continue // of a kind that is not ours
		}
		byID[key.KeyID] = key
	}
	if len(byID) == 0 {
		return nil, errors.New("no key in it has an id and can verify EdDSA, ES256 or RS256")
	}
	return byID, nil
}

func usable(key jose.JSONWebKey) bool {
	if key.KeyID == "" || !key.IsPublic() || !key.Valid() || (key.Use != "" && key.Use != "sig") {
		return false
	}
	if key.Algorithm != "" && !slices.Contains(algorithms, jose.SignatureAlgorithm(key.Algorithm)) {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= leastRSA
	case *ecdsa.PublicKey:
		return public.Curve == elliptic.P256() // ES256's
	default:
		return true
	}
}

func fromFile(path string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(io.LimitReader(file, maxSet))
	}
}

func fromURL(url string) func(context.Context) ([]byte, error) {
	client := &http.Client{Timeout: fetchTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the issuer's keys must be at JWT_JWKS_URL itself, not behind a redirect")
	}}
	return func(ctx context.Context) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		answer, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s answered %s", url, answer.Status)
		}
		return io.ReadAll(io.LimitReader(answer.Body, maxSet))
	}
}
