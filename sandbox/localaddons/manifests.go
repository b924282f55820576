package localaddons

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

//go:embed manifests
var manifests embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	// Every JSON string is a valid YAML string.
	"quote": func(s string) (string, error) {
		raw, err := json.Marshal(s)
		return string(raw), err
	},
	"sha256": func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	},
	"join": strings.Join,
}).ParseFS(manifests, "manifests/*"))

// templateValues are the inputs of the templates.
type templateValues struct {
	Image                     string // by digest
	DNSAddress, ClusterDomain string
	Resolvers                 []string
	Corefile                  string // rendered from the other fields
}

// renderObjects returns the objects of a manifest, in the order in which they are applied.
func renderObjects(manifest string, v templateValues) ([]*unstructured.Unstructured, error) {
	corefile, err := executeTemplate("Corefile", v)
	if err != nil {
		return nil, err
	}
	v.Corefile = string(corefile)
	rendered, err := executeTemplate(manifest, v)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, document := range bytes.Split(rendered, []byte("\n---\n")) {
		o := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &o.Object); err != nil {
			return nil, fmt.Errorf("manifest %s: %w", manifest, err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

func executeTemplate(name string, v templateValues) ([]byte, error) {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, v); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", name, err)
	}
	return out.Bytes(), nil
}
