package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestViewsMatchTheSDK(t *testing.T) {
	for name, o := range outputs {
		want, err := generate(o)
		require.NoError(t, err)
		current, err := os.ReadFile(filepath.Join("..", name, "views_gen.go"))
		require.NoError(t, err)
		require.Equal(t, string(want), string(current), "run `go generate ./policy/...`")
	}
}

func TestWrongTokenIsRefused(t *testing.T) {
	o := outputs["awsview"]
	o.tokens = []string{"aws:ec2/dream:Dream"}
	_, err := generate(o)
	require.ErrorContains(t, err, "is the token right?")
}
