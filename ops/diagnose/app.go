package diagnose

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// requestTimeout limits one request of the check app.
	requestTimeout = 4 * time.Second
	// renewal is how long before its end a certificate is a finding. ACM renews 60 days before the
	// end (https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html). So at 30 days
	// the renewal has failed.
	renewal = 30 * 24 * time.Hour
	// statusPath is the path of mca's status, which has the state of its breaker for each agent.
	statusPath = "/api/v1/agents/mca/status"
)

// endpoint is a path that the function check_app_performance of the design document requests.
type endpoint struct {
	path   string
	public bool
}

var endpoints = []endpoint{
	{"/health", true},
	{"/api/v1/users/profile", false},
	{statusPath, false},
	{"/api/v1/agents/mca/health", true},
	{"/api/v1/agents/npa/health", true},
	{"/api/v1/agents/wpa/health", true},
}

// phases has the duration of each phase of a request. It is 0 if the request did not need the phase.
type phases struct {
	dns, connect, tls, firstByte time.Duration
}

// response is what was measured of one request.
type response struct {
	endpoint endpoint
	// status is 0 without a response. err may also be set with a status: the body was not complete.
	status int
	body   []byte
	err    error
	phases
	total time.Duration
	// certificateEnd is when the server's certificate expires. It is zero without TLS.
	certificateEnd time.Time
}

// request sends one request on a new connection, so that every phase is measured. roots are the
// trusted authorities; nil means those of the system.
func request(ctx context.Context, base *url.URL, e endpoint, token string, roots *x509.CertPool) (r response) {
	r.endpoint = e
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var (
		began, dns, connect, handshake time.Time
		took                           phases
		// A host with an IPv4 and an IPv6 address is dialed twice at the same time, and the second
		// dial may end after the response.
		mu sync.Mutex
	)
	locked := func(set func()) {
		mu.Lock()
		defer mu.Unlock()
		set()
	}
	defer locked(func() { r.phases = took })
	trace := &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { locked(func() { dns = time.Now() }) },
		DNSDone:  func(httptrace.DNSDoneInfo) { locked(func() { took.dns = time.Since(dns) }) },
		ConnectStart: func(string, string) {
			locked(func() {
				if connect.IsZero() {
					connect = time.Now()
				}
			})
		},
		ConnectDone: func(_, _ string, err error) {
			locked(func() {
				if err == nil && took.connect == 0 {
					took.connect = time.Since(connect)
				}
			})
		},
		TLSHandshakeStart:    func() { locked(func() { handshake = time.Now() }) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { locked(func() { took.tls = time.Since(handshake) }) },
		GotFirstResponseByte: func() { locked(func() { took.firstByte = time.Since(began) }) },
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, base.JoinPath(e.path).String(), nil)
	if err != nil {
		r.err = err
		return r
	}
	if !e.public {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	began = time.Now()
	answer, err := client.Do(req)
	if err != nil {
		r.err, r.total = err, time.Since(began)
		return r
	}
	defer answer.Body.Close()
	r.body, r.err = io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	r.status, r.total = answer.StatusCode, time.Since(began)
	if answer.TLS != nil && len(answer.TLS.PeerCertificates) > 0 {
		r.certificateEnd = answer.TLS.PeerCertificates[0].NotAfter
	}
	return r
}

// durations prints the duration of each phase.
func (r response) durations() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	return fmt.Sprintf("%s: DNS %s, connect %s, TLS %s, first byte %s", ms(r.total), ms(r.dns), ms(r.connect), ms(r.tls), ms(r.firstByte))
}

