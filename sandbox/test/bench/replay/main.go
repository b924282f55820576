// Replay is a Pulumi program that computes nothing. It registers the resources of an exported
// state, in the file STATE, with their recorded inputs. So the benchmark shows the least time that
// a preview of these resources needs.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		state, err := readState(os.Getenv("STATE"))
		if err != nil {
			return fmt.Errorf("STATE: %w", err)
		}
		r := replay{ctx: ctx, resources: map[resource.URN]pulumi.Resource{}}
		for _, recorded := range state {
			if err := r.register(recorded); err != nil {
				return fmt.Errorf("%s: %w", recorded.URN, err)
			}
		}
		return nil
	})
}

// readState reads the output of `pulumi stack export --show-secrets`.
func readState(path string) ([]apitype.ResourceV3, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var export struct {
		Deployment apitype.DeploymentV3 `json:"deployment"`
	}
	if err := json.Unmarshal(content, &export); err != nil {
		return nil, err
	}
	return export.Deployment.Resources, nil
}

// computed has the inputs that a type's provider sets. A program must not set them.
var computed = map[tokens.Type][]string{"ko:index:Image": {"digest", "tag", "goVersion", "signedBy", "sources"}}

type replay struct {
	ctx *pulumi.Context
	// resources are those that are registered already.
	resources map[resource.URN]pulumi.Resource
}

// register registers a recorded resource. A state has each resource after its parent, its provider
// and its dependencies.
func (r *replay) register(recorded apitype.ResourceV3) error {
	switch {
	case recorded.Type == resource.RootStackType:
		for name, value := range recorded.Outputs {
			r.ctx.Export(name, toInput(value))
		}
		return nil
	case strings.HasPrefix(recorded.URN.Name(), "default") && strings.HasPrefix(string(recorded.Type), "pulumi:providers:"):
		return nil // the engine creates it
	case !recorded.Custom:
		component := &pulumi.ResourceState{}
		r.resources[recorded.URN] = component
		if err := r.ctx.RegisterComponentResource(string(recorded.Type), recorded.URN.Name(), component, r.options(recorded)...); err != nil {
			return err
		}
		return r.ctx.RegisterResourceOutputs(component, toMap(recorded.Outputs))
	case strings.HasPrefix(string(recorded.Type), "pulumi:providers:"):
		provider := &pulumi.ProviderResourceState{}
		r.resources[recorded.URN] = provider
		inputs, options := toMap(recorded.Inputs), r.options(recorded)
		if version, found := recorded.Inputs["version"].(string); found {
			delete(inputs, "version")
			options = append(options, pulumi.Version(version))
		}
		return r.ctx.RegisterResource(string(recorded.Type), recorded.URN.Name(), inputs, provider, options...)
	default:
		custom := &pulumi.CustomResourceState{}
		r.resources[recorded.URN] = custom
		inputs := toMap(recorded.Inputs)
		for _, name := range computed[recorded.Type] {
			delete(inputs, name)
		}
		return r.ctx.RegisterResource(string(recorded.Type), recorded.URN.Name(), inputs, custom, r.options(recorded)...)
	}
}

// options returns the recorded options of a resource, without its dependencies: the program would
// wait for them.
func (r *replay) options(recorded apitype.ResourceV3) []pulumi.ResourceOption {
	options := []pulumi.ResourceOption{
		pulumi.Protect(recorded.Protect), pulumi.RetainOnDelete(recorded.RetainOnDelete),
		pulumi.IgnoreChanges(recorded.IgnoreChanges), pulumi.ReplaceOnChanges(recorded.ReplaceOnChanges),
	}
	if parent, found := r.resources[recorded.Parent]; found {
		options = append(options, pulumi.Parent(parent))
	}
	var secretOutputs []string
	for _, key := range recorded.AdditionalSecretOutputs {
		secretOutputs = append(secretOutputs, string(key))
	}
	options = append(options, pulumi.AdditionalSecretOutputs(secretOutputs))
	if t := recorded.CustomTimeouts; t != nil {
		options = append(options, pulumi.Timeouts(&pulumi.CustomTimeouts{Create: seconds(t.Create), Update: seconds(t.Update), Delete: seconds(t.Delete)}))
	}
	urn := resource.URN(recorded.Provider[:max(0, strings.LastIndex(recorded.Provider, "::"))])
	if provider, found := r.resources[urn].(pulumi.ProviderResource); found {
		return append(options, pulumi.Provider(provider))
	}
	if _, version, found := strings.Cut(string(urn), "::default_"); found {
		options = append(options, pulumi.Version(strings.ReplaceAll(version, "_", ".")))
	}
	return options
}

func seconds(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%gs", n)
}

// toMap returns recorded properties without those that a provider added for itself.
func toMap(properties map[string]any) pulumi.Map {
	inputs := pulumi.Map{}
	for name, value := range properties {
		if !strings.HasPrefix(name, "__") {
			inputs[name] = toInput(value)
		}
	}
	return inputs
}

// toInput returns a value of an exported state as an input of a resource.
func toInput(value any) pulumi.Input {
	switch value := value.(type) {
	case string:
		return pulumi.String(value)
	case float64:
		return pulumi.Float64(value)
	case bool:
		return pulumi.Bool(value)
	case []any:
		array := make(pulumi.Array, len(value))
		for i, element := range value {
			array[i] = toInput(element)
		}
		return array
	case map[string]any:
		if value[resource.SigKey] == resource.SecretSig {
			var secret any
			if err := json.Unmarshal([]byte(value["plaintext"].(string)), &secret); err != nil {
				panic(err)
			}
			return pulumi.ToSecret(toInput(secret))
		}
		return toMap(value)
	default:
		return nil
	}
}
