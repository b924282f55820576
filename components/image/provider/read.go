package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"github.com/progressive-framework/platform/release/attest"
)

// Read looks for the manifest and the signed statements in the registry. If one of them
// does not exist, Read reports that the resource is deleted. The next update then pushes the
// image again.
//
// A refresh does not run the program, so Read logs in as the last update did, and then tries
// the docker config. If every login fails, Read keeps the state and warns, because a failed
// login does not mean a missing image. A registry that does not respond is an error.
func (i *Image) Read(ctx context.Context, req infer.ReadRequest[ImageInputs, ImageState]) (infer.ReadResponse[ImageInputs, ImageState], error) {
	unchanged := infer.ReadResponse[ImageInputs, ImageState](req)
	if req.State.Reference == "" {
		return unchanged, fmt.Errorf("image %s cannot be imported, because it is built from its sources: "+
			"register it in the program; the push skips everything that the registry has", req.ID)
	}
	ref, err := name.NewDigest(req.State.Reference)
	if err != nil {
		return unchanged, fmt.Errorf("reference in the state: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, fmt.Errorf("no answer within %s", readTimeout))
	defer cancel()
	manifest, login, err := i.passwords.lookUp(ctx, ref, req.Inputs.Login)
	switch {
	case err != nil:
		return unchanged, ignoreDenied(err)
	case manifest == nil:
		return infer.ReadResponse[ImageInputs, ImageState]{}, nil
	case req.State.SignedBy == "":
		return unchanged, nil
	}
	referrers, err := attest.Referrers(ctx, ref, remote.WithAuth(login.auth))
	if err != nil {
		return unchanged, fmt.Errorf("registry %s does not answer: %w; check that it runs and that this machine can reach it", ref.Context().RegistryStr(), err)
	}
	if len(referrers) == 0 { // the next update signs it again
		return infer.ReadResponse[ImageInputs, ImageState]{}, nil
	}
	return unchanged, nil
}

// lookUp looks for a manifest with every possible login. It returns the results of
// authenticate, and warns if all logins fail.
func (e *ecrPasswords) lookUp(ctx context.Context, ref name.Digest, l *ECRLogin) (*v1.Descriptor, login, error) {
	logins, err := e.possibleLogins(ctx, ref.Context(), l)
	if err != nil {
		return nil, login{}, err
	}
	manifest, login, err := authenticate(ctx, ref, logins)
	if errors.Is(err, errDenied) {
		p.GetLogger(ctx).Warningf("cannot check whether %s still exists: %v. Its state is unchanged. "+
			"To check it, log in (docker login %s) and refresh again",
			ref, err, ref.Context().RegistryStr())
	}
	return manifest, login, err
}

// ignoreDenied returns nil for errDenied, because lookUp has already warned. It returns
// every other error unchanged.
func ignoreDenied(err error) error {
	if errors.Is(err, errDenied) {
		return nil
	}
	return err
}
