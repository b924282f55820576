package aws

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/progressive-framework/platform/sandbox/aws/faults"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

// crashCode is the plugin's exit code after a fault Crash: that of a process killed
// by SIGKILL.
const crashCode = 137

// withFaults executes one call. If a fault is configured for the call, it delays the
// call, or makes it fail or lose its reply.
func (p *provider) withFaults(ctx context.Context, op, token, urn string, do func() error) error {
	if p.session != nil {
		bound, release := p.session.Bound(ctx)
		defer release()
		ctx = bound
	}
	delay, fault, err := p.faults.CountCall(op, token)
	if err != nil {
		return err
	}
	if err := pause(ctx, delay+jitter(p.layout.OrderSeed, op, urn)); err != nil {
		return err
	}
	if fault == nil {
		return do()
	}
	switch fault.Mode {
	case faults.Error:
		return faultError(op, token, fault, "InternalError", "An internal error has occurred")
	case faults.Throttle:
		p.log(ctx, pulumirpc.LogSeverity_DEBUG, urn, fmt.Sprintf("throttled by AWS; waiting %s, as the provider's retries do", fault.Delay))
		if err := pause(ctx, fault.Delay); err != nil {
			return err
		}
		if fault.Permanent {
			code, message := "ThrottlingException", "Rate exceeded"
			if strings.HasPrefix(token, "aws:ec2/") || strings.HasPrefix(token, "aws:vpc/") {
				code, message = "RequestLimitExceeded", "Request limit exceeded."
			}
			return faultError(op, token, fault, code, "exceeded maximum number of attempts, "+message)
		}
		return do()
	}
	if err := do(); err != nil {
		return err
	}
	if fault.Mode == faults.Crash {
		p.exit(crashCode)
	}
	return status.Error(codes.Unavailable, fmt.Sprintf("%s: request send failed, connection reset by peer", errorPrefix(op, token)))
}

// faultError returns an error with the text of AWS and its provider.
func faultError(op, token string, f *faults.Fault, code, message string) error {
	return fmt.Errorf("%s: %w", errorPrefix(op, token), &rules.APIError{Code: cmp.Or(f.Code, code), Message: cmp.Or(f.Message, message)})
}

// errorPrefix returns the start of the provider's error messages, such as "creating EC2 VPC".
func errorPrefix(op, token string) string {
	label := token
	if row, ok := rules.RowOf(token); ok {
		label = row.Label
	}
	verb := map[string]string{"create": "creating", "read": "reading", "update": "updating", "delete": "deleting", "invoke": "invoking"}[op]
	return verb + " " + label
}

// The delays of jitter. Most calls have a delay below quickest. One call in slowShare
// has a delay of up to slowest, so that later calls finish before it.
const (
	quickest, slowest = 5 * time.Millisecond, 100 * time.Millisecond
	slowShare         = 8
)

// jitter returns a random delay for a change. It depends only on the seed and on the
// change, so that a failed run can be repeated.
func jitter(seed uint64, op, urn string) time.Duration {
	if seed == 0 || op == "read" || op == "invoke" {
		return 0
	}
	hash := fnv.New64a()
	hash.Write([]byte(op + " " + urn))
	rng := rand.New(rand.NewPCG(seed, hash.Sum64()))
	if rng.IntN(slowShare) == 0 {
		return time.Duration(rng.Int64N(int64(slowest)))
	}
	return time.Duration(rng.Int64N(int64(quickest)))
}

// pause waits for a duration, or until ctx ends; then it returns ctx's cause.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
