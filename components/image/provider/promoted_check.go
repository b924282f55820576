package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/progressive-framework/platform/components/image/imagetag"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signkey"
)

// defaultPredicateTypes are the predicate types that an image must have if the program names none.
var defaultPredicateTypes = []string{attest.ProvenanceType, attest.SPDXType}

// Check validates the inputs and reports all errors together. It also verifies the image, so
// that a preview refuses an image without signatures. If no registry responds, Check warns,
// and Create verifies the image later.
func (r *Promoted) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[PromotedInputs], error) {
	in, failures, err := infer.DefaultCheck[PromotedInputs](ctx, req.NewInputs)
	resp := infer.CheckResponse[PromotedInputs]{Inputs: in, Failures: failures}
	if err != nil {
		return resp, err
	}
	if len(in.PredicateTypes) == 0 {
		in.PredicateTypes = slices.Clone(defaultPredicateTypes)
	}
	for _, f := range checkPromotedInputs(req.NewInputs, in) {
		if !slices.ContainsFunc(resp.Failures, func(other p.CheckFailure) bool { return other.Property == f.Property }) {
			resp.Failures = append(resp.Failures, f)
		}
	}
	if len(resp.Failures) > 0 {
		return resp, nil
	}
	if !req.NewInputs.Get("source").HasComputed() {
		_, in.Digest, _ = strings.Cut(in.Source, "@")
		in.Tag = resourceTag(urnFromContext(ctx), imagetag.Promoted, strings.TrimPrefix(in.Digest, "sha256:"))
	}
	resp.Inputs = in
	for _, name := range []string{"source", "trustedKeys", "predicateTypes"} {
		if req.NewInputs.Get(name).HasComputed() {
			return resp, nil
		}
	}
	if in.verifiedBefore(req.OldInputs) {
		return resp, nil
	}
	t, err := r.newTransfer(in)
	if err != nil {
		return resp, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, fmt.Errorf("no answer within %s", readTimeout))
	defer cancel()
	resp.Failures = t.verifyForPreview(ctx)
	return resp, nil
}

// verifiedBefore reports whether the last update had the same image, repository, keys and
// predicate types. That update has verified the image.
func (in PromotedInputs) verifiedBefore(oldInputs property.Map) bool {
	oldTexts := func(name string) (texts []string) {
		if v := oldInputs.Get(name); v.IsArray() {
			for _, e := range v.AsArray().All {
				if e.IsString() {
					texts = append(texts, e.AsString())
				}
			}
		}
		return texts
	}
	oldText := func(name string) string {
		if v := oldInputs.Get(name); v.IsString() {
			return v.AsString()
		}
		return ""
	}
	return oldText("digest") == in.Digest && oldText("repository") == in.Repository && in.Repository != "" &&
		slices.Equal(oldTexts("trustedKeys"), in.TrustedKeys) && slices.Equal(oldTexts("predicateTypes"), in.PredicateTypes)
}

// checkPromotedInputs returns a failure for each invalid input. Unknown inputs are not checked.
func checkPromotedInputs(newInputs property.Map, in PromotedInputs) []p.CheckFailure {
	return checkInputs(newInputs, []inputRule{
		{"source", func() string { return sourceProblem(in.Source) }},
		{"repository", func() string { return repositoryProblem(in.Repository) }},
		{"trustedKeys", func() string { return trustedKeysProblem(in.TrustedKeys) }},
		{"predicateTypes", func() string { return predicateTypesProblem(in.PredicateTypes) }},
		{"login", func() string { return loginProblem(in.Login) }},
		{"digest", func() string { return computedInputProblem(in.Digest) }},
		{"tag", func() string { return computedInputProblem(in.Tag) }},
	})
}

// sourceProblem returns the reason why the source is invalid, or "".
func sourceProblem(source string) string {
	if _, err := name.NewDigest(source, name.StrictValidation); err != nil {
		return fmt.Sprintf("%q does not name an image by its digest (%v): use REGISTRY/PATH@sha256:DIGEST, because the image of a tag can change", source, err)
	}
	return ""
}

// trustedKeysProblem returns the reason why a key is invalid, or "".
func trustedKeysProblem(keys []string) string {
	if _, err := signkey.ParseTrusted(keys...); err != nil {
		return err.Error()
	}
	return ""
}

// predicateTypesProblem returns the reason why a type is invalid, or "".
func predicateTypesProblem(types []string) string {
	for _, t := range types {
		if u, err := url.Parse(t); err != nil || u.Scheme == "" {
			return fmt.Sprintf("%q is not a predicate type: use its URI, such as %s", t, attest.ProvenanceType)
		}
	}
	return ""
}

// verifyForPreview verifies the image in the target, or in the source if the target does not have
// it. It returns a failure of the property source for an image that is refused or does not
// exist. It only warns if the registry does not respond.
func (t *transfer) verifyForPreview(ctx context.Context) []p.CheckFailure {
	if t.isVerifiedInTarget(ctx) {
		return nil
	}
	err := t.verifySource(ctx)
	var refused *attest.RefusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return []p.CheckFailure{{Property: "source", Reason: err.Error()}}
	case errors.Is(err, attest.ErrAbsent):
		return []p.CheckFailure{{Property: "source", Reason: err.Error() + ", and the target does not have it either: promote a digest that exists"}}
	}
	p.GetLogger(ctx).Warningf("%s was not verified in this preview: %v. The update verifies it before it copies it", t.source, err)
	return nil
}
