package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// requestTimeout limits one request to the registry, which is on this machine.
const requestTimeout = 10 * time.Second

// CommonDigest returns the digest of the image to which all references point. It returns
// "" if a reference does not exist in the registry, if the references point to different
// images, or if there is no reference.
func CommonDigest(ctx context.Context, auth remote.Option, refs ...name.Reference) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	digest := ""
	for _, ref := range refs {
		found, err := remote.Head(ref, remote.WithContext(ctx), auth)
		var response *transport.Error
		if errors.As(err, &response) && response.StatusCode == http.StatusNotFound {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("look for %s in the registry: %w", ref, err)
		}
		if digest != "" && digest != found.Digest.String() {
			return "", nil
		}
		digest = found.Digest.String()
	}
	return digest, nil
}
