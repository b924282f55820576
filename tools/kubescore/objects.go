package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// unknownString is the string that Pulumi writes in place of a string that is not known in a preview
// (sdk/go/common/resource/sig).
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

// unknownImage replaces an image that is not known in a preview. It has a digest, as all images of
// a stack have.
const unknownImage = "registry.example/image@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// resource is a line of a recording of the policy pack's tests.
type resource struct {
	URN                  string
	Inputs               map[string]any
	PropertyDependencies map[string][]string
}

// name returns the last part of the URN.
func (r resource) name() string { return r.URN[strings.LastIndex(r.URN, "::")+2:] }

// isObject reports whether the resource is an object of Kubernetes.
func (r resource) isObject() bool {
	parts := strings.Split(r.URN, "::")
	typeToken := parts[2]
	return strings.HasPrefix(typeToken[strings.LastIndex(typeToken, "$")+1:], "kubernetes:")
}

// readObjects reads objects of Kubernetes from a file: a recording of the policy pack's
// tests, or the output of kubectl get -o json. "-" is the standard input.
func readObjects(file string) ([]map[string]any, error) {
	source := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		source = f
	}
	raw, err := io.ReadAll(source)
	if err != nil {
		return nil, err
	}
	var objects []map[string]any
	if bytes.HasPrefix(raw, []byte(`{"urn":`)) {
		objects, err = parseRecording(raw)
	} else {
		objects, err = parseList(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return objects, nil
}

// parseList parses the output of kubectl. It leaves out pods and other objects that a controller
// has created, because kube-score checks their owner instead.
func parseList(raw []byte) ([]map[string]any, error) {
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("neither a recording nor a list of kubectl get -o json: %w", err)
	}
	var objects []map[string]any
	for _, o := range list.Items {
		metadata, _ := o["metadata"].(map[string]any)
		if metadata["ownerReferences"] == nil {
			objects = append(objects, o)
		}
	}
	return objects, nil
}

// parseRecording parses a recorded preview. It replaces each name and image that is not known in a
// preview.
func parseRecording(raw []byte) ([]map[string]any, error) {
	var resources []resource
	names := map[string]map[string]any{} // kind → URN → name
	for line := range bytes.Lines(raw) {
		var r resource
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("line of the recording: %w", err)
		}
		if !r.isObject() {
			continue
		}
		metadata, ok := r.Inputs["metadata"].(map[string]any)
		if !ok {
			metadata = map[string]any{}
			r.Inputs["metadata"] = metadata
		}
		if name := metadata["name"]; name == nil || name == unknownString {
			metadata["name"] = r.name() // Pulumi will choose a name with this prefix
		}
		kind, _ := r.Inputs["kind"].(string)
		if names[kind] == nil {
			names[kind] = map[string]any{}
		}
		names[kind][r.URN] = metadata["name"]
		resources = append(resources, r)
	}
	var objects []map[string]any
	for _, r := range resources {
		r.resolveName("metadata", "namespace", names["Namespace"])
		r.resolveName("spec", "serviceName", names["Service"])
		objects = append(objects, replaceUnknownImages("", r.Inputs).(map[string]any))
	}
	return objects, nil
}

// resolveName replaces an unknown name in a field of an input by the name of the object that the
// input refers to. names has the names of the possible objects by their URNs.
func (r resource) resolveName(input, field string, names map[string]any) {
	object, _ := r.Inputs[input].(map[string]any)
	if object[field] != unknownString {
		return
	}
	for _, urn := range r.PropertyDependencies[input] {
		if name := names[urn]; name != nil {
			object[field] = name
		}
	}
}

// replaceUnknownImages returns the value v of a key, in which each unknown image is replaced.
func replaceUnknownImages(key string, v any) any {
	switch v := v.(type) {
	case string:
		if key == "image" && v == unknownString {
			return unknownImage
		}
	case []any:
		for i, item := range v {
			v[i] = replaceUnknownImages(key, item)
		}
	case map[string]any:
		for name, item := range v {
			v[name] = replaceUnknownImages(name, item)
		}
	}
	return v
}
