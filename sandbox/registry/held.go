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

// askTimeout bounds one question to the registry, which is on this machine.
const askTimeout = 10 * time.Second

// Held returns the digest of the image that all tags point to, and nothing
// where one is missing or points elsewhere.
func Held(ctx context.Context, auth remote.Option, tags ...name.Tag) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	digest := ""
	for _, tag := range tags {
		found, err := remote.Head(tag, remote.WithContext(ctx), auth)
		var answer *transport.Error
		if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("ask the registry for %s: %w", tag, err)
		}
		if digest != "" && digest != found.Digest.String() {
			return "", nil
		}
		digest = found.Digest.String()
	}
	return digest, nil
}
