package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
)

func TestInitCreatesAKeyThatSignsTokens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "issuer")
	require.NoError(t, run([]string{"-init", dir}, io.Discard, io.Discard))
	keyFile, setFile := filepath.Join(dir, "key.json"), filepath.Join(dir, "jwks.json")
	info, err := os.Stat(keyFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	set, err := os.ReadFile(setFile)
	require.NoError(t, err)
	require.NotContains(t, string(set), `"d"`, "the public set must not have the private key")

	var out bytes.Buffer
	require.NoError(t, run([]string{"-key", keyFile, "-user", "test-user-123", "-scope", "users:read"}, &out, io.Discard))
	verifier, err := auth.New(auth.Config{Issuer: "progressive-sandbox", Audience: "progressive-framework", JWKSFile: setFile, Leeway: time.Second})
	require.NoError(t, err)
	principal, err := verifier.Verify(t.Context(), strings.TrimSpace(out.String()))
	require.NoError(t, err)
	require.Equal(t, auth.Principal{Subject: "test-user-123", Scopes: []string{"users:read"}}, principal)

	require.NoError(t, run([]string{"-init", dir}, io.Discard, io.Discard))
	setAgain, err := os.ReadFile(setFile)
	require.NoError(t, err)
	require.Equal(t, set, setAgain, "an existing key is kept, so its tokens stay valid")
}

func TestInvalidFlagsAreErrors(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, run([]string{"-init", dir}, io.Discard, io.Discard))
	for _, row := range []struct {
		reason  string
		args    []string
		message string
	}{
		{"no key", nil, "-init DIR"},
		{"a missing key file", []string{"-key", filepath.Join(dir, "x")}, "no such file"},
		{"the public set instead of the key", []string{"-key", filepath.Join(dir, "jwks.json")}, "key"},
		{"a validity above the limit", []string{"-key", filepath.Join(dir, "key.json"), "-ttl", "8760h"}, "720h"},
		{"an extra argument", []string{"test-user-123"}, "not a flag"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			require.ErrorContains(t, run(row.args, io.Discard, io.Discard), row.message)
		})
	}
}