// appFindings judges the responses of the platform at the URL base.
func appFindings(base *url.URL, responses []response, now time.Time) (list []Finding) {
	limit := scaling.Targets().Web.ResponseTime
	certificateSeen := false // all endpoints have the same certificate
	for _, r := range responses {
		where := base.JoinPath(r.endpoint.path).String()
		next := "curl -sv " + where
		if !r.endpoint.public {
			next += ` -H "Authorization: Bearer $TOKEN"`
		}
		f := Finding{Check: App, Where: where, Next: next}
		var dnsErr *net.DNSError
		var certificateErr *tls.CertificateVerificationError
		switch {
		case errors.As(r.err, &certificateErr):
			if !certificateSeen {
				f.Name, f.Where, f.Evidence = "certificate-invalid", base.Host, certificateErr.Err.Error()
				f.Cause, f.Fix = certificateCause(certificateErr.Err), "docs/runbooks/rotation.md#certificates-that-you-give; behind a proxy that opens TLS, run pf elsewhere"
				f.Next = showCertificate(base)
			}
			certificateSeen = true
		case errors.As(r.err, &dnsErr):
			f.Name, f.Evidence = "host-not-resolved", dnsErr.Error()
			f.Cause, f.Fix = "the DNS record of edge.domain does not exist, or the domain is not delegated to its hosted zone", "compare the name servers of the hosted zone with those at the registrar"
		case r.err != nil && r.status != 0:
			f.Name, f.Evidence = "endpoint-failing", fmt.Sprintf("half an answer: status %d and %d bytes, then %v after %s", r.status, len(r.body), lastError(r.err), r.total.Round(time.Millisecond))
			f.Cause, f.Fix = "the service, or a proxy before it, ended the connection within the response", "see pod-restarts and pod-out-of-memory; docs/faults.md has each status and its cause"
		case r.err != nil:
			f.Name, f.Evidence = "endpoint-unreachable", lastError(r.err).Error()+" after "+r.total.Round(time.Millisecond).String()
			f.Cause, f.Fix = "nothing listens at the address, or no pod of web is ready", "see the findings of resources; on the sandbox, run make status"
		case r.status == http.StatusUnauthorized && !r.endpoint.public:
			f.Name, f.Evidence = "token-refused", "status 401"
			f.Cause = "the token has expired, or the services have another issuer, audience or key set (auth.issuer, auth.audience, auth.jwksFile)"
			f.Fix, f.Next = "get a new token; if it is refused too, compare its claims iss, aud and kid with the configuration", "pulumi config get --path progressive-framework:auth"
		case r.status != http.StatusOK:
			f.Name, f.Evidence = "endpoint-failing", fmt.Sprintf("status %d %.80s", r.status, r.body)
			f.Cause, f.Fix = "the service or a store behind it fails", "docs/faults.md has each status and its cause"
		case r.total > limit:
			f.Name, f.Evidence, f.Threshold = "endpoint-slow", r.durations(), limit.String()
			f.Cause, f.Fix = slowCause(r), "docs/runbooks/alerts.md#responsesslow"
		}
		if f.Name != "" {
			list = append(list, f)
		}
		if left := r.certificateEnd.Sub(now); !r.certificateEnd.IsZero() && left < renewal && !certificateSeen {
			certificateSeen = true
			list = append(list, Finding{
				Check: App, Name: "certificate-near-end", Where: base.Host, Threshold: "30 days",
				Evidence: fmt.Sprintf("ends at %s, in %d days", r.certificateEnd.UTC().Format(time.RFC3339), int(left.Hours()/24)),
				Cause:    "the certificate is not renewed: its validation record in DNS is gone", Fix: "run pulumi up, which creates the record; without edge.zone, docs/runbooks/rotation.md#certificates-that-you-give",
				Next: showCertificate(base),
			})
		}
		if r.err == nil && r.status == http.StatusOK && r.endpoint.path == statusPath {
			list = append(list, breakerFindings(r.body, where)...)
		}
	}
	return list
}

// certificateCause explains why a certificate is not valid.
func certificateCause(err error) string {
	var (
		name    x509.HostnameError
		foreign x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired, or the clock of this machine is wrong"
	case errors.As(err, &name):
		return "the certificate is for other names than edge.domain"
	case errors.As(err, &foreign):
		return "this machine does not trust the authority of the certificate, or another server answers"
	}
	return "the server's certificate is not one for this platform"
}

// showCertificate returns the command that prints the certificate of a server.
func showCertificate(base *url.URL) string {
	return fmt.Sprintf("openssl s_client -connect %s:%s -servername %s </dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName", base.Hostname(), cmp.Or(base.Port(), "443"), base.Hostname())
}

// responseFigures returns the duration of each response, by phase.
func responseFigures(responses []response) (figures []Figure) {
	for _, r := range responses {
		if r.err == nil {
			figures = append(figures, Figure{App, r.endpoint.path, fmt.Sprintf("status %d, %s", r.status, r.durations())})
		}
	}
	return figures
}

// slowCause explains a slow response by its longest phase.
func slowCause(r response) string {
	phase, longest := "the service computes for long, or waits for a store", r.firstByte-r.dns-r.connect-r.tls
	for _, p := range []struct {
		took time.Duration
		name string
	}{{r.dns, "the resolver is slow"}, {r.connect, "the network or the load balancer is slow"}, {r.tls, "the TLS handshake is slow"}} {
		if p.took > longest {
			phase, longest = p.name, p.took
		}
	}
	return phase
}

// breakerFindings judges the body of mca's status.
func breakerFindings(body []byte, where string) (list []Finding) {
	var status struct{ Agents map[string]string }
	if err := json.Unmarshal(body, &status); err != nil || len(status.Agents) == 0 {
		return []Finding{{
			Check: Agents, Name: "status-unreadable", Where: where, Evidence: fmt.Sprintf("%.80q", body),
			Cause: "another program answers at this path", Fix: "compare the load balancer's rules with components/traffic", Next: "curl -s " + where + ` -H "Authorization: Bearer $TOKEN"`,
		}}
	}
	for _, agent := range slices.Sorted(maps.Keys(status.Agents)) {
		if state := status.Agents[agent]; state != "up" {
			list = append(list, Finding{
				Check: Agents, Name: "breaker-open", Where: agent, Evidence: "mca says " + state + " of " + agent, Threshold: "up",
				Cause: "the last requests of mca to the agent failed, so mca sends it no or few requests", Fix: "repair the agent; then the circuit breaker closes by itself",
				Next: "curl -s " + where + ` -H "Authorization: Bearer $TOKEN"`,
			})
		}
	}
	return list
}

// lastError returns the innermost error. The outer ones repeat the URL, which each finding has.
func lastError(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	return errors.New(strings.TrimSpace(err.Error()))
}
