package main

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// clients is how many connections send at once, each its next request when it
// has its answer.
const clients = 16

// warmUp precedes each measurement and is not counted.
const warmUp = time.Second

// endpoint is one request that is measured; body is made anew for each, by its
// number.
type endpoint struct {
	name, method, url, token string
	body                     func(n int) string
}

type result struct {
	perSecond float64
	failed    int
	took      []time.Duration // sorted
}

func (r result) percentile(p int) time.Duration {
	return r.took[min(len(r.took)*p/100, len(r.took)-1)].Round(10 * time.Microsecond)
}

// saturate sends for that long and returns what came of it.
func saturate(ctx context.Context, e endpoint, each time.Duration) (result, error) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	if _, err := send(ctx, client, e, -1); err != nil {
		return result{}, err
	}
	var (
		total result
		mu    sync.Mutex
		all   sync.WaitGroup
	)
	begin := time.Now().Add(warmUp)
	end := begin.Add(each)
	for worker := range clients {
		all.Go(func() {
			var took []time.Duration
			failed := 0
			for n := worker; ; n += clients {
				began := time.Now()
				if began.After(end) {
					break
				}
				status, err := send(ctx, client, e, n)
				if began.Before(begin) {
					continue
				}
				if err != nil || status != http.StatusOK {
					failed++
					continue
				}
				took = append(took, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			total.took = append(total.took, took...)
			total.failed += failed
		})
	}
	all.Wait()
	slices.Sort(total.took)
	total.perSecond = float64(len(total.took)) / each.Seconds()
	return total, nil
}

func send(ctx context.Context, client *http.Client, e endpoint, n int) (int, error) {
	request, err := http.NewRequestWithContext(ctx, e.method, e.url, strings.NewReader(e.body(n)))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+e.token)
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}
