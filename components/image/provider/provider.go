// Package provider is the Pulumi provider "ko": it builds a Go main package
// into a container image with the ko library, and pushes the image and its
// SPDX SBOM. It owns building, the minimal base, the registry and the
// resource's life; programs use package image.
//
// The digest is computed in Check, from the sources as they lie there, and
// becomes an input of the resource. That makes the rest ordinary: a preview
// shows the new digest beside the old, no change of the digest is no change at
// all, and Create and Update push what Check built. Nothing but Create and
// Update writes to a registry, and nothing but Delete removes from it.
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

// New is the provider; isolated isolates the process when first called, and
// says what Isolate did. Where that is an error the provider builds nothing,
// and says why, but still refreshes and deletes: a destroy needs no Go.
func New(isolated func() (string, error)) p.Provider {
	return infer.Provider(infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "ko",
			Description: "Container images built from Go sources inside the stack.",
			License:     "Apache-2.0",
		},
		Resources: []infer.InferredResource{
			operations{infer.Resource(&Image{builder: newBuilder(isolated)})},
		},
	})
}

// Run serves the provider to the engine that started this process, until ctx
// ends, or the engine hangs up or dies. It isolates the process.
func Run(ctx context.Context) error {
	ctx, cancel := untilOrphaned(ctx, os.Getppid, parentCheck)
	defer cancel()
	isolated := sync.OnceValues(func() (string, error) { return Isolate(ctx, "") })
	// Both are wanted by every Check, which also hears of an error; the engine
	// connects meanwhile.
	go func() { _, _ = isolated() }()
	go func() { _, _ = self() }()
	if err := p.RunProvider(ctx, image.Package, image.Version, New(isolated)); err != nil {
		return fmt.Errorf("provider %s: %w", image.Package, err)
	}
	return nil
}

// operations adds to the inferred resource what infer does not pass on: the
// URN, and the inputs of a resource that is deleted.
type operations struct {
	infer.InferredResource
}

type (
	urnKey         struct{}
	credentialsKey struct{}
)

// Check marks the digest as unknown where it could not be computed, because
// something that the build needs is unknown.
func (o operations) Check(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	resp, err := o.InferredResource.Check(context.WithValue(ctx, urnKey{}, req.Urn), req)
	if err != nil || len(resp.Failures) > 0 {
		return resp, err
	}
	if resp.Inputs.Get("digest").AsString() == "" {
		for _, name := range computed {
			resp.Inputs = resp.Inputs.Set(name, property.New(property.Computed))
		}
	}
	return resp, nil
}

// Delete hands on the credentials, which the state's outputs do not hold.
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

func urnOf(ctx context.Context) resource.URN {
	urn, _ := ctx.Value(urnKey{}).(resource.URN)
	return urn
}

func credentialsOf(ctx context.Context) *Credentials {
	c, _ := ctx.Value(credentialsKey{}).(*Credentials)
	return c
}

// failure turns an error that belongs to an input into a check failure.
func failure(err error) ([]p.CheckFailure, error) {
	var bad *inputError
	if errors.As(err, &bad) {
		return []p.CheckFailure{{Property: bad.property, Reason: bad.reason}}, nil
	}
	return nil, err
}
