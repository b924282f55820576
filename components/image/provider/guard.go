package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/progressive-framework/platform/components/changeguard/changerule"
)

// Guard implements ko:index:ChangeGuard: recorded values of a stack and the rules for
// their changes. It needs no network. Guard is in this plugin, because every stack already
// has the plugin.
type Guard struct{}

// Annotate names the resource.
func (g *Guard) Annotate(a infer.Annotator) {
	a.SetToken("index", "ChangeGuard")
	a.Describe(&g, "Values that can't change freely once a stack exists. A preview with a forbidden change fails.")
}

// GuardField is one value and its rule; see changerule.Field.
type GuardField struct {
	Path   string   `pulumi:"path"`
	Value  string   `pulumi:"value"`
	From   []string `pulumi:"from,optional"`
	Rule   string   `pulumi:"rule"`
	Group  string   `pulumi:"group,optional"`
	Reason string   `pulumi:"reason"`
	Fix    string   `pulumi:"fix"`
}

// GuardInputs are the inputs of the resource ko:index:ChangeGuard. After Check, the
// value of each field is the accepted one.
type GuardInputs struct {
	Fields map[string]GuardField `pulumi:"fields"`
}

// Annotate documents the inputs in the schema.
func (in *GuardInputs) Annotate(a infer.Annotator) {
	a.Describe(&in.Fields, "Values by id, each with the configuration key that decides it, its rule, the reason and the fix.")
}

// GuardState has the properties in the stack's state. The inputs are among them, because
// the library infer also writes empty inputs to the outputs. It refuses outputs for which the
// struct has no field.
type GuardState struct {
	GuardInputs
	Values map[string]string `pulumi:"values"`
}

// Annotate documents the outputs in the schema.
func (s *GuardState) Annotate(a infer.Annotator) {
	a.Describe(&s.Values, "The accepted values by id.")
}

// WireDependencies makes the values known in a preview.
func (g *Guard) WireDependencies(f infer.FieldSelector, _ *GuardInputs, out *GuardState) {
	f.OutputField(&out.Values).AlwaysKnown()
}

// Check compares each field with its recorded value. It reports all refused
// changes together.
func (g *Guard) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[GuardInputs], error) {
	in, failures, err := infer.DefaultCheck[GuardInputs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[GuardInputs]{Inputs: in, Failures: failures}, err
	}
	// The reason already names the configuration key. A failure with a Property would
	// also show a path inside of this resource.
	refuse := func(err error) { failures = append(failures, p.CheckFailure{Reason: err.Error()}) }
	accepted, recorded := map[string]changerule.Field{}, map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(in.Fields)) {
		input := in.Fields[id]
		before, ok := recordedValue(req.OldInputs, id)
		if !ok {
			continue
		}
		field := changerule.Field{
			Path: input.Path, Value: input.Value, From: input.From, Rule: changerule.Rule(input.Rule), Group: input.Group, Reason: input.Reason, Fix: input.Fix,
		}
		if input.Value, err = field.Accept(before); err != nil {
			refuse(err)
			continue
		}
		field.Value = input.Value
		in.Fields[id], accepted[id], recorded[id] = input, field, before
	}
	for _, err := range changerule.CheckOneAtATime(accepted, recorded) {
		refuse(err)
	}
	return infer.CheckResponse[GuardInputs]{Inputs: in, Failures: failures}, nil
}

// recordedValue returns the value of a field in the inputs of the last update. If the inputs do not have
// the field, ok is false.
func recordedValue(inputs property.Map, id string) (value string, ok bool) {
	fields := inputs.Get("fields")
	if !fields.IsMap() {
		return "", false
	}
	field := fields.AsMap().Get(id)
	if !field.IsMap() || !field.AsMap().Get("value").IsString() {
		return "", false
	}
	return field.AsMap().Get("value").AsString(), true
}

// fieldPath returns the path of a field in Pulumi's detailed diff.
func fieldPath(id string) string { return fmt.Sprintf("fields[%q]", id) }

// values returns the values of the fields, by id.
func (in GuardInputs) values() map[string]string {
	values := map[string]string{}
	for id, f := range in.Fields {
		values[id] = f.Value
	}
	return values
}

// Create records the values.
func (g *Guard) Create(_ context.Context, req infer.CreateRequest[GuardInputs]) (infer.CreateResponse[GuardState], error) {
	return infer.CreateResponse[GuardState]{ID: req.Name, Output: GuardState{GuardInputs: req.Inputs, Values: req.Inputs.values()}}, nil
}

// Update records the values.
func (g *Guard) Update(_ context.Context, req infer.UpdateRequest[GuardInputs, GuardState]) (infer.UpdateResponse[GuardState], error) {
	return infer.UpdateResponse[GuardState]{Output: GuardState{GuardInputs: req.Inputs, Values: req.Inputs.values()}}, nil
}

// Diff compares only the values, because a new text of Reason or Fix is not a
// change.
func (g *Guard) Diff(_ context.Context, req infer.DiffRequest[GuardInputs, GuardState]) (infer.DiffResponse, error) {
	before, now := req.State.Values, req.Inputs.values()
	detail := map[string]p.PropertyDiff{}
	for id, value := range now {
		if old, ok := before[id]; !ok {
			detail[fieldPath(id)] = p.PropertyDiff{Kind: p.Add}
		} else if old != value {
			detail[fieldPath(id)] = p.PropertyDiff{Kind: p.Update}
		}
	}
	for id := range before {
		if _, ok := now[id]; !ok {
			detail[fieldPath(id)] = p.PropertyDiff{Kind: p.Delete}
		}
	}
	return infer.DiffResponse{HasChanges: len(detail) > 0, DetailedDiff: detail}, nil
}
