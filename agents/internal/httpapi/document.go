package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"sigs.k8s.io/yaml"
)

// DocumentHandler returns a handler that serves a service's OpenAPI 3.1 document as
// JSON. document is YAML. Clients may cache the response for an hour, because it only
// changes with the image.
func DocumentHandler(document []byte) (http.HandlerFunc, error) {
	encoded, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, fmt.Errorf("convert the OpenAPI document: %w", err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		SendJSON(w, http.StatusOK, json.RawMessage(encoded))
	}, nil
}
