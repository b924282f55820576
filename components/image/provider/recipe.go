package provider

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// recipe has all inputs of a build except the sources.
type recipe struct {
	ImportPath string
	Platforms  []string
	Base       string
	Labels     map[string]string
	Dir        string
}

// recipe returns the part of the spec that determines the image.
func (s ImageSpec) recipe() recipe {
	return recipe{ImportPath: s.ImportPath, Platforms: s.Platforms, Base: stringOrEmpty(s.Base), Labels: s.Labels, Dir: stringOrEmpty(s.Dir)}
}

// stringOrEmpty returns *p, or an empty string if p is nil.
func stringOrEmpty(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// cacheKey returns a text that is the same only for equal recipes.
func (r recipe) cacheKey() (string, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("recipe of %s: %w", r.ImportPath, err)
	}
	return string(raw), nil
}

// parsePlatforms parses the names of the platforms. Check has already validated them.
func (r recipe) parsePlatforms() ([]v1.Platform, error) {
	platforms := make([]v1.Platform, 0, len(r.Platforms))
	for _, name := range r.Platforms {
		p, err := v1.ParsePlatform(name)
		if err != nil {
			return nil, fmt.Errorf("platform %q: %w", name, err)
		}
		platforms = append(platforms, *p)
	}
	return platforms, nil
}
