// Package githubapi is a client of GitHub's REST API. It writes one comment of a pull request, or one
// issue. It finds the comment or issue of an earlier run by a hidden marker, and edits it in place. The
// package owns paging, retries and rate limits. It does not depend on the content.
package githubapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// attempts is the maximum number of attempts if GitHub responds with 5xx or not at all.
	attempts = 4
	// maxWait is the longest wait for the end of a rate limit. GitHub's secondary limits end within
	// a minute (REST API, "Rate limits").
	maxWait = 2 * time.Minute
	// maxPages limits the pages of a list. A page has 100 items, so a list has at most 5,000.
	maxPages = 50
	// maxBody limits a response in bytes. A page of 100 comments, each with 65,536 characters, has
	// about 6.6 MB.
	maxBody = 16 << 20
	// requestTimeout limits one request.
	requestTimeout = 30 * time.Second
)

// Client is a client for one repository.
type Client struct {
	base  *url.URL
	repo  string
	token string
	// author is the login of the only user with comments and issues that may be edited. Empty means
	// any user.
	author string
	http   *http.Client
	// sleep waits between two attempts. A test replaces it.
	sleep func(context.Context, time.Duration) error
	now   func() time.Time
}

// repositoryPattern matches OWNER/NAME.
var repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)

// actionsBot is the author of everything that a workflow's own token writes.
const actionsBot = "github-actions[bot]"

// FromEnv returns a client from the environment variables of a workflow: GITHUB_TOKEN,
// GITHUB_REPOSITORY and GITHUB_API_URL. The default of GITHUB_API_URL is https://api.github.com. In a
// workflow the client edits only comments and issues that the workflow's token created. So it never
// edits those of another user that begin with the same hidden marker.
func FromEnv(getenv func(string) string) (*Client, error) {
	c := &Client{repo: getenv("GITHUB_REPOSITORY"), token: getenv("GITHUB_TOKEN"), now: time.Now, sleep: sleep}
	if getenv("GITHUB_ACTIONS") == "true" {
		c.author = actionsBot
	}
	apiURL := getenv("GITHUB_API_URL")
	if apiURL == "" {
		apiURL = "https://api.github.com"
	}
	base, err := url.Parse(apiURL)
	isLocal := err == nil && (base.Hostname() == "127.0.0.1" || base.Hostname() == "localhost")
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && !isLocal:
		return nil, fmt.Errorf("GITHUB_API_URL is %q, must be an https URL: the token is sent there", apiURL)
	case !repositoryPattern.MatchString(c.repo):
		return nil, fmt.Errorf("GITHUB_REPOSITORY is %q, must be OWNER/NAME", c.repo)
	case c.token == "":
		return nil, errors.New("GITHUB_TOKEN is empty: set a token with the permission pull-requests: write or issues: write")
	}
	c.base = base
	// A redirect may lead to another host, which must not receive the token.
	c.http = &http.Client{Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Error is a response of GitHub with an error status.
type Error struct {
	Method, Path string
	Status       int
	// Message is the message in GitHub's response.
	Message string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("GitHub: %s %s: status %d", e.Method, e.Path, e.Status)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Status == http.StatusForbidden || e.Status == http.StatusNotFound {
		text += " (the token needs pull-requests: write for a comment, issues: write for an issue)"
	}
	return text
}

// isRetryable reports whether a second attempt may succeed.
func (e *Error) isRetryable() bool { return e.Status >= 500 }

// send sends a request and decodes the response into the value that into points to. If requestBody is
// nil, the request has no body. If GitHub responds that a rate limit is exceeded, send waits and sends
// the request again. It returns the URL of the next page, or nil.
func (c *Client) send(ctx context.Context, method string, target *url.URL, requestBody, into any) (next *url.URL, err error) {
	var waited time.Duration
	for {
		response, body, err := c.roundTrip(ctx, method, target, requestBody)
		if err != nil {
			return nil, err
		}
		if wait, limited := c.rateLimitWait(response); limited {
			if waited += wait; waited > maxWait {
				return nil, fmt.Errorf("GitHub: %s %s: the rate limit ends in %s, the longest wait is %s: run the command again after that", method, target.Path, wait.Round(time.Second), maxWait)
			}
			if err := c.sleep(ctx, wait); err != nil {
				return nil, err
			}
			continue
		}
		if response.StatusCode < 200 || response.StatusCode > 299 {
			failure := &Error{Method: method, Path: target.Path, Status: response.StatusCode}
			var errorBody struct {
				Message string `json:"message"`
			}
			if json.Unmarshal(body, &errorBody) == nil {
				failure.Message = errorBody.Message
			}
			return nil, failure
		}
		if err := json.Unmarshal(body, into); err != nil {
			return nil, fmt.Errorf("GitHub: %s %s: %w", method, target.Path, err)
		}
		return c.nextPage(response), nil
	}
}

// roundTrip sends a request once. It returns the response and the response's body.
func (c *Client) roundTrip(ctx context.Context, method string, target *url.URL, requestBody any) (*http.Response, []byte, error) {
	var reader io.Reader
	if requestBody != nil {
		raw, err := json.Marshal(requestBody)
		if err != nil {
			return nil, nil, err
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), reader)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("GitHub: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("GitHub: %s %s: %w", method, target.Path, err)
	case len(body) > maxBody:
		return nil, nil, fmt.Errorf("GitHub: %s %s: the response has more than %d bytes", method, target.Path, maxBody)
	}
	return response, body, nil
}

// rateLimitWait reports whether a response means that a rate limit was exceeded, and how long to
// wait. Such a response has the status 403 or 429. The header Retry-After has the seconds to wait,
// or X-RateLimit-Reset has the time at which the limit ends (REST API, "Rate limits").
func (c *Client) rateLimitWait(r *http.Response) (wait time.Duration, limited bool) {
	if r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(max(1, seconds)) * time.Second, true
	}
	if r.Header.Get("X-RateLimit-Remaining") == "0" {
		if resetTime, err := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return max(time.Second, time.Unix(resetTime, 0).Sub(c.now())), true
		}
	}
	// GitHub's documentation requires a wait of at least one minute if a response has none of these
	// headers.
	return time.Minute, r.StatusCode == http.StatusTooManyRequests
}

