// Package manifestfile reads Kubernetes objects from manifests in Go modules.
package manifestfile

import (
	"bytes"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/gomodule"
)

// Object is one object of a manifest.
type Object map[string]any

// Read returns the objects of a file of a module.
func Read(module gomodule.Module, file string) ([]Object, error) {
	text, err := module.Read(file)
	if err != nil {
		return nil, err
	}
	objects, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("manifest %s of %s@%s: %w", file, module.Path, module.Version, err)
	}
	return objects, nil
}

// parse returns the objects of a YAML file with several documents.
func parse(text []byte) ([]Object, error) {
	var objects []Object
	// A newline is added, so that a separator in the first line also begins with a newline.
	for _, document := range bytes.Split(append([]byte("\n"), text...), []byte("\n---")) {
		var o Object
		if err := yaml.Unmarshal(document, &o); err != nil {
			return nil, err
		}
		if len(o) == 0 {
			continue // the YAML document is empty or has only comments
		}
		if o.Kind() == "" || o.APIVersion() == "" || o.Name() == "" {
			return nil, fmt.Errorf("object %q %q: must have apiVersion, kind and metadata.name", o.Kind(), o.Name())
		}
		objects = append(objects, o)
	}
	if len(objects) == 0 {
		return nil, errors.New("it has no objects")
	}
	return objects, nil
}

// APIVersion returns the object's apiVersion, or "" if it has none.
func (o Object) APIVersion() string { return o.stringField("apiVersion") }

// Kind returns the object's kind, or "" if it has none.
func (o Object) Kind() string { return o.stringField("kind") }

// Name returns the object's name, or "" if it has none.
func (o Object) Name() string {
	meta, _ := o["metadata"].(map[string]any)
	return Object(meta).stringField("name")
}

// Annotation returns the value of an annotation, or "" if the object does not have it.
func (o Object) Annotation(name string) string {
	meta, _ := o["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	return Object(annotations).stringField(name)
}

// stringField returns the value of a field, or "" if it is not a string.
func (o Object) stringField(field string) string {
	s, _ := o[field].(string)
	return s
}

// RelaxSchema replaces the schemas of a CustomResourceDefinition, so that every object of
// the kind is valid.
func (o Object) RelaxSchema() error {
	spec, _ := o["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	if o.Kind() != "CustomResourceDefinition" || len(versions) == 0 {
		return fmt.Errorf("%s %s: only a CustomResourceDefinition has a schema", o.Kind(), o.Name())
	}
	for _, v := range versions {
		version, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: a version must be an object", o.Name())
		}
		version["schema"] = map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}
	}
	return nil
}
