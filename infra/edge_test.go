package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/infra/config"
)

// edge.zone is the name or the ID of a hosted zone. The program looks up the name that belongs to
// an ID. Every zone of the mocks is example.com.
func TestZoneIsFoundByNameOrID(t *testing.T) {
	for _, tc := range []struct{ reason, edge, refused string }{
		{"by its name", `{"domain":"shop.example.com","zone":"example.com"}`, ""},
		{"by its ID", `{"domain":"shop.example.com","zone":"Z0123456789ABCDEFGHIJ"}`, ""},
		{"the ID of another domain's zone", `{"domain":"shop.example.org","zone":"Z0123456789ABCDEFGHIJ"}`, "edge.zone: zone example.com must be the domain shop.example.org itself or a parent of it"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			stack, err := config.Load("prod", readStackValues(t, "prod", map[string]string{"progressive-framework:edge": tc.edge}))
			require.NoError(t, err)
			_, err = deployMocked(t, stack)
			if tc.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.refused)
		})
	}
}
