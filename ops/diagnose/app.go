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
	// minCertificateTime is the shortest remaining time of a certificate that is not a finding. ACM
	// renews a certificate 60 days before its end
	// (https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html). So at 30 days the
	// renewal has failed.
	minCertificateTime = 30 * 24 * time.Hour
	// statusPath is the path of mca's status. The status has the state of the circuit breaker for
	// each agent.
	statusPath = "/api/v1/agents/mca/status"
)

// endpoint is one of the paths that the function check_app_performance of the design document
// requests. A public endpoint needs no token.
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

// response is the response to one request, with its measured times.
type response struct {
	endpoint endpoint
	// status is 0 if no response arrived. If both status and err are set, the body is not complete.
	status int
	body   []byte
	err    error
	phases
	total time.Duration
	// certificateEnd is when the server's certificate expires. It is zero without TLS.
	certificateEnd time.Time
}

// sendRequest sends one request on a new connection, so that every phase is measured. roots are the
// trusted certificate authorities. nil means the authorities of the system.
func sendRequest(ctx context.Context, base *url.URL, e endpoint, token string, roots *x509.CertPool) (r response) {
	r.endpoint = e
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var (
		start, dns, connect, handshake time.Time
		measured                       phases
		// A host with an IPv4 and an IPv6 address is dialed twice at the same time, and the second
		// dial may end after the response.
		mu sync.Mutex
	)
	withLock := func(set func()) {
		mu.Lock()
		defer mu.Unlock()
		set()
	}
	defer withLock(func() { r.phases = measured })
	trace := &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { withLock(func() { dns = time.Now() }) },
		DNSDone:  func(httptrace.DNSDoneInfo) { withLock(func() { measured.dns = time.Since(dns) }) },
		ConnectStart: func(string, string) {
			withLock(func() {
				if connect.IsZero() {
					connect = time.Now()
				}
			})
		},
		ConnectDone: func(_, _ string, err error) {
			withLock(func() {
				if err == nil && measured.connect == 0 {
					measured.connect = time.Since(connect)
				}
			})
		},
		TLSHandshakeStart:    func() { withLock(func() { handshake = time.Now() }) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { withLock(func() { measured.tls = time.Since(handshake) }) },
		GotFirstResponseByte: func() { withLock(func() { measured.firstByte = time.Since(start) }) },
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
	start = time.Now()
	httpResponse, err := client.Do(req)
	if err != nil {
		r.err, r.total = err, time.Since(start)
		return r
	}
	defer httpResponse.Body.Close()
	r.body, r.err = io.ReadAll(io.LimitReader(httpResponse.Body, 1<<20))
	r.status, r.total = httpResponse.StatusCode, time.Since(start)
	if httpResponse.TLS != nil && len(httpResponse.TLS.PeerCertificates) > 0 {
		r.certificateEnd = httpResponse.TLS.PeerCertificates[0].NotAfter
	}
	return r
}

// formatDurations returns the total duration and the duration of each phase as text.
func (r response) formatDurations() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	return fmt.Sprintf("%s: DNS %s, connect %s, TLS %s, first byte %s", ms(r.total), ms(r.dns), ms(r.connect), ms(r.tls), ms(r.firstByte))
}

// appFindings judges the responses of the platform at the URL base.
func appFindings(base *url.URL, responses []response, now time.Time) (findings []Finding) {
	limit := scaling.DesignThresholds().Web.ResponseTime
	certificateReported := false // all endpoints have the same certificate, so one finding is enough
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
			if !certificateReported {
				f.Name, f.Where, f.Evidence = "certificate-invalid", base.Host, certificateErr.Err.Error()
				f.Cause, f.Fix = explainCertificateError(certificateErr.Err), "docs/runbooks/rotation.md#certificates-that-you-give; behind a proxy that intercepts TLS, run pf elsewhere"
				f.Next = certificateCommand(base)
			}
			certificateReported = true
		case errors.As(r.err, &dnsErr):
			f.Name, f.Evidence = "host-not-resolved", dnsErr.Error()
			f.Cause, f.Fix = "the DNS record of edge.domain does not exist, or the domain is not delegated to its hosted zone", "compare the name servers of the hosted zone with those at the registrar"
		case r.err != nil && r.status != 0:
			f.Name, f.Evidence = "endpoint-failing", fmt.Sprintf("an incomplete response: status %d and %d bytes, then %v after %s", r.status, len(r.body), errorWithoutURL(r.err), r.total.Round(time.Millisecond))
			f.Cause, f.Fix = "the service, or a proxy before it, ended the connection within the response", "see pod-restarts and pod-out-of-memory; docs/faults.md has each status and its cause"
		case r.err != nil:
			f.Name, f.Evidence = "endpoint-unreachable", errorWithoutURL(r.err).Error()+" after "+r.total.Round(time.Millisecond).String()
			f.Cause, f.Fix = "nothing listens at the address, or no pod of web is ready", "see the findings of resources; on the sandbox, run make status"
		case r.status == http.StatusUnauthorized && !r.endpoint.public:
			f.Name, f.Evidence = "token-refused", "status 401"
			f.Cause = "the token has expired, or the services have another issuer, audience or key set (auth.issuer, auth.audience, auth.jwksFile)"
			f.Fix, f.Next = "get a new token; if it is refused too, compare its claims iss, aud and kid with the configuration", "pulumi config get --path progressive-framework:auth"
		case r.status != http.StatusOK:
			f.Name, f.Evidence = "endpoint-failing", fmt.Sprintf("status %d %.80s", r.status, r.body)
			f.Cause, f.Fix = "the service or a store behind it fails", "docs/faults.md has each status and its cause"
		case r.total > limit:
			f.Name, f.Evidence, f.Threshold = "endpoint-slow", r.formatDurations(), limit.String()
			f.Cause, f.Fix = explainSlowResponse(r), "docs/runbooks/alerts.md#responsesslow"
		}
		if f.Name != "" {
			findings = append(findings, f)
		}
		if left := r.certificateEnd.Sub(now); !r.certificateEnd.IsZero() && left < minCertificateTime && !certificateReported {
			certificateReported = true
			findings = append(findings, Finding{
				Check: App, Name: "certificate-near-end", Where: base.Host, Threshold: "30 days",
				Evidence: fmt.Sprintf("ends at %s, in %d days", r.certificateEnd.UTC().Format(time.RFC3339), int(left.Hours()/24)),
				Cause:    "the certificate is not renewed: its validation record in DNS is gone", Fix: "run pulumi up, which creates the record; without edge.zone, docs/runbooks/rotation.md#certificates-that-you-give",
				Next: certificateCommand(base),
			})
		}
		if r.err == nil && r.status == http.StatusOK && r.endpoint.path == statusPath {
			findings = append(findings, breakerFindings(r.body, where)...)
		}
	}
	return findings
}

