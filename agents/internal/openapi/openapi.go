// Package openapi serves a service's OpenAPI 3.1 document as JSON. It owns the
// conversion; the documents are the services' own, beside their handlers.
package openapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/agents/internal/reply"
)

// Handler serves the YAML document as JSON. Caches may keep it for an hour: it
// changes with the image only.
func Handler(document []byte) (http.HandlerFunc, error) {
	line, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, fmt.Errorf("convert the OpenAPI document: %w", err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		reply.JSON(w, http.StatusOK, json.RawMessage(line))
	}, nil
}
