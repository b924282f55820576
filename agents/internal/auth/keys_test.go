package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// fakeSet is a keySet with a fake issuer and a fake clock.
type fakeSet struct {
	keys        atomic.Pointer[[]SigningKey] // the published keys
	unavailable atomic.Bool
	fetches     atomic.Int64
	clock       atomic.Int64 // in nanoseconds since 1970
	set         *keySet
}

// newFakeSet returns a set of an issuer that publishes these keys.
func newFakeSet(keys ...SigningKey) *fakeSet {
	fake := &fakeSet{}
	fake.keys.Store(&keys)
	fake.clock.Store(time.Now().UnixNano())
	now := func() time.Time { return time.Unix(0, fake.clock.Load()) }
	fake.set = &keySet{now: now, fetch: func(context.Context) ([]byte, error) {
		fake.fetches.Add(1)
		if fake.unavailable.Load() {
			return nil, errors.New("unavailable")
		}
		return JWKS(*fake.keys.Load()...)
	}}
	return fake
}

func (f *fakeSet) advance(d time.Duration) { f.clock.Add(int64(d)) }

func TestNewKeysAreAcceptedAndWithdrawnKeysRejected(t *testing.T) {
	oldKey, nextKey := newKey(t), newKey(t)
	fake := newFakeSet(oldKey)
	v := newVerifier(t, oldKey)
	v.keys = fake.set
	_, err := v.Verify(t.Context(), newToken(t, oldKey))
	require.NoError(t, err)

	fake.keys.Store(&[]SigningKey{oldKey, nextKey})
	fake.advance(minRefreshInterval)
	_, err = v.Verify(t.Context(), newToken(t, nextKey))
	require.NoError(t, err, "a new key is fetched when it is first used")

	fake.keys.Store(&[]SigningKey{nextKey})
	fake.advance(maxKeyAge + time.Second)
	v.cache.InvalidateAll() // cached tokens expire after a minute
	_, err = v.Verify(t.Context(), newToken(t, oldKey))
	require.ErrorContains(t, err, "unknown key", "a withdrawn key is rejected")
}

func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	fake := newFakeSet(newKey(t))
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			_, err := fake.set.find(t.Context(), "made-up")
			if err == nil || errors.Is(err, ErrNoKeys) {
				t.Errorf("find returned %v, want an unknown key", err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, fake.fetches.Load())
}

func TestKeysAreUsedWhileTheIssuerIsUnavailable(t *testing.T) {
	key := newKey(t)
	fake := newFakeSet(key)
	fake.unavailable.Store(true)
	v := newVerifier(t, key)
	v.keys = fake.set
	_, err := v.Verify(t.Context(), newToken(t, key))
	require.ErrorIs(t, err, ErrNoKeys, "no key was ever fetched")

	fake.unavailable.Store(false)
	fake.advance(minRefreshInterval)
	_, err = v.Verify(t.Context(), newToken(t, key))
	require.NoError(t, err)

	fake.unavailable.Store(true)
	fake.advance(staleAfter - time.Hour)
	v.cache.InvalidateAll()
	_, err = v.Verify(t.Context(), newToken(t, key))
	require.NoError(t, err, "the last keys are still used")
	fake.advance(2 * time.Hour)
	v.cache.InvalidateAll()
	_, err = v.Verify(t.Context(), newToken(t, key))
	require.ErrorIs(t, err, ErrNoKeys, "keys that are older than staleAfter are not used")
}

func TestFetchIsBoundedAndFollowsNoRedirect(t *testing.T) {
	set, err := JWKS(newKey(t))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/set", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/set", http.StatusFound) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for range maxSetBytes {
			if _, err := w.Write([]byte("        ")); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, ok := range map[string]bool{"/set": true, "/moved": false, "/nothing": false} {
		fetched, err := newURLFetcher(server.URL + path)(t.Context())
		require.Equal(t, ok, err == nil, path)
		if ok {
			require.Equal(t, set, fetched)
		}
	}
	fetched, err := newURLFetcher(server.URL + "/endless")(t.Context())
	require.NoError(t, err)
	require.Len(t, fetched, maxSetBytes, "at most maxSetBytes are read")
}

func TestUnsupportedKeysAreRejected(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	weakKey, err := SigningKeyFromPrivate(weak, jose.RS256)
	require.NoError(t, err)
	weakSet, err := JWKS(weakKey)
	require.NoError(t, err)
	for reason, encodedSet := range map[string]string{
		"RSA of 1024 bits":              string(weakSet),
		"a symmetric key":               `{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}`,
		"a key for encryption":          `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"a key without an id":           `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"a private key by mistake":      `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"no keys":                       `{"keys":[]}`,
		"not a set":                     `[]`,
		"an error page with status 200": `<html>`,
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := parseKeys([]byte(encodedSet))
			require.Error(t, err)
		})
	}
}
