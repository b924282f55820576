package localcluster

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

	"github.com/progressive-framework/platform/sandbox/layout"
)

// checkTimeout limits one health check.
const checkTimeout = 5 * time.Second

// bodyLimit is how many bytes of a response a check reads.
const bodyLimit = 1 << 20

// probe is a health check: a request, and the statuses with which a healthy component may respond.
type probe struct {
	url              string
	authority        string // name of the server's certificate authority; empty for plain HTTP
	clientCert       string // name of the client certificate; empty for no certificate
	acceptedStatuses []int  // accepted in addition to 200
}

// get sends the request and returns the body of the response. It returns an error if the status
// of the response is neither 200 nor in acceptedStatuses.
func (p probe) get(ctx context.Context, l *layout.Layout) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	if p.authority != "" {
		conf, err := p.tlsConfig(l)
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
	for _, status := range append([]int{http.StatusOK}, p.acceptedStatuses...) {
		if res.StatusCode == status {
			return body, nil
		}
	}
	return nil, fmt.Errorf("%s responds with %s: %s", p.url, res.Status, firstLines(string(body), 5))
}

func (p probe) tlsConfig(l *layout.Layout) (*tls.Config, error) {
	files := pki{dir: l.PKI()}
	raw, err := os.ReadFile(files.cert(p.authority))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s contains no certificate", files.cert(p.authority))
	}
	conf := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if p.clientCert != "" {
		cert, err := tls.LoadX509KeyPair(files.cert(p.clientCert), files.key(p.clientCert))
		if err != nil {
			return nil, err
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}

// firstLines returns the first n lines of a text, joined by semicolons.
func firstLines(text string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "; ")
}

func loopbackURL(scheme string, port int, path string) string {
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) + path
}

// checkRegistry checks that the registry responds. /v2/ requires the password, so a healthy
// registry responds to this request without a password with status 401.
func checkRegistry(ctx context.Context, l *layout.Layout) error {
	_, err := probe{url: loopbackURL("http", l.Ports.Registry, "/v2/"), acceptedStatuses: []int{http.StatusUnauthorized}}.get(ctx, l)
	return err
}

func checkEtcd(ctx context.Context, l *layout.Layout) error {
	_, err := probe{url: loopbackURL("https", l.Ports.EtcdClient, "/health"),
		authority: "etcd-ca", clientCert: "apiserver-etcd-client"}.get(ctx, l)
	return err
}

// getObject reads an object of the API server into target, as the administrator. If target is
// nil, getObject only checks that the API server responds with status 200.
func getObject(ctx context.Context, l *layout.Layout, path string, target any) error {
	body, err := probe{url: loopbackURL("https", l.Ports.APIServer, path), authority: "ca", clientCert: "admin"}.get(ctx, l)
	if err != nil || target == nil {
		return err
	}
	return json.Unmarshal(body, target)
}

func checkAPIServer(ctx context.Context, l *layout.Layout) error {
	return getObject(ctx, l, "/readyz", nil)
}

// checkControllerManager checks the controller manager's health. It also checks that the
// default service account exists, because pods need it.
func checkControllerManager(ctx context.Context, l *layout.Layout) error {
	if _, err := (probe{url: loopbackURL("https", l.Ports.ControllerManager, "/healthz"), authority: "ca"}).get(ctx, l); err != nil {
		return err
	}
	return getObject(ctx, l, "/api/v1/namespaces/default/serviceaccounts/default", nil)
}

func checkScheduler(ctx context.Context, l *layout.Layout) error {
	_, err := probe{url: loopbackURL("https", l.Ports.Scheduler, "/readyz"), authority: "ca"}.get(ctx, l)
	return err
}

// checkContainerd asks containerd for its status through the interface that the kubelet uses
// (CRI). The runtime and the pods' network must be ready.
func checkContainerd(ctx context.Context, l *layout.Layout) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	client, err := dialRuntime(l)
	if err != nil {
		return err
	}
	defer client.Close()
	res, err := client.Status(ctx, &criapi.StatusRequest{})
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

// checkKubelet checks the kubelet's health. It also reads the node from the API server, and
// requires that the node has the condition Ready.
func checkKubelet(ctx context.Context, l *layout.Layout) error {
	if _, err := (probe{url: loopbackURL("http", l.Ports.KubeletHealth, "/healthz")}).get(ctx, l); err != nil {
		return err
	}
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := getObject(ctx, l, "/api/v1/nodes/"+NodeName, &node); err != nil {
		return err
	}
	for _, c := range node.Status.Conditions {
		if c.Type != "Ready" {
			continue
		}
		if c.Status != "True" {
			return fmt.Errorf("node %s is not ready: %s", NodeName, c.Message)
		}
		return nil
	}
	return errors.New("node " + NodeName + " has no condition Ready yet")
}

func checkProxy(ctx context.Context, l *layout.Layout) error {
	_, err := probe{url: loopbackURL("http", l.Ports.ProxyHealth, "/healthz")}.get(ctx, l)
	return err
}

// queuesFile lists the kernel's packet queues. A queue is in the list only while a process
// reads from it. Each line begins with the number of a queue.
const queuesFile = "/proc/net/netfilter/nfnetlink_queue"

// checkNetworkPolicies checks that a process reads from the packet queue NFQueueNumber.
func checkNetworkPolicies(context.Context, *layout.Layout) error {
	raw, err := os.ReadFile(queuesFile)
	if err != nil {
		return fmt.Errorf("network policies: %w (the kernel needs the module nfnetlink_queue)", err)
	}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == strconv.Itoa(NFQueueNumber) {
			return nil
		}
	}
	return fmt.Errorf("network policies: no process reads queue %d of %s yet", NFQueueNumber, queuesFile)
}

func checkKwok(ctx context.Context, l *layout.Layout) error {
	_, err := probe{url: loopbackURL("http", l.Ports.KubeletHealth, "/healthz")}.get(ctx, l)
	return err
}

func checkVolumes(ctx context.Context, l *layout.Layout) error {
	_, err := probe{url: loopbackURL("http", l.Ports.Volumes, "/healthz")}.get(ctx, l)
	return err
}
