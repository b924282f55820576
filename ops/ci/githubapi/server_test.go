package githubapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server responds as GitHub does, with pages of a few items.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	comments []item
	issues   []item
	requests []string
	// responses replace the next responses. A nil is a normal response.
	responses []func(http.ResponseWriter)
	// slept has the waits of the client.
	slept []time.Duration
}

// pageSize is small, so that a list of a few items has several pages.
const pageSize = 3

// newServer starts a server. It returns the server and a client of the server.
func newServer(t *testing.T) (*server, *Client) {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	c, err := FromEnv(func(name string) string {
		return map[string]string{"GITHUB_API_URL": s.URL + "/api/v3", "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "secret-token", "GITHUB_ACTIONS": "true"}[name]
	})
	require.NoError(t, err)
	c.sleep = func(_ context.Context, d time.Duration) error { s.slept = append(s.slept, d); return nil }
	return s, c
}

// setResponses sets the next responses.
func (s *server) setResponses(responses ...func(http.ResponseWriter)) { s.responses = responses }

// statusResponse returns a response with a status and headers. headers has the name and then the
// value of each header.
func statusResponse(code int, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, `{"message": "the server's message"}`)
	}
}

// handle checks the token, and responds with the next entry of responses. Without an entry, it
// responds as GitHub does.
func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "Bearer secret-token" {
		statusResponse(http.StatusUnauthorized)(w)
		return
	}
	if len(s.responses) > 0 {
		response := s.responses[0]
		s.responses = s.responses[1:]
		if response != nil {
			response(w)
			return
		}
	}
	s.serveAPI(w, r)
}

// serveAPI lists, creates or edits comments and issues.
func (s *server) serveAPI(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v3/repos/o/r")
	var content item
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&content)
	}
	items := &s.issues
	if strings.Contains(path, "comments") {
		items = &s.comments
	}
	switch r.Method {
	case http.MethodGet:
		s.writePage(w, r, *items)
	case http.MethodPost:
		content.ID, content.Number, content.State = int64(len(*items)+1), len(*items)+1, "open"
		content.User.Login, content.URL = actionsBot, "https://github.example"+path
		*items = append(*items, content)
		_ = json.NewEncoder(w).Encode(content)
	default:
		id, _ := strconv.Atoi(path[strings.LastIndex(path, "/")+1:])
		i := &(*items)[id-1]
		if content.Body != "" {
			i.Body, i.Title = content.Body, content.Title
		}
		if content.State != "" {
			i.State = content.State
		}
		_ = json.NewEncoder(w).Encode(*i)
	}
}

// writePage responds with one page of the open items.
func (s *server) writePage(w http.ResponseWriter, r *http.Request, items []item) {
	var open []item
	for _, i := range items {
		if i.State != "closed" {
			open = append(open, i)
		}
	}
	page := max(1, atoi(r.URL.Query().Get("page")))
	first, end := min(len(open), (page-1)*pageSize), min(len(open), page*pageSize)
	if end < len(open) {
		query := r.URL.Query()
		query.Set("page", strconv.Itoa(page+1))
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=1>; rel="first", <%s%s?%s>; rel="next"`, s.URL, r.URL.Path, s.URL, r.URL.Path, query.Encode()))
	}
	_ = json.NewEncoder(w).Encode(append([]item{}, open[first:end]...))
}

// atoi returns the number in s, or 0 if s is not a number.
func atoi(s string) int { n, _ := strconv.Atoi(s); return n }

// newItem returns a comment or an issue that a user wrote.
func newItem(login, body string, id int) item {
	i := item{ID: int64(id), Number: id, Body: body, State: "open", URL: "https://github.example/" + strconv.Itoa(id)}
	i.User.Login = login
	return i
}
