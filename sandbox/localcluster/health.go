package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	criapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/progressive-framework/platform/sandbox/home"
)

// checkTimeout bounds one health check.
const checkTimeout = 5 * time.Second

// bodyLimit bounds what a check reads of an answer, in bytes.
const bodyLimit = 1 << 20

// probe is one request that a healthy component answers with 200.
type probe struct {
	url       string
	authority string // certificate authority of the server; empty: plain HTTP
	client    string // client certificate; empty: none
	accept    []int  // further statuses that show it works
}

// get asks and returns the body.
func (p probe) get(ctx context.Context, h *home.Home) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	if p.authority != "" {
		conf, err := p.tls(h)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = conf
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return nil, err
	}
	for _, status := range append([]int{http.StatusOK}, p.accept...) {
		if res.StatusCode == status {
			return body, nil
		}
	}
	return nil, fmt.Errorf("%s answers %s: %s", p.url, res.Status, firstLines(string(body), 5))
}

func (p probe) tls(h *home.Home) (*tls.Config, error) {
	files := pki{dir: h.PKI()}
	raw, err := os.ReadFile(files.cert(p.authority))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s holds no certificate", files.cert(p.authority))
	}
	conf := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if p.client != "" {
		cert, err := tls.LoadX509KeyPair(files.cert(p.client), files.key(p.client))
		if err != nil {
			return nil, err
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}

func firstLines(text string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "; ")
}

func on(scheme string, port int, path string) string {
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) + path
}

func registryHealthy(ctx context.Context, h *home.Home) error {
	_, err := probe{url: on("http", h.Ports.Registry, "/v2/"), accept: []int{http.StatusUnauthorized}}.get(ctx, h)
	return err
}

func etcdHealthy(ctx context.Context, h *home.Home) error {
	_, err := probe{url: on("https", h.Ports.EtcdClient, "/health"),
		authority: "etcd-ca", client: "apiserver-etcd-client"}.get(ctx, h)
	return err
}

// ask reads an object of the API server as the administrator.
func ask(ctx context.Context, h *home.Home, path string, into any) error {
	body, err := probe{url: on("https", h.Ports.APIServer, path), authority: "ca", client: "admin"}.get(ctx, h)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func apiServerHealthy(ctx context.Context, h *home.Home) error { return ask(ctx, h, "/readyz", nil) }

// controllerManagerHealthy waits for the first thing that pods need of it, too:
// the account that they run as.
func controllerManagerHealthy(ctx context.Context, h *home.Home) error {
	if _, err := (probe{url: on("https", h.Ports.ControllerManager, "/healthz"), authority: "ca"}).get(ctx, h); err != nil {
		return err
	}
	return ask(ctx, h, "/api/v1/namespaces/default/serviceaccounts/default", nil)
}

func schedulerHealthy(ctx context.Context, h *home.Home) error {
	_, err := probe{url: on("https", h.Ports.Scheduler, "/readyz"), authority: "ca"}.get(ctx, h)
	return err
}

// containerdHealthy asks through the interface that the kubelet uses: the
// runtime and the pods' network have to be ready.
func containerdHealthy(ctx context.Context, h *home.Home) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	runtime, err := dialRuntime(h)
	if err != nil {
		return err
	}
	defer runtime.Close()
	res, err := runtime.Status(ctx, &criapi.StatusRequest{})
	if err != nil {
		return err
	}
	for _, c := range res.GetStatus().GetConditions() {
		if !c.GetStatus() {
			return fmt.Errorf("%s is not true: %s: %s", c.GetType(), c.GetReason(), c.GetMessage())
		}
	}
	return nil
}

// kubeletHealthy waits until the API server knows the node to be ready.
func kubeletHealthy(ctx context.Context, h *home.Home) error {
	if _, err := (probe{url: on("http", h.Ports.KubeletHealth, "/healthz")}).get(ctx, h); err != nil {
		return err
	}
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := ask(ctx, h, "/api/v1/nodes/"+NodeName, &node); err != nil {
		return err
	}
	for _, c := range node.Status.Conditions {
		if c.Type == "Ready" && c.Status == "True" {
			return nil
		} else if c.Type == "Ready" {
			return fmt.Errorf("node %s is not ready: %s", NodeName, c.Message)
		}
	}
	return errors.New("node " + NodeName + " says nothing of its readiness yet")
}

func proxyHealthy(ctx context.Context, h *home.Home) error {
	_, err := probe{url: on("http", h.Ports.ProxyHealth, "/healthz")}.get(ctx, h)
	return err
}

func kwokHealthy(ctx context.Context, h *home.Home) error {
	_, err := probe{url: on("http", h.Ports.KubeletHealth, "/healthz")}.get(ctx, h)
	return err
}

func volumesHealthy(ctx context.Context, h *home.Home) error {
	_, err := probe{url: on("http", h.Ports.Volumes, "/healthz")}.get(ctx, h)
	return err
}
