package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
)

// least is the floor that mca is compared with: it asks the stub at url for
// both parts at once, over net/http as it comes, and joins the bytes. It knows
// no token, cache, log, record or rule.
func least(url string) http.HandlerFunc {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * clients}}
	ask := func(ctx context.Context, path string, body []byte) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, bytes.NewReader(body)) //nolint:gosec // bench says whom to ask
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(request) //nolint:gosec // as above
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the stub answered %s", answer.Status)
		}
		return io.ReadAll(answer.Body)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		paths := []string{"/plan", "/generate"}
		parts, errs := make([][]byte, len(paths)), make([]error, len(paths))
		var both sync.WaitGroup
		for i, path := range paths {
			both.Go(func() { parts[i], errs[i] = ask(r.Context(), path, body) })
		}
		both.Wait()
		if err := errors.Join(errs...); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(slices.Concat([]byte("["), parts[0], []byte(","), parts[1], []byte("]"))) // the client has left
	}
}
