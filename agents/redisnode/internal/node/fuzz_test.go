package node

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParseNodes checks that no output of CLUSTER NODES makes the parser panic. A parsed table must
// contain the node itself and only valid slots.
func FuzzParseNodes(f *testing.F) {
	const line = "07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:30004@31004,hostname4 slave e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca 0 1426238317239 4 connected"
	for _, output := range []string{
		line, strings.Replace(line, "slave", "myself,master", 1) + " 0-5460 [5461-<-e7d1]", strings.Replace(line, "slave", "myself,slave,noaddr,fail?", 1), "",
		strings.Replace(line, "slave", "myself,master", 1) + " 16384", strings.Replace(line, "slave", "myself,master", 1) + " 5-4", ":0@0,a b myself - 0 0 0 c", "\n",
	} {
		f.Add(output)
	}
	f.Fuzz(func(t *testing.T, output string) {
		id, members, err := parseNodes(output)
		if err != nil {
			require.Empty(t, members)
			return
		}
		require.Contains(t, members, id)
		for memberID, m := range members {
			require.Equal(t, memberID, m.id)
			require.False(t, m.failed && !m.suspected, "a failed node is also suspected")
			for _, s := range m.slots {
				require.True(t, 0 <= s.first && s.first <= s.last && s.last < slotCount)
			}
		}
	})
}
