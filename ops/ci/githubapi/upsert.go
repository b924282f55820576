package githubapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// item is a comment or an issue.
type item struct {
	ID     int64  `json:"id"`
	Number int    `json:"number"`
	Body   string `json:"body"`
	URL    string `json:"html_url"`
	State  string `json:"state"`
	Title  string `json:"title"`
	// PullRequest is set if the issue is a pull request.
	PullRequest *struct{} `json:"pull_request"`
	User        struct {
		Login string `json:"login"`
	} `json:"user"`
}

// findItem returns the first item of c.author that begins with the marker, or nil if there is none. It
// ignores an item that quotes the marker in the middle of the text, and a pull request.
func (c *Client) findItem(ctx context.Context, listURL *url.URL, marker string) (*item, error) {
	for page, next := 1, listURL; next != nil; page++ {
		if page > maxPages {
			return nil, fmt.Errorf("GitHub: %s has more than %d pages", listURL.Path, maxPages)
		}
		var items []item
		nextPageURL, err := c.send(ctx, http.MethodGet, next, nil, &items)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			mayBeEdited := c.author == "" || i.User.Login == c.author
			if mayBeEdited && i.PullRequest == nil && strings.HasPrefix(i.Body, marker) {
				return &i, nil
			}
		}
		next = nextPageURL
	}
	return nil, nil
}

// upsert edits the item with the marker, or creates it if there is none. A create request without
// a response may have succeeded. So each attempt searches for the item again before it creates
// one. The request to create an item is sent to createURL. editURL returns the URL of an existing
// item.
func (c *Client) upsert(ctx context.Context, listURL, createURL *url.URL, editURL func(item) *url.URL, marker string, content map[string]any) (itemURL string, err error) {
	err = c.retry(ctx, func() error {
		found, err := c.findItem(ctx, listURL, marker)
		if err != nil {
			return err
		}
		var written item
		method, target := http.MethodPost, createURL
		if found != nil {
			if hasContent(*found, content) {
				itemURL = found.URL
				return nil
			}
			method, target = http.MethodPatch, editURL(*found)
		}
		_, err = c.send(ctx, method, target, content, &written)
		itemURL = written.URL
		return err
	})
	return itemURL, err
}

// hasContent reports whether an item already has the content.
func hasContent(i item, content map[string]any) bool {
	title, hasTitle := content["title"]
	return i.Body == content["body"] && (!hasTitle || i.Title == title)
}

// errNoMarker is the error for a body without a marker. No later run could find such a comment or issue.
var errNoMarker = errors.New("the body must begin with its marker, <!-- NAME -->")

// checkMarker refuses a body that does not begin with the marker.
func checkMarker(marker, body string) error {
	if !strings.HasPrefix(marker, "<!-- ") || !strings.HasSuffix(marker, " -->") || !strings.HasPrefix(body, marker) {
		return errNoMarker
	}
	return nil
}

// UpsertComment creates a comment of a pull request, or edits the comment that begins with marker. It
// returns the URL of the comment.
func (c *Client) UpsertComment(ctx context.Context, pull int, marker, body string) (itemURL string, err error) {
	if err := checkMarker(marker, body); err != nil {
		return "", err
	}
	if pull < 1 {
		return "", fmt.Errorf("the pull request is %d, must be a number of 1 or more", pull)
	}
	comments := c.repoURL(nil, "/issues/%d/comments", pull)
	return c.upsert(ctx, c.repoURL(url.Values{"per_page": {"100"}}, "/issues/%d/comments", pull), comments,
		func(i item) *url.URL { return c.repoURL(nil, "/issues/comments/%d", i.ID) }, marker, map[string]any{"body": body})
}

// openIssuesURL returns the URL of the list of open issues.
func (c *Client) openIssuesURL() *url.URL {
	return c.repoURL(url.Values{"state": {"open"}, "per_page": {"100"}}, "/issues")
}

// issueURL returns the URL of an issue.
func (c *Client) issueURL(i item) *url.URL { return c.repoURL(nil, "/issues/%d", i.Number) }

// UpsertIssue creates an issue, or edits the open issue that begins with marker. It returns the
// URL of the issue.
func (c *Client) UpsertIssue(ctx context.Context, marker, title, body string) (itemURL string, err error) {
	if err := checkMarker(marker, body); err != nil {
		return "", err
	}
	return c.upsert(ctx, c.openIssuesURL(), c.repoURL(nil, "/issues"), c.issueURL, marker, map[string]any{"title": title, "body": body})
}

// CloseIssue closes the open issue that begins with marker. It returns the URL of the issue, or ""
// if there is none.
func (c *Client) CloseIssue(ctx context.Context, marker string) (itemURL string, err error) {
	var closed item
	err = c.retry(ctx, func() error {
		found, err := c.findItem(ctx, c.openIssuesURL(), marker)
		if err != nil || found == nil {
			return err
		}
		_, err = c.send(ctx, http.MethodPatch, c.issueURL(*found), map[string]any{"state": "closed", "state_reason": "completed"}, &closed)
		return err
	})
	return closed.URL, err
}
