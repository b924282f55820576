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

// askTimeout bounds one request to the registry, which is on this machine.
const askTimeout = 10 * time.Second

// Held returns the digest of the image that all references name, and "" where
// the registry lacks one or they name different images.
func Held(ctx context.Context, auth remote.Option, refs ...name.Reference) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	digest := ""
	for _, ref := range refs {
		found, err := remote.Head(ref, remote.WithContext(ctx), auth)
		var answer *transport.Error
		if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("ask the registry for %s: %w", ref, err)
		}
		if digest != "" && digest != found.Digest.String() {
			return "", nil
		}
		digest = found.Digest.String()
	}
	return digest, nil
}