// explainCertificateError returns the likely cause of an invalid certificate.
func explainCertificateError(err error) string {
	var (
		hostnameErr  x509.HostnameError
		authorityErr x509.UnknownAuthorityError
		invalidErr   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &invalidErr) && invalidErr.Reason == x509.Expired:
		return "the certificate has expired, or the clock of this machine is wrong"
	case errors.As(err, &hostnameErr):
		return "the certificate is for other names than edge.domain"
	case errors.As(err, &authorityErr):
		return "this machine does not trust the authority of the certificate, or another server answers"
	}
	return "the server's certificate is not one for this platform"
}

// certificateCommand returns the command that prints the certificate of a server.
func certificateCommand(base *url.URL) string {
	return fmt.Sprintf("openssl s_client -connect %s:%s -servername %s </dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName", base.Hostname(), cmp.Or(base.Port(), "443"), base.Hostname())
}

// responseFigures returns the duration of each response, by phase.
func responseFigures(responses []response) (figures []Figure) {
	for _, r := range responses {
		if r.err == nil {
			figures = append(figures, Figure{App, r.endpoint.path, fmt.Sprintf("status %d, %s", r.status, r.formatDurations())})
		}
	}
	return figures
}

// explainSlowResponse returns a likely cause of a slow response: the cause that belongs to its
// longest phase.
func explainSlowResponse(r response) string {
	cause, longest := "the service computes for long, or waits for a store", r.firstByte-r.dns-r.connect-r.tls
	for _, p := range []struct {
		duration time.Duration
		cause    string
	}{{r.dns, "the resolver is slow"}, {r.connect, "the network or the load balancer is slow"}, {r.tls, "the TLS handshake is slow"}} {
		if p.duration > longest {
			cause, longest = p.cause, p.duration
		}
	}
	return cause
}

// breakerFindings judges the state of mca's circuit breakers in the body of mca's status. An
// unreadable body is a finding itself.
func breakerFindings(body []byte, where string) (findings []Finding) {
	var status struct{ Agents map[string]string }
	if err := json.Unmarshal(body, &status); err != nil || len(status.Agents) == 0 {
		return []Finding{{
			Check: Agents, Name: "status-unreadable", Where: where, Evidence: fmt.Sprintf("%.80q", body),
			Cause: "another program answers at this path", Fix: "compare the load balancer's rules with components/traffic", Next: "curl -s " + where + ` -H "Authorization: Bearer $TOKEN"`,
		}}
	}
	for _, agent := range slices.Sorted(maps.Keys(status.Agents)) {
		if state := status.Agents[agent]; state != "up" {
			findings = append(findings, Finding{
				Check: Agents, Name: "breaker-open", Where: agent, Evidence: "mca reports " + state + " for " + agent, Threshold: "up",
				Cause: "the last requests of mca to the agent failed, so mca sends it no or few requests", Fix: "repair the agent; then the circuit breaker closes by itself",
				Next: "curl -s " + where + ` -H "Authorization: Bearer $TOKEN"`,
			})
		}
	}
	return findings
}

// errorWithoutURL returns the error inside a url.Error, or err itself. The text of a url.Error
// repeats the URL, which each finding already has.
func errorWithoutURL(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	return errors.New(strings.TrimSpace(err.Error()))
}
