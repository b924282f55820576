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
	// maxKeyAge is the age of the keys after which they are fetched again. A withdrawn key
	// is accepted for at most this long.
	maxKeyAge = 10 * time.Minute
	// minRefreshInterval is the minimum time between two fetches, so that tokens
	// with random key ids cannot flood the issuer.
	minRefreshInterval = 15 * time.Second
	// staleAfter is how long keys are used while the issuer is unavailable.
	staleAfter = 24 * time.Hour
	// fetchTimeout, maxSetBytes and maxKeys bound one fetch.
	fetchTimeout = 5 * time.Second
	maxSetBytes  = 256 << 10
	maxKeys      = 64
	// minRSABits is the minimum size that NIST SP 800-57 allows after 2013.
	minRSABits = 2048
)

// keySet is the issuer's published keys. They are fetched when needed.
type keySet struct {
	fetch   func(context.Context) ([]byte, error)
	now     func() time.Time
	current atomic.Pointer[fetchedKeys]

	mu      sync.Mutex // one fetch at a time
	lastTry time.Time  // the start of the last fetch; guarded by mu
	lastErr error      // the error of the last fetch; guarded by mu
}

// fetchedKeys are the usable keys of one fetch.
type fetchedKeys struct {
	byID      map[string]jose.JSONWebKey
	fetchedAt time.Time
}

// find returns the key with that id. If the key is unknown, or the set is older than
// maxKeyAge, it fetches the set first. If the fetch fails, it uses the old set until the set
// is older than staleAfter.
func (s *keySet) find(ctx context.Context, id string) (jose.JSONWebKey, error) {
	current := s.current.Load()
	if current == nil || current.byID[id].Key == nil || s.now().Sub(current.fetchedAt) > maxKeyAge {
		err := s.refresh(ctx)
		current = s.current.Load()
		if err != nil && (current == nil || s.now().Sub(current.fetchedAt) > staleAfter) {
			return jose.JSONWebKey{}, fmt.Errorf("%w: %w", ErrNoKeys, err)
		}
	}
	key, ok := current.byID[id]
	if !ok {
		return jose.JSONWebKey{}, errors.New("signed with an unknown key")
	}
	return key, nil
}

// refresh fetches the set. If the last fetch was less than minRefreshInterval ago, refresh
// only returns the error of that fetch. Concurrent callers wait for the one fetch and share its
// result.
func (s *keySet) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lastTry.IsZero() && s.now().Sub(s.lastTry) < minRefreshInterval {
		return s.lastErr
	}
	s.lastTry = s.now()
	// A caller that disconnects must not fail the other waiting callers.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	encodedSet, err := s.fetch(ctx)
	if err != nil {
		s.lastErr = fmt.Errorf("fetch the issuer's keys: %w", err)
		return s.lastErr
	}
	byID, err := parseKeys(encodedSet)
	if err != nil {
		s.lastErr = fmt.Errorf("parse the issuer's keys: %w", err)
		return s.lastErr
	}
	s.current.Store(&fetchedKeys{byID, s.now()})
	s.lastErr = nil
	return nil
}

// parseKeys returns the usable keys of a set by their id. A set may also contain other keys,
// which are ignored.
func parseKeys(encodedSet []byte) (map[string]jose.JSONWebKey, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(encodedSet, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the set has %d keys, must have at most %d", len(set.Keys), maxKeys)
	}
	byID := map[string]jose.JSONWebKey{}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil || !isUsable(key) {
			continue // not a supported key
		}
		byID[key.KeyID] = key
	}
	if len(byID) == 0 {
		return nil, errors.New("the set has no key with an id for EdDSA, ES256 or RS256")
	}
	return byID, nil
}

// isUsable reports whether the key can verify signatures of a supported algorithm.
func isUsable(key jose.JSONWebKey) bool {
	isForSignatures := key.Use == "" || key.Use == "sig"
	hasSupportedAlgorithm := key.Algorithm == "" || slices.Contains(algorithms, jose.SignatureAlgorithm(key.Algorithm))
	if key.KeyID == "" || !key.IsPublic() || !key.Valid() || !isForSignatures || !hasSupportedAlgorithm {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		return public.Curve == elliptic.P256() // ES256
	default:
		return true
	}
}

// newFileFetcher returns a function that reads the key set from a file, at most
// maxSetBytes.
func newFileFetcher(path string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(io.LimitReader(file, maxSetBytes))
	}
}

// newURLFetcher returns a function that fetches the key set from a URL, at most maxSetBytes.
// It does not follow redirects.
func newURLFetcher(url string) func(context.Context) ([]byte, error) {
	client := &http.Client{Timeout: fetchTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the issuer's keys must be at JWT_JWKS_URL itself, not behind a redirect")
	}}
	return func(ctx context.Context) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s responded %s", url, response.Status)
		}
		return io.ReadAll(io.LimitReader(response.Body, maxSetBytes))
	}
}
