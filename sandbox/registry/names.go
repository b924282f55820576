package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
)

// The grammar of the OCI distribution specification 1.1, "Pulling manifests".
// Because names are checked before they become paths, no request can leave the
// registry's folder.
var (
	repositoryName = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagName        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	digestName     = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
)

// maxName keeps names within what a file system takes; the specification asks
// clients to stay below it too.
const maxName = 255

// digest is a well-formed sha256 digest, "sha256:HEX".
type digest string

func parseDigest(s string) (digest, error) {
	if !digestName.MatchString(s) {
		return "", fmt.Errorf("digest %q: want sha256: and 64 hex digits", s)
	}
	return digest(s), nil
}

func (d digest) hex() string { return string(d)[len("sha256:"):] }

func digestOf(content []byte) digest {
	sum := sha256.Sum256(content)
	return digest("sha256:" + hex.EncodeToString(sum[:]))
}

func digestOfReader(r io.Reader) (digest, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return digest("sha256:" + hex.EncodeToString(h.Sum(nil))), nil
}
