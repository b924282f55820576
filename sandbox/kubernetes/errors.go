package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// isNoKind says whether the API server serves no such kind.
func isNoKind(err error) bool { return meta.IsNoMatchError(err) }

// isUnreachable says whether the API server did not answer at all.
func isUnreachable(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) || errors.Is(err, net.ErrClosed)
}

// isTransient says whether the same request may succeed a moment later.
func isTransient(err error) bool {
	return apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err) ||
		apierrors.IsTimeout(err) || apierrors.IsInternalError(err) && strings.Contains(err.Error(), "etcdserver")
}

// missingNamespace says whether err is that the object's namespace is not there.
func missingNamespace(err error) bool {
	var s apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &s) {
		return false
	}
	d := s.Status().Details
	return d != nil && d.Kind == "namespaces"
}

// refusal turns what the API server says into an error for the engine: what
// was being done, to which object, each cause with its field, and the mend
// where there is one.
//
// The code matters: Internal and Unknown would tell the engine that it can't
// know what happened to the object.
func refusal(doing, object string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok { // already told
		return err
	}
	code, mend := codes.FailedPrecondition, ""
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = codes.Canceled
	case isNoKind(err):
		mend = "; if a custom resource definition brings it, let this resource depend on that one"
	case missingNamespace(err):
		mend = "; make the namespace first, or let this resource depend on the one that makes it"
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		code = codes.InvalidArgument
	case apierrors.IsConflict(err):
		code = codes.Aborted
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		code = codes.PermissionDenied
	case isUnreachable(err), isTransient(err):
		code, mend = codes.Unavailable, "; is the cluster up? `make status` tells for the sandbox"
	}
	return status.Errorf(code, "%s %s: %s%s", doing, object, explain(err), mend)
}

// explain lists the causes that the API server gives, one a field.
func explain(err error) string {
	// Server-side apply reports an unknown or mistyped field as one sentence.
	if _, field, ok := strings.Cut(err.Error(), "failed to create typed patch object ("); ok {
		if _, field, ok = strings.Cut(field, "): "); ok {
			return strings.TrimPrefix(field, ".")
		}
	}
	var s apierrors.APIStatus
	if !errors.As(err, &s) || s.Status().Details == nil || !apierrors.IsInvalid(err) {
		return err.Error()
	}
	var lines []string
	for _, c := range s.Status().Details.Causes {
		if c.Type == metav1.CauseType("") && c.Field == "" {
			continue
		}
		line := c.Message
		if c.Field != "" && c.Field != "<nil>" {
			line = c.Field + ": " + line
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return err.Error()
	}
	return strings.Join(lines, "; ")
}

// conflictError says who else holds the fields that an apply would change.
func conflictError(object string, err error) error {
	var s apierrors.APIStatus
	held := err.Error()
	if errors.As(err, &s) && s.Status().Details != nil {
		var lines []string
		for _, c := range s.Status().Details.Causes {
			if c.Type == metav1.CauseTypeFieldManagerConflict {
				lines = append(lines, fmt.Sprintf("%s (%s)", c.Field, c.Message))
			}
		}
		if len(lines) > 0 {
			held = strings.Join(lines, ", ")
		}
	}
	return status.Errorf(codes.Aborted, "applying %s: fields that somebody else set since: %s. "+
		"Run `pulumi refresh` to see their values, after which an update sets them back; or leave the fields out of the program; "+
		"or set the annotation %s: \"true\" to take them", object, held, annotationPatchForce)
}

// withDetails is an error that carries what the engine is to record.
func withDetails(reasons []string, detail *pulumirpc.ErrorResourceInitFailed) error {
	s, err := status.New(codes.Unknown, strings.Join(reasons, "; ")).WithDetails(protoadapt.MessageV1Of(detail))
	if err != nil {
		return status.Errorf(codes.Internal, "%s (and the object can't be recorded: %v)", strings.Join(reasons, "; "), err)
	}
	return s.Err()
}
