package lock

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTakeNamesTheHolder(t *testing.T) {
	dir := t.TempDir()
	release, err := Take(dir, "make up")
	require.NoError(t, err)

	_, err = Take(dir, "make down")
	var held *HeldError
	require.True(t, errors.As(err, &held), "got %v", err)
	require.Contains(t, held.Holder, "make up (pid ")
	require.Contains(t, err.Error(), dir)

	release()
	releaseAgain, err := Take(dir, "make down")
	require.NoError(t, err, "a released lock can be taken again")
	releaseAgain()
}

func TestTakeCreatesTheFolder(t *testing.T) {
	dir := t.TempDir() + "/new"
	release, err := Take(dir, "make up")
	require.NoError(t, err)
	defer release()
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}
