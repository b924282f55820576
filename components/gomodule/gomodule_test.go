package gomodule

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// cachedModule returns a module that is in the module cache. So the test needs no network.
func cachedModule(t *testing.T) Module {
	t.Helper()
	// This repository's go.mod requires the module. So it is in the module cache of every machine
	// that compiles this test.
	cache := os.Getenv("GOMODCACHE")
	if cache == "" {
		home, err := os.UserHomeDir()
		require.NoError(t, err)
		cache = filepath.Join(home, "go", "pkg", "mod")
	}
	require.DirExists(t, cache)
	return Module{Path: "github.com/stretchr/testify", Version: "v1.11.1", Sum: "h1:7s2iGBzp5EwR7/aIZr8ao5+dra3wiQyKjjFuvgVKu7U="}
}

func TestReadReturnsAFileOfTheModule(t *testing.T) {
	m := cachedModule(t)
	license, err := m.Read("LICENSE")
	require.NoError(t, err)
	require.Contains(t, string(license), "MIT License")

	_, err = m.Read("no/such/file.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "module github.com/stretchr/testify@v1.11.1")
}

func TestModuleWithAnotherHashIsRefused(t *testing.T) {
	m := cachedModule(t)
	m.Sum = "h1:AAAAiGBzp5EwR7/aIZr8ao5+dra3wiQyKjjFuvgVKu7U="
	_, err := m.Read("LICENSE")
	require.ErrorContains(t, err, "must be h1:AAAA")
}

func TestErrorOfAnUnknownModuleHasTheReason(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	_, err := Module{Path: "example.com/nothing", Version: "v1.0.0"}.Read("LICENSE")
	require.ErrorContains(t, err, "module example.com/nothing@v1.0.0: go mod download: ")
}
