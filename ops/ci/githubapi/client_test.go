package githubapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const marker = "<!-- test -->"

func TestCommentIsCreatedOnceAndThenEdited(t *testing.T) {
	s, c := newServer(t)
	for _, body := range []string{"one", "two", "two"} {
		commentURL, err := c.UpsertComment(t.Context(), 7, marker, marker+"\n"+body)
		require.NoError(t, err)
		require.NotEmpty(t, commentURL)
	}
	require.Len(t, s.comments, 1)
	require.Equal(t, marker+"\ntwo", s.comments[0].Body)
	require.Len(t, s.requests, 5, "an unchanged comment is not written again: %v", s.requests)
}

func TestCommentIsFoundOnALaterPage(t *testing.T) {
	s, c := newServer(t)
	for n := range 8 {
		s.comments = append(s.comments, newItem("somebody", "text", n+1))
	}
	s.comments = append(s.comments, newItem(actionsBot, marker+" old", 9))
	_, err := c.UpsertComment(t.Context(), 7, marker, marker+" new")
	require.NoError(t, err)
	require.Len(t, s.comments, 9)
	require.Equal(t, marker+" new", s.comments[8].Body)
}

func TestTextsOfOthersAreNotEdited(t *testing.T) {
	s, c := newServer(t)
	s.comments = []item{
		newItem("somebody", marker+" a person who copied the marker", 1),
		newItem(actionsBot, "> quoted: "+marker, 2),
	}
	_, err := c.UpsertComment(t.Context(), 7, marker, marker+" new")
	require.NoError(t, err)
	require.Len(t, s.comments, 3)
}

// A creation must not create a second comment if its response was lost.
func TestLostResponseToACreationDoesNotCreateTwice(t *testing.T) {
	s, c := newServer(t)
	s.setResponses(nil, func(w http.ResponseWriter) {
		s.comments = append(s.comments, newItem(actionsBot, marker+" text", 1))
		statusResponse(http.StatusBadGateway)(w)
	})
	_, err := c.UpsertComment(t.Context(), 7, marker, marker+" text")
	require.NoError(t, err)
	require.Len(t, s.comments, 1)
}

func TestClientRetriesOnlyTemporaryFailures(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	reset := func(in time.Duration) string { return fmt.Sprint(now.Add(in).Unix()) }
	for _, tc := range []struct {
		reason    string
		responses []func(http.ResponseWriter)
		err       string
		slept     []time.Duration
	}{
		{"the client tries again after a 5xx", []func(http.ResponseWriter){statusResponse(500), statusResponse(503)}, "", []time.Duration{time.Second, 2 * time.Second}},
		{"the client gives up after four attempts", []func(http.ResponseWriter){statusResponse(500), statusResponse(500), statusResponse(500), statusResponse(500)}, "after 4 attempts", nil},
		{"the client does not try again after a 4xx", []func(http.ResponseWriter){statusResponse(422)}, "status 422: the server's message", []time.Duration{}},
		{"the error names the missing permission", []func(http.ResponseWriter){statusResponse(403)}, "pull-requests: write", []time.Duration{}},
		{"a secondary rate limit names the seconds to wait", []func(http.ResponseWriter){statusResponse(403, "Retry-After", "40")}, "", []time.Duration{40 * time.Second}},
		{"a primary rate limit names its end", []func(http.ResponseWriter){statusResponse(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset(30*time.Second))}, "", []time.Duration{30 * time.Second}},
		{"the client does not wait an hour for a rate limit", []func(http.ResponseWriter){statusResponse(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset(time.Hour))}, "the rate limit ends in 1h0m0s", []time.Duration{}},
		{"the waits of two rate limits add up", []func(http.ResponseWriter){statusResponse(429, "Retry-After", "90"), statusResponse(429, "Retry-After", "90")}, "the rate limit ends", []time.Duration{90 * time.Second}},
		{"without a time the client waits for a minute", []func(http.ResponseWriter){statusResponse(429)}, "", []time.Duration{time.Minute}},
		{"a redirect is not followed with the token", []func(http.ResponseWriter){statusResponse(307, "Location", "http://example.com/")}, "status 307", []time.Duration{}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s, c := newServer(t)
			c.now = func() time.Time { return now }
			// After these responses, the server responds with an empty list of issues.
			s.setResponses(append([]func(http.ResponseWriter){}, tc.responses...)...)
			_, err := c.CloseIssue(t.Context(), marker)
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
				require.NotContains(t, err.Error(), "secret-token")
			}
			if tc.slept != nil {
				require.Equal(t, tc.slept, append([]time.Duration{}, s.slept...))
			}
		})
	}
}

