// Package provider is the Pulumi provider "ko". It has four resources:
//
//   - Image builds a Go main package into a container image with the ko library. It
//     pushes the image with its SPDX SBOM, and signs both (package attest). Programs use
//     package image.
//   - Promoted copies a signed image. Programs use package image.
//   - Guard refuses changes of recorded values. Programs use package changeguard.
//   - Password generates a password. Programs use package secret.
//
// The package owns the build, the minimal base image, and the requests to the registry.
//
// The Check of an image computes the digest from the current sources and makes it an
// input of the resource. So a preview shows a changed digest like any changed input.
// Create and Update push the image that Check built. Only Create and Update write to a
// registry, and only Delete deletes from it.
package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/progressive-framework/platform/components/image"
)

// New returns the provider. isolate calls Isolate once and returns its result. If isolate
// returns an error, this process can't build: the provider reports the error instead. The
// provider can still refresh and delete, because a destroy needs no Go toolchain.
func New(isolate func() (string, error)) p.Provider {
	passwords := &ecrPasswords{timeout: loginTimeout}
	return infer.Provider(infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "ko",
			Description: "Container images built from Go sources inside the stack.",
			License:     "Apache-2.0",
		},
		Resources: []infer.InferredResource{
			contextResource{infer.Resource(&Image{builder: newBuilder(isolate), passwords: passwords}), computedInputs},
			contextResource{infer.Resource(&Promoted{passwords: passwords}), []string{"digest", "tag"}},
			infer.Resource(&Guard{}),
			infer.Resource(&Password{}),
		},
	})
}

// Run isolates this process and serves the provider to the engine that started it.
// It returns when ctx ends, or when the engine disconnects or dies.
func Run(ctx context.Context) error {
	ctx, cancel := cancelWhenOrphaned(ctx, os.Getppid, parentCheckInterval)
	defer cancel()
	isolate := sync.OnceValues(func() (string, error) { return Isolate(ctx, "") })
	// Every Check needs both results and reports their errors. They are computed
	// while the engine connects.
	go func() { _, _ = isolate() }()
	go func() { _, _ = executableHash() }()
	if err := p.RunProvider(ctx, image.Package, image.Version, New(isolate)); err != nil {
		return fmt.Errorf("provider %s: %w", image.Package, err)
	}
	return nil
}

// contextResource passes two values to the inferred resource that the library infer does not
// pass: the URN to Check, and the login to Delete.
type contextResource struct {
	infer.InferredResource
	// computed are the inputs that Check computes.
	computed []string
}

type (
	urnKey   struct{}
	loginKey struct{}
)

// Check marks the computed inputs as unknown if Check could not compute the digest,
// because another input is unknown.
func (r contextResource) Check(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	resp, err := r.InferredResource.Check(context.WithValue(ctx, urnKey{}, req.Urn), req)
	if err != nil || len(resp.Failures) > 0 {
		return resp, err
	}
	if resp.Inputs.Get("digest").AsString() == "" {
		for _, name := range r.computed {
			resp.Inputs = resp.Inputs.Set(name, property.New(property.Computed))
		}
	}
	return resp, nil
}

// formerInput is an input of earlier versions: a password of the registry. The state has it until
// the next update or refresh. infer refuses inputs for which the struct has no field.
const formerInput = "credentials"

// Read removes the former input from the state.
func (r contextResource) Read(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
	req.Inputs = req.Inputs.Delete(formerInput)
	return r.InferredResource.Read(ctx, req)
}

// Delete passes the login on, because the outputs in the state do not have it.
func (r contextResource) Delete(ctx context.Context, req p.DeleteRequest) error {
	if value := req.OldInputs.Get("login"); value.IsMap() {
		text := func(name string) string {
			if v := value.AsMap().Get(name); v.IsString() {
				return v.AsString()
			}
			return ""
		}
		ctx = context.WithValue(ctx, loginKey{}, &ECRLogin{Region: text("region"), Profile: text("profile"), RoleARN: text("roleArn")})
	}
	return r.InferredResource.Delete(ctx, req)
}

// urnFromContext returns the URN that contextResource.Check passed.
func urnFromContext(ctx context.Context) resource.URN {
	urn, _ := ctx.Value(urnKey{}).(resource.URN)
	return urn
}

// loginFromContext returns the login that contextResource.Delete passed, or nil.
func loginFromContext(ctx context.Context) *ECRLogin {
	l, _ := ctx.Value(loginKey{}).(*ECRLogin)
	return l
}

// toCheckFailures converts an inputError to a check failure. It returns every other error
// unchanged.
func toCheckFailures(err error) ([]p.CheckFailure, error) {
	var invalid *inputError
	if errors.As(err, &invalid) {
		return []p.CheckFailure{{Property: invalid.property, Reason: invalid.reason}}, nil
	}
	return nil, err
}
