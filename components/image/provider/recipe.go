package provider

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// recipe is all that an image is made from, besides the sources themselves.
type recipe struct {
	ImportPath string
	Platforms  []string
	Base       string
	Labels     map[string]string
	Dir        string
}

// recipe is the part of the spec that decides what is built.
func (s ImageSpec) recipe() recipe {
	return recipe{ImportPath: s.ImportPath, Platforms: s.Platforms, Base: value(s.Base), Labels: s.Labels, Dir: value(s.Dir)}
}

// value is what p points at, or nothing.
func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// key is the same for equal recipes only.
func (r recipe) key() (string, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("recipe of %s: %w", r.ImportPath, err)
	}
	return string(raw), nil
}

// platforms parses the names, which Check has already accepted.
func (r recipe) platforms() ([]v1.Platform, error) {
	out := make([]v1.Platform, 0, len(r.Platforms))
	for _, name := range r.Platforms {
		p, err := v1.ParsePlatform(name)
		if err != nil {
			return nil, fmt.Errorf("platform %q: %w", name, err)
		}
		out = append(out, *p)
	}
	return out, nil
}
