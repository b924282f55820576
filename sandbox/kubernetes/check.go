package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Check completes an object's inputs: apiVersion and kind from its type, a name
// where it has none, the namespace. What the fields mean is for the API server
// to say, by the dry run of a preview.
func (p *provider) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	_, cl, err := p.configured()
	if err != nil {
		return nil, err
	}
	gvk, err := parseType(typeOfRequest(req))
	if err != nil {
		return nil, badRequest(err)
	}
	inputs, hide, err := decode(req.GetNews())
	if err != nil {
		return nil, badRequest(err)
	}
	olds, _, err := decode(req.GetOlds())
	if err != nil {
		return nil, badRequest(err)
	}
	if old := text(olds, "metadata", "name"); old != "" {
		p.stands(req.GetUrn(), objectID(text(olds, "metadata", "namespace"), old))
	}

	var failures []*pulumirpc.CheckFailure
	fail := func(property string, err error) {
		if err != nil {
			failures = append(failures, &pulumirpc.CheckFailure{Property: property, Reason: err.Error()})
		}
	}
	fail("apiVersion", fill(inputs, "apiVersion", gvk.GroupVersion().String()))
	fail("kind", fill(inputs, "kind", gvk.Kind))
	if m, ok := inputs["metadata"]; ok && !isObject(m) {
		fail("metadata", errors.New("metadata must be an object"))
	} else {
		fail("metadata.name", name(inputs, olds, req, p.standingID(req.GetUrn())))
		fail("metadata.namespace", p.namespace(withURN(ctx, req.GetUrn()), cl, gvk, inputs, olds))
	}
	fail("metadata.annotations", annotations(inputs))
	if _, ok := lookup(inputs, "status"); ok && builtIn(gvk.Group) {
		fail("status", errors.New("status is written by the cluster, not by a program"))
	}
	encoded, err := encode(inputs, hide)
	if err != nil {
		return nil, badRequest(err)
	}
	return &pulumirpc.CheckResponse{Inputs: encoded, Failures: failures}, nil
}

func typeOfRequest(req interface {
	GetType() string
	GetUrn() string
}) string {
	if req.GetType() != "" {
		return req.GetType()
	}
	return typeFromURN(req.GetUrn())
}

// typeFromURN is for engines that do not send the type: a URN is
// urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME.
func typeFromURN(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}

func isObject(value any) bool {
	switch value.(type) {
	case map[string]any, unknown:
		return true
	}
	return false
}

func fill(inputs map[string]any, field, want string) error {
	given, ok := inputs[field]
	if !ok {
		inputs[field] = want
		return nil
	}
	if given != want {
		if _, later := given.(unknown); later {
			return nil
		}
		return fmt.Errorf("%s is %v, and the resource's type says %s", field, given, want)
	}
	return nil
}

// namespace fills in metadata.namespace for kinds that live in one. The API
// server is asked about kinds that are not built in, but not where the object
// stands in a namespace: its kind then lives in one, and a preview of nothing
// new need not find credentials.
func (p *provider) namespace(ctx context.Context, cl *cluster, gvk schema.GroupVersionKind, inputs, olds map[string]any) error {
	given, has := lookup(inputs, "metadata", "namespace")
	namespaced := !clusterScoped[gvk.GroupKind()]
	if stands := text(olds, "metadata", "namespace") != ""; !builtIn(gvk.Group) && !stands {
		m, err := cl.mapping(ctx, gvk)
		switch {
		case isNoKind(err) || isUnreachable(err):
			// In a preview the definition may not be there yet: what is given stands.
			return nil
		case err != nil:
			return fmt.Errorf("asking the API server about %s: %w", gvk, err)
		}
		namespaced = m.namespaced
	}
	switch {
	case !namespaced && has && given != "":
		return fmt.Errorf("a %s lives in no namespace: leave metadata.namespace out", gvk.Kind)
	case namespaced && (!has || given == ""):
		set(inputs, cl.namespace, "metadata", "namespace")
	}
	return nil
}

// annotations refuses the provider's own annotations where they say what it
// does not understand.
func annotations(inputs map[string]any) error {
	found, ok := lookup(inputs, "metadata", "annotations")
	if !ok {
		return nil
	}
	fields, ok := found.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range sortedKeys(fields) {
		value, known := fields[name].(string)
		if !known || !strings.HasPrefix(name, "pulumi.com/") {
			continue
		}
		var err error
		switch name {
		case annotationTimeout:
			_, err = seconds(value)
		case annotationWaitFor:
			_, err = parseCondition(value)
		case annotationSkipAwait:
			if value != "true" && value != "false" && value != "ready" {
				err = fmt.Errorf(`must be "true", "false" or "ready", not %q`, value)
			}
		case annotationPatchForce:
			if value != "true" && value != "false" {
				err = fmt.Errorf(`must be "true" or "false", not %q`, value)
			}
		case "pulumi.com/deletionPropagationPolicy":
			err = fmt.Errorf("the stand-in always deletes in the foreground; %s", realPlugin)
		}
		if err != nil {
			return fmt.Errorf("annotation %s: %w", name, err)
		}
	}
	return nil
}