// nextLink matches the URL of the next page in a Link header.
var nextLink = regexp.MustCompile(`<([^>]+)>; *rel="next"`)

// nextPage returns the URL of the next page, or nil. It ignores a URL of another host, because that
// host would receive the token.
func (c *Client) nextPage(r *http.Response) *url.URL {
	match := nextLink.FindStringSubmatch(r.Header.Get("Link"))
	if match == nil {
		return nil
	}
	next, err := url.Parse(match[1])
	if err != nil || next.Host != c.base.Host || next.Scheme != c.base.Scheme {
		return nil
	}
	return next
}

// retry calls do until do succeeds, and at most attempts times. It calls do again only after a status
// of 5xx or a network error.
func (c *Client) retry(ctx context.Context, do func() error) error {
	var err error
	for n := range attempts {
		if n > 0 {
			if err := c.sleep(ctx, time.Second<<(n-1)); err != nil {
				return err
			}
		}
		err = do()
		var errorResponse *Error
		var networkError *url.Error
		isTemporary := errors.As(err, &errorResponse) && errorResponse.isRetryable() || errors.As(err, &networkError)
		if err == nil || ctx.Err() != nil || !isTemporary {
			return err
		}
	}
	return fmt.Errorf("%w, after %d attempts", err, attempts)
}

// repoURL returns the URL of a resource of the repository. format and args are the path.
func (c *Client) repoURL(query url.Values, format string, args ...any) *url.URL {
	target := *c.base
	target.Path = strings.TrimSuffix(target.Path, "/") + "/repos/" + c.repo + fmt.Sprintf(format, args...)
	target.RawQuery = query.Encode()
	return &target
}
