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

// published is an issuer's set that a test changes, with a clock of its own.
type published struct {
	keys    atomic.Pointer[[]SigningKey]
	away    atomic.Bool
	fetches atomic.Int64
	clock   atomic.Int64
	set     *keySet
}

func publish(keys ...SigningKey) *published {
	p := &published{}
	p.keys.Store(&keys)
	p.clock.Store(time.Now().UnixNano())
	now := func() time.Time { return time.Unix(0, p.clock.Load()) }
	p.set = &keySet{now: now, fetch: func(context.Context) ([]byte, error) {
		p.fetches.Add(1)
		if p.away.Load() {
			return nil, errors.New("away")
		}
		return JWKS(*p.keys.Load()...)
	}}
	return p
}

func (p *published) pass(d time.Duration) { p.clock.Add(int64(d)) }

func TestRotation(t *testing.T) {
	old, fresh := newKey(t), newKey(t)
	p := publish(old)
	v := verifierOf(t, old)
	v.keys = p.set
	_, err := v.Verify(t.Context(), token(t, old))
	require.NoError(t, err)

	p.keys.Store(&[]SigningKey{old, fresh})
	p.pass(refreshAtMost)
	_, err = v.Verify(t.Context(), token(t, fresh))
	require.NoError(t, err, "a new key is found as soon as it signs")

	p.keys.Store(&[]SigningKey{fresh})
	p.pass(refreshEvery + time.Second)
	v.known.InvalidateAll() // what a minute does
	_, err = v.Verify(t.Context(), token(t, old))
	require.ErrorContains(t, err, "unknown key", "a withdrawn key ends")
}

func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	p := publish(newKey(t))
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, err := p.set.find(t.Context(), "made-up")
			if err == nil || errors.Is(err, ErrNoKeys) {
				t.Errorf("want an unknown key, got %v", err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, p.fetches.Load())
}

func TestTheIssuerIsAway(t *testing.T) {
	key := newKey(t)
	p := publish(key)
	p.away.Store(true)
	v := verifierOf(t, key)
	v.keys = p.set
	_, err := v.Verify(t.Context(), token(t, key))
	require.ErrorIs(t, err, ErrNoKeys, "never seen a key")

	p.away.Store(false)
	p.pass(refreshAtMost)
	_, err = v.Verify(t.Context(), token(t, key))
	require.NoError(t, err)

	p.away.Store(true)
	p.pass(staleAfter - time.Hour)
	v.known.InvalidateAll()
	_, err = v.Verify(t.Context(), token(t, key))
	require.NoError(t, err, "the keys it had still serve")
	p.pass(2 * time.Hour)
	v.known.InvalidateAll()
	_, err = v.Verify(t.Context(), token(t, key))
	require.ErrorIs(t, err, ErrNoKeys, "but not for ever")
}

func TestFetch(t *testing.T) {
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
	for path, good := range map[string]bool{"/set": true, "/moved": false, "/nothing": false} {
		text, err := fromURL(server.URL + path)(t.Context())
		require.Equal(t, good, err == nil, path)
		if good {
			require.Equal(t, set, text)
		}
	}
	text, err := fromURL(server.URL + "/endless")(t.Context())
	require.NoError(t, err)
	require.Len(t, text, maxSet, "no more is read")
}

func TestKeysThatAreNotTaken(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	weakKey, err := WrapKey(weak, jose.RS256)
	require.NoError(t, err)
	weakSet, err := JWKS(weakKey)
	require.NoError(t, err)
	for reason, text := range map[string]string{
		"RSA of 1024 bits":              string(weakSet),
		"a secret":                      `{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}`,
		"for encryption":                `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"without an id":                 `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"a private key by mistake":      `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		"none":                          `{"keys":[]}`,
		"not a set":                     `[]`,
		"an error page with status 200": `<html>`,
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := parseKeys([]byte(text))
			require.Error(t, err)
		})
	}
}