func TestPagesOfAnotherHostAreNotRequested(t *testing.T) {
	s, c := newServer(t)
	s.setResponses(func(w http.ResponseWriter) {
		w.Header().Set("Link", `<https://example.com/next>; rel="next"`)
		fmt.Fprint(w, "[]")
	})
	_, err := c.CloseIssue(t.Context(), marker)
	require.NoError(t, err)
	require.Len(t, s.requests, 1)
}

func TestIssueIsEditedAndClosed(t *testing.T) {
	s, c := newServer(t)
	pull := newItem(actionsBot, marker+" a pull request", 1)
	pull.PullRequest = &struct{}{}
	s.issues = append(s.issues, pull)
	for _, body := range []string{"one", "two"} {
		_, err := c.UpsertIssue(t.Context(), marker, "Drift of prod", marker+body)
		require.NoError(t, err)
	}
	require.Len(t, s.issues, 2)
	require.Equal(t, marker+"two", s.issues[1].Body)
	_, err := c.CloseIssue(t.Context(), marker)
	require.NoError(t, err)
	require.Equal(t, "closed", s.issues[1].State)
	issueURL, err := c.CloseIssue(t.Context(), marker)
	require.NoError(t, err)
	require.Empty(t, issueURL, "there is nothing to close")
	_, err = c.UpsertIssue(t.Context(), marker, "Drift of prod", marker+"three")
	require.NoError(t, err)
	require.Len(t, s.issues, 3, "a closed issue is not opened again; the client creates another one")
}

func TestBodyBeginsWithItsMarker(t *testing.T) {
	_, c := newServer(t)
	_, err := c.UpsertComment(t.Context(), 7, marker, "text "+marker)
	require.True(t, errors.Is(err, errNoMarker))
	_, err = c.UpsertComment(t.Context(), 0, marker, marker)
	require.ErrorContains(t, err, "the pull request is 0")
}

func TestFromEnvRefusesUnsafeValues(t *testing.T) {
	for _, tc := range []struct{ reason, api, repo, token, err string }{
		{"GitHub itself", "", "o/r", "t", ""},
		{"a GitHub Enterprise server", "https://github.example/api/v3", "o/r", "t", ""},
		{"a test on this machine", "http://127.0.0.1:80", "o/r", "t", ""},
		{"the token would be sent in plain text", "http://github.example", "o/r", "t", "must be an https URL"},
		{"a path in the name", "", "o/r/../x", "t", "must be OWNER/NAME"},
		{"no token", "", "o/r", "", "GITHUB_TOKEN is empty"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := FromEnv(func(name string) string {
				return map[string]string{"GITHUB_API_URL": tc.api, "GITHUB_REPOSITORY": tc.repo, "GITHUB_TOKEN": tc.token}[name]
			})
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestResponseIsLimited(t *testing.T) {
	s, c := newServer(t)
	s.setResponses(func(w http.ResponseWriter) { fmt.Fprint(w, `"`+strings.Repeat("x", maxBody)+`"`) })
	_, err := c.CloseIssue(t.Context(), marker)
	require.ErrorContains(t, err, "more than")
}
