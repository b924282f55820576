package decode

import (
	"crypto/sha256"
	"net/http"

	"github.com/maypok86/otter/v2"
)

const (
	// remembered is how many bodies a Memo remembers, and mostRemembered the
	// longest of them in bytes: together some 10 MB with what they were.
	remembered     = 4096
	mostRemembered = 1 << 10
)

// Memo reads bodies as Body does, and makes a V of each. Small ones that it lately
// found right it knows again by their hash: who asks for what is cached, often
// asks with the same bytes.
type Memo[V any] struct {
	limit int64
	known *otter.Cache[[sha256.Size]byte, V]
	make  func(w http.ResponseWriter, body []byte) (V, bool)
}

// NewMemo returns a Memo of requests A. What prepare makes of one is handed out
// many times: it must not be changed.
func NewMemo[A, V any, R interface {
	*A
	Request
}](limit int64, prepare func(A) V) *Memo[V] {
	return &Memo[V]{
		limit: limit,
		known: otter.Must(&otter.Options[[sha256.Size]byte, V]{MaximumSize: remembered}),
		make: func(w http.ResponseWriter, body []byte) (made V, ok bool) {
			var ask A
			if !parse(w, body, R(&ask)) {
				return made, false
			}
			return prepare(ask), true
		},
	}
}

// Body returns what the request's body asks for; where it is not right, it has
// answered why not, as the function Body does.
func (m *Memo[V]) Body(w http.ResponseWriter, r *http.Request) (V, bool) {
	var none V
	body, ok := read(w, r, m.limit)
	if !ok {
		return none, false
	}
	hash := sha256.Sum256(body)
	if made, ok := m.known.GetIfPresent(hash); ok {
		return made, true
	}
	made, ok := m.make(w, body)
	if ok && len(body) <= mostRemembered {
		m.known.Set(hash, made)
	}
	return made, ok
}
