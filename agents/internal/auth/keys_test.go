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
	keys        atomic.Pointer[[]SigningKey]
	unavailable atomic.Bool
	fetches     atomic.Int64
	clock       atomic.Int64
	set         *keySet
}

// newFakeSet returns a set whose issuer publishes these keys.
func newFakeSet(keys ...SigningKey) *fakeSet {
	p := &fakeSet{}
	p.keys.Store(&keys)
	p.clock.Store(time.Now().UnixNano())
	now := func() time.Time { return time.Unix(0, p.clock.Load()) }
	p.set = &keySet{now: now, fetch: func(context.Context) ([]byte, error) {
		p.fetches.Add(1)
		if p.unavailable.Load() {
			return nil, errors.New("unavailable")
		}
		return JWKS(*p.keys.Load()...)
	}}
	return p
}

func (p *fakeSet) advance(d time.Duration) { p.clock.Add(int64(d)) }

func TestRotatedKeysAreAcceptedAndWithdrawnOnesRejected(t *testing.T) {
	old, fresh := newKey(t), newKey(t)
	p := newFakeSet(old)
	v := newVerifier(t, old)
	v.keys = p.set
	_, err := v.Verify(t.Context(), token(t, old))
	require.NoError(t, err)

	p.keys.Store(&[]SigningKey{old, fresh})
	p.advance(refreshAtMost)
	_, err = v.Verify(t.Context(), token(t, fresh))
	require.NoError(t, err, "a new key is fetched when it is first used")

	p.keys.Store(&[]SigningKey{fresh})
	p.advance(refreshEvery + time.Second)
	v.cache.InvalidateAll() // cached tokens expire after a minute
	_, err = v.Verify(t.Context(), token(t, old))
	require.ErrorContains(t, err, "unknown key", "a withdrawn key is rejected")
}

func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	p := newFakeSet(newKey(t))
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			_, err := p.set.find(t.Context(), "made-up")
			if err == nil || errors.Is(err, ErrNoKeys) {
				t.Errorf("find returned %v, want an unknown key", err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, p.fetches.Load())
}

func TestKeysAreUsedWhileTheIssuerIsUnavailable(t *testing.T) {
	key := newKey(t)
	p := newFakeSet(key)
	p.unavailable.Store(true)
	v := newVerifier(t, key)
	v.keys = p.set
	_, err := v.Verify(t.Context(), token(t, key))
	require.ErrorIs(t, err, ErrNoKeys, "no key was ever fetched")

	p.unavailable.Store(false)
	p.advance(refreshAtMost)
	_, err = v.Verify(t.Context(), token(t, key))
	require.NoError(t, err)

	p.unavailable.Store(true)
	p.advance(staleAfter - time.Hour)
	v.cache.InvalidateAll()
	_, err = v.Verify(t.Context(), token(t, key))
	require.NoError(t, err, "the last keys are still used")
	p.advance(2 * time.Hour)
	v.cache.InvalidateAll()
	_, err = v.Verify(t.Context(), token(t, key))
	require.ErrorIs(t, err, ErrNoKeys, "not after staleAfter")
}

func TestFetchIsBoundedAndFollowsNoRedirect(t *testing.T) {
	set, err := JWKS(newKey(t))
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/set", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/set", http.StatusFound) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for range maxSet {
			if _, err := w.Write([]byte("        ")); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, ok := range map[string]bool{"/set": true, "/moved": false, "/nothing": false} {
		text, err := fromURL(server.URL + path)(t.Context())
		require.Equal(t, ok, err == nil, path)
		if ok {
			require.Equal(t, set, text)
		}
	}
	text, err := fromURL(server.URL + "/endless")(t.Context())
	require.NoError(t, err)
	require.Len(t, text, maxSet, "at most maxSet bytes are read")
}

func TestUnsupportedKeysAreRejected(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	weakKey, err := WrapKey(weak, jose.RS256)
	require.NoError(t, err)
	weakSet, err := JWKS(weakKey)
	require.NoError(t, err)
	for reason, text := range map[string]string{
		"RSA of 1024 bits":              string(weakSet),
		"a symmetric key":               `{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}`,
		"for encryption":                `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"without an id":                 `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"a private key by mistake":      `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"no keys":                       `{"keys":[]}`,
		"not a set":                     `[]`,
		"an error page with status 200": `<html>`,
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := parseKeys([]byte(text))
			require.Error(t, err)
		})
	}
}
