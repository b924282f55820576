package reply

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func ask(encodings string, head string, rest Packed) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if encodings != "" {
		r.Header.Set("Accept-Encoding", encodings)
	}
	w := httptest.NewRecorder()
	PackedLine(w, r, http.StatusOK, []byte(head), rest)
	return w.Result()
}

func TestPackedLine(t *testing.T) {
	week := strings.Repeat(`{"food":"oats","grams":50},`, 1000) + "\n"
	for _, row := range []struct {
		reason, encodings, head, rest string
		packed                        bool
	}{
		{"a browser's request", "gzip, deflate, br", `{"userId":"u"`, week, true},
		{"in another order and form", "br;q=1.0 , GZIP;q=0.8", `{"userId":"u"`, week, true},
		{"nobody's line", "gzip", "", week, true},
		{"a beginning that a block just holds", "gzip", strings.Repeat("h", 1<<16-1), week, true},
		{"one that it does not", "gzip", strings.Repeat("h", 1<<16), week, false},
		{"what one write holds", "gzip", `{"userId":"u"`, week[:packFrom-1], false},
		{"who does not say so", "", `{"userId":"u"`, week, false},
		{"who wants none", "gzip;q=0, identity", `{"userId":"u"`, week, false},
		{"nonsense", "gzip;q=much", `{"userId":"u"`, week, false},
		{"another's name", "x-gzip-like", `{"userId":"u"`, week, false},
	} {
		t.Run(row.reason, func(t *testing.T) {
			got := ask(row.encodings, row.head, Pack([]byte(row.rest)))
			body := io.Reader(got.Body)
			if row.packed {
				require.Equal(t, "gzip", got.Header.Get("Content-Encoding"))
				require.Equal(t, "Accept-Encoding", got.Header.Get("Vary"))
				stream, err := gzip.NewReader(got.Body)
				require.NoError(t, err)
				stream.Multistream(false) // browsers read the first alone
				body = stream
			} else {
				require.Empty(t, got.Header.Get("Content-Encoding"))
			}
			text, err := io.ReadAll(body)
			require.NoError(t, err, "the sum and the length agree")
			require.Equal(t, row.head+row.rest, string(text))
		})
	}
}

// TestPackedLengthTellsNothing: a beginning that repeats what follows makes the
// answer no shorter than one that does not.
func TestPackedLengthTellsNothing(t *testing.T) {
	rest := Pack([]byte(strings.Repeat("the same again and again; ", 300)))
	lengths := map[string]bool{}
	for _, head := range []string{"the same again and again; ", "cPbKq3vXw7Yt9ZrLm2Ns4DfHj8"} {
		lengths[ask("gzip", head, rest).Header.Get("Content-Length")] = true
	}
	require.Len(t, lengths, 1, fmt.Sprint(lengths))
}
