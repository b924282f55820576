package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Read asks the registry for the manifest. Gone means that the resource is
// gone, and the next update pushes it again.
//
// A refresh runs without the program, so that the credentials in the inputs
// are those of the last update and may have expired. Then the docker config is
// tried. Where every login is refused nothing is known: the record is kept and
// a warning says what to do. A refused login is never taken for a missing
// image, and a registry that does not answer is an error.
func (i *Image) Read(ctx context.Context, req infer.ReadRequest[ImageInputs, ImageState]) (infer.ReadResponse[ImageInputs, ImageState], error) {
	kept := infer.ReadResponse[ImageInputs, ImageState](req)
	if req.State.Reference == "" {
		return kept, fmt.Errorf("image %s cannot be imported: it is built from its sources; "+
			"register it in the program, and the push leaves out what the registry has", req.ID)
	}
	ref, err := name.NewDigest(req.State.Reference)
	if err != nil {
		return kept, fmt.Errorf("reference in the state: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookTimeout, fmt.Errorf("no answer within %s", lookTimeout))
	defer cancel()
	ids, err := identities(ref.Context(), req.Inputs.Credentials)
	if err != nil {
		return kept, err
	}
	found, _, err := login(ctx, ref, ids)
	switch {
	case errors.Is(err, errDenied):
		p.GetLogger(ctx).Warningf("cannot tell whether %s still exists: %v. Its record is kept as it is; "+
			"to check it, log in (docker login %s) or run pulumi up, which brings new credentials, and refresh again",
			ref, err, ref.Context().RegistryStr())
		return kept, nil
	case err != nil:
		return kept, err
	case found == nil:
		return infer.ReadResponse[ImageInputs, ImageState]{}, nil
	}
	return kept, nil
}
