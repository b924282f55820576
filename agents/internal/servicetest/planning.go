package servicetest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// PlanningAgent is npa or wpa as a program, for the process tests that both
// share.
type PlanningAgent struct {
	Program Program
	Name    string
	// Path and Body are the request of the design document's load test.
	Path, Body string
}

// newRequest returns the request of the design document's load test for the process.
func (a PlanningAgent) newRequest(t testing.TB, p *Process, token string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Address+a.Path, strings.NewReader(a.Body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// SendLoadTestRequest runs the whole process without PostgreSQL and Redis. It sends the
// load test's request over a real connection. With an invalid token it must get 401, and with
// another user's token 403. With the user's token it must get 200. SendLoadTestRequest returns
// the body of this last response.
func (a PlanningAgent) SendLoadTestRequest(t *testing.T) []byte {
	t.Helper()
	p := Start(t, a.Program, a.Name, map[string]string{"DRAIN_DELAY": "0s"})
	post := func(token string) *http.Response {
		response, err := http.DefaultClient.Do(a.newRequest(t, p, token))
		require.NoError(t, err)
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	require.Equal(t, http.StatusUnauthorized, post("test-token").StatusCode)
	require.Equal(t, http.StatusForbidden, post(p.Env.Token(t, "somebody-else")).StatusCode)
	response := post(p.Env.Token(t, User))
	require.Equal(t, http.StatusOK, response.StatusCode, "without PostgreSQL and Redis")
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return body
}

// CheckShutdownUnderLoad stops the process while four clients send requests. No
// request may fail, and the server must close each client's connection with a
// response.
func (a PlanningAgent) CheckShutdownUnderLoad(t *testing.T) {
	t.Helper()
	const clients = 4
	p := Start(t, a.Program, a.Name, map[string]string{"DRAIN_DELAY": "500ms"})
	token := p.Env.Token(t, User)
	load := p.StartLoad(t, clients, func(int, int) *http.Request { return a.newRequest(t, p, token) })
	load.WaitForResponses(t, 200)
	p.Stop()
	load.End(t, clients)
	require.Zero(t, <-p.Code)
}
