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

// New returns the provider. isolated calls Isolate once and returns its result. If it
// returns an error, the provider reports the error instead of building. The provider can
// still refresh and delete, because a destroy needs no Go toolchain.
func New(isolated func() (string, error)) p.Provider {
	return infer.Provider(infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "ko",
			Description: "Container images built from Go sources inside the stack.",
			License:     "Apache-2.0",
		},
		Resources: []infer.InferredResource{
			operations{infer.Resource(&Image{builder: newBuilder(isolated)}), computedInputs},
			operations{infer.Resource(&Promoted{}), []string{"digest", "tag"}},
			infer.Resource(&Guard{}),
			infer.Resource(&Password{}),
		},
	})
}

// Run isolates this process and serves the provider to the engine that started it.
// It returns when ctx ends, or when the engine disconnects or dies.
func Run(ctx context.Context) error {
	ctx, cancel := untilOrphaned(ctx, os.Getppid, parentCheck)
	defer cancel()
	isolated := sync.OnceValues(func() (string, error) { return Isolate(ctx, "") })
	// Every Check needs both results and reports their errors. They are computed
	// while the engine connects.
	go func() { _, _ = isolated() }()
	go func() { _, _ = executableHash() }()
	if err := p.RunProvider(ctx, image.Package, image.Version, New(isolated)); err != nil {
		return fmt.Errorf("provider %s: %w", image.Package, err)
	}
	return nil
}

// operations passes two values to the inferred resource that the library infer does not
// pass: the URN to Check, and the credentials to Delete.
type operations struct {
	infer.InferredResource
	// computed are the inputs that Check computes.
	computed []string
}

type (
	urnKey         struct{}
	credentialsKey struct{}
)

// Check marks the computed inputs as unknown if Check could not compute the digest,
// because another input is unknown.
func (o operations) Check(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	resp, err := o.InferredResource.Check(context.WithValue(ctx, urnKey{}, req.Urn), req)
	if err != nil || len(resp.Failures) > 0 {
		return resp, err
	}
	if resp.Inputs.Get("digest").AsString() == "" {
		for _, name := range o.computed {
			resp.Inputs = resp.Inputs.Set(name, property.New(property.Computed))
		}
	}
	return resp, nil
}

// Delete passes the credentials on, because the outputs in the state do not have
// them.
func (o operations) Delete(ctx context.Context, req p.DeleteRequest) error {
	if c := req.OldInputs.Get("credentials"); c.IsMap() {
		m := c.AsMap()
		user, pass := m.Get("username"), m.Get("password")
		if user.IsString() && pass.IsString() {
			ctx = context.WithValue(ctx, credentialsKey{}, &Credentials{user.AsString(), pass.AsString()})
		}
	}
	return o.InferredResource.Delete(ctx, req)
}

// urnOf returns the URN that operations.Check passed.
func urnOf(ctx context.Context) resource.URN {
	urn, _ := ctx.Value(urnKey{}).(resource.URN)
	return urn
}

// credentialsOf returns the credentials that operations.Delete passed, or nil.
func credentialsOf(ctx context.Context) *Credentials {
	c, _ := ctx.Value(credentialsKey{}).(*Credentials)
	return c
}

// checkFailure converts an inputError to a check failure. It returns every other error
// unchanged.
func checkFailure(err error) ([]p.CheckFailure, error) {
	var invalid *inputError
	if errors.As(err, &invalid) {
		return []p.CheckFailure{{Property: invalid.property, Reason: invalid.reason}}, nil
	}
	return nil, err
}
