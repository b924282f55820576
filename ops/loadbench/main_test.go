package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutputsAreParsed(t *testing.T) {
	f, err := parseWrk([]byte("  Latency Distribution\n     50%  351.00us\n     99%    1.21ms\n  42 requests in 1.00s, 5KB read\n"))
	require.NoError(t, err)
	require.Equal(t, figures{42, 1.21, 0}, f)
	_, err = parseWrk([]byte("unable to connect"))
	require.ErrorContains(t, err, "unable to connect")
	f, err = parseAutocannon([]byte(`{"requests":{"total":7},"latency":{"p99":3},"errors":0}`))
	require.NoError(t, err)
	require.Equal(t, figures{7, 3, 0}, f)
	_, err = parseAutocannon([]byte(`{"errors":2}`))
	require.ErrorContains(t, err, "2 errors")
}
