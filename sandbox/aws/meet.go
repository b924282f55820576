package aws

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/progressive-framework/platform/sandbox/aws/faults"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

// crashCode is the exit code of a plugin that was told to crash: that of a
// process killed by SIGKILL.
const crashCode = 137

// meet does one call's work under the faults that the sandbox was told to
// have.
func (p *provider) meet(ctx context.Context, op, token, urn string, do func() error) error {
	if p.session != nil {
		bound, release := p.session.Bound(ctx)
		defer release()
		ctx = bound
	}
	delay, fault, err := p.faults.Take(op, token)
	if err != nil {
		return err
	}
	if err := pause(ctx, delay); err != nil {
		return err
	}
	if fault == nil {
		return do()
	}
	switch fault.Mode {
	case faults.Error:
		return faultError(op, token, fault, "InternalError", "An internal error has occurred")
	case faults.Throttle:
		p.say(ctx, pulumirpc.LogSeverity_DEBUG, urn, fmt.Sprintf("throttled by AWS; waiting %s, as the provider's retries do", fault.Delay))
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
	return status.Error(codes.Unavailable, fmt.Sprintf("%s: request send failed, connection reset by peer", doing(op, token)))
}

// faultError words an error as AWS and its provider do.
func faultError(op, token string, f *faults.Fault, code, message string) error {
	return fmt.Errorf("%s: %w", doing(op, token), &rules.APIError{Code: cmp.Or(f.Code, code), Message: cmp.Or(f.Message, message)})
}

// doing is what the provider says it was at.
func doing(op, token string) string {
	label := token
	if row, ok := rules.RowOf(token); ok {
		label = row.Label
	}
	verb := map[string]string{"create": "creating", "read": "reading", "update": "updating", "delete": "deleting", "invoke": "invoking"}[op]
	return verb + " " + label
}

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
