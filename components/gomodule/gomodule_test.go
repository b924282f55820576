package gomodule

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy serves one module from a folder, so that the test needs no network.
func proxy(t *testing.T) Module {
	t.Helper()
	// A module of this repository's own go.mod is in the module cache of every
	// machine that compiles this test.
	cache := os.Getenv("GOMODCACHE")
	if cache == "" {
		home, err := os.UserHomeDir()
		require.NoError(t, err)
		cache = filepath.Join(home, "go", "pkg", "mod")
	}
	require.DirExists(t, cache)
	return Module{Path: "github.com/stretchr/testify", Version: "v1.11.1", Sum: "h1:7s2iGBzp5EwR7/aIZr8ao5+dra3wiQyKjjFuvgVKu7U="}
}

func TestRead(t *testing.T) {
	m := proxy(t)
	license, err := m.Read("LICENSE")
	require.NoError(t, err)
	require.Contains(t, string(license), "MIT License")

	_, err = m.Read("no/such/file.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "module github.com/stretchr/testify@v1.11.1")
}

func TestAnotherHashIsRefused(t *testing.T) {
	m := proxy(t)
	m.Sum = "h1:AAAAiGBzp5EwR7/aIZr8ao5+dra3wiQyKjjFuvgVKu7U="
	_, err := m.Read("LICENSE")
	require.ErrorContains(t, err, "must be h1:AAAA")
}

func TestUnknownModuleNamesTheReason(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	_, err := Module{Path: "example.com/nothing", Version: "v1.0.0"}.Read("LICENSE")
	require.ErrorContains(t, err, "module example.com/nothing@v1.0.0: go mod download: ")
}
