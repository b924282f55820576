package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/process"
)

// awaitFront requests the platform's /health until the response has the status 200, for at most
// limit. It calls detail with the error of each failed request.
func awaitFront(ctx context.Context, url string, limit time.Duration, detail func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	for {
		err := checkHealth(ctx, client, url+"/health")
		if err == nil {
			return nil
		}
		detail(err.Error())
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the platform did not answer within %s: %w; see make status and kubectl get pods -A", limit, err)
		}
	}
}

// checkHealth sends one request to url. It returns an error unless the response has the status 200.
func checkHealth(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s responds with %s", url, res.Status)
	}
	return nil
}

// The Service through which users reach the platform. In a user's own cluster, the sandbox listens
// on a local port and forwards its connections to this Service.
const (
	frontService = "progressive-framework-v5-service"
	frontPort    = 80
)

// startForward starts the process that forwards to frontService in the namespace. Because of this
// process, the platform's URL is the same on every kind of cluster.
func startForward(ctx context.Context, l *layout.Layout, namespace string) error {
	if namespace == "" {
		return errors.New("the stack has no output named namespace, so the front service can't be found")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("path of this program: %w", err)
	}
	_, err = process.Start(ctx, l, process.Spec{
		Name: localcluster.Forward, Path: self,
		Args:   []string{"run", localcluster.Forward, namespace, frontService, fmt.Sprint(frontPort)},
		Env:    []string{layout.Variable + "=" + l.Dir},
		Inputs: []string{l.Kubeconfig()},
	})
	return err
}
