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

// crashCode is the exit code of the plugin after the fault faults.Crash. A shell reports the same
// code for a process that SIGKILL has killed.
const crashCode = 137

// withFaults executes a call of the engine with the function do. It applies the configured
// faults and delays to the call. op is the operation, such as create. token is the type of the
// resource or function. urn is the URN of the resource.
func (p *provider) withFaults(ctx context.Context, op, token, urn string, do func() error) error {
	if p.session != nil {
		sessionCtx, release := p.session.CallContext(ctx)
		defer release()
		ctx = sessionCtx
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
	// The other modes execute the call, and the engine does not get the response.
	if err := do(); err != nil {
		return err
	}
	if fault.Mode == faults.Crash {
		p.exit(crashCode)
	}
	return status.Error(codes.Unavailable, fmt.Sprintf("%s: request send failed, connection reset by peer", errorPrefix(op, token)))
}

// faultError returns the error of a fault. code and message are used if the fault has no
// code or no message.
func faultError(op, token string, f *faults.Fault, code, message string) error {
	return fmt.Errorf("%s: %w", errorPrefix(op, token), &rules.APIError{Code: cmp.Or(f.Code, code), Message: cmp.Or(f.Message, message)})
}

// errorPrefix returns the start of the provider's error messages, such as "creating EC2 VPC".
func errorPrefix(op, token string) string {
	label := token
	if row, ok := rules.LookupRow(token); ok {
		label = row.Label
	}
	verb := map[string]string{"create": "creating", "read": "reading", "update": "updating", "delete": "deleting", "invoke": "invoking"}[op]
	return verb + " " + label
}

// The delays of jitter. Most calls have a delay below maxShortDelay, so that tests are fast. On
// average, one of callsPerLongDelay calls has a delay below maxLongDelay, so that later calls can
// finish before this call.
const (
	maxShortDelay     = 5 * time.Millisecond
	maxLongDelay      = 100 * time.Millisecond
	callsPerLongDelay = 8
)

// jitter returns a random delay for a creation, an update or a deletion. The delay depends
// only on the seed, the operation and the resource, so a failed test can be repeated. The
// seed 0 means no delay.
func jitter(seed uint64, op, urn string) time.Duration {
	if seed == 0 || op == "read" || op == "invoke" {
		return 0
	}
	hash := fnv.New64a()
	hash.Write([]byte(op + " " + urn))
	rng := rand.New(rand.NewPCG(seed, hash.Sum64()))
	if rng.IntN(callsPerLongDelay) == 0 {
		return time.Duration(rng.Int64N(int64(maxLongDelay)))
	}
	return time.Duration(rng.Int64N(int64(maxShortDelay)))
}

// pause waits for a duration. If ctx ends earlier, pause returns the cause of the end.
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
