// Package cloudmocks mocks AWS and Kubernetes for a Pulumi program in a test, and records
// the resources that the program registers. It needs no engine and no provider. The mocks have
// only the outputs that components read.
package cloudmocks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The account and the region of the mocked credentials.
const (
	AccountID = "123456789012"
	Region    = "us-east-1"
)

// Registration is one resource as a program registered it.
type Registration struct {
	Type, Name, URN, ID string
	// Parent is the URN of the parent. Provider is the reference to the provider; it is empty
	// for the default provider.
	Parent, Provider string
	// Custom is false for a component.
	Custom          bool
	Inputs, Outputs resource.PropertyMap
	Protect         bool
	RetainOnDelete  bool
	IgnoreChanges   []string
	// Dependencies are the URNs of the resources that must exist before this resource.
	Dependencies []string
}

// Cloud is a pulumi.MockResourceMonitor.
type Cloud struct {
	// Outputs are outputs in addition to the built-in ones, by the type of the resource.
	Outputs map[string]map[string]any
	// Region is the region of the zones. Empty means the constant Region.
	Region string
	// Calls are functions that handle invokes, by token. Each gets the invoke's
	// arguments and returns the result.
	Calls map[string]func(args map[string]any) map[string]any
	// ZoneIDs are the ids of zones, by name. A zone that is not in the map gets an invented
	// id.
	ZoneIDs map[string]string

	mu         sync.Mutex
	registered []Registration
}

// Registered returns the registered resources, sorted by URN.
func (c *Cloud) Registered() []Registration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(slices.Values(c.registered), func(a, b Registration) int { return strings.Compare(a.URN, b.URN) })
}

// NewResource is called by Pulumi for each resource.
func (c *Cloud) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	rpc := args.RegisterRPC
	r := Registration{
		Type: args.TypeToken, Name: args.Name, URN: urn(rpc.GetParent(), args.TypeToken, args.Name), Parent: rpc.GetParent(), Provider: rpc.GetProvider(),
		Custom: args.Custom, Inputs: args.Inputs,
		Protect: rpc.GetProtect(), RetainOnDelete: rpc.GetRetainOnDelete(), IgnoreChanges: rpc.GetIgnoreChanges(), Dependencies: rpc.GetDependencies(),
	}
	if args.Custom {
		r.ID, r.Outputs = args.Name+"-id", args.Inputs.Copy()
		computed := computedOutputs(r)
		maps.Copy(computed, c.Outputs[r.Type])
		for name, value := range computed {
			key := resource.PropertyKey(name)
			if _, set := r.Outputs[key]; !set || slices.Contains(completedByAWS, name) {
				r.Outputs[key] = resource.NewPropertyValue(value)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.registered = append(c.registered, r)
	return r.ID, r.Outputs, nil
}

// Call is called by Pulumi for each invoke.
func (c *Cloud) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if handler, ok := c.Calls[args.Token]; ok {
		return resource.NewPropertyMapFromMap(handler(args.Args.Mappable())), nil
	}
	switch args.Token {
	case "aws:index/getAvailabilityZones:getAvailabilityZones":
		return resource.NewPropertyMapFromMap(c.zonesResult()), nil
	case "aws:ec2/getAmi:getAmi":
		return imageResult(args.Args)
	}
	result, ok := invokeResults[args.Token]
	if !ok {
		return nil, fmt.Errorf("call of %s: no result; add one to components/cloudmocks", args.Token)
	}
	properties := resource.NewPropertyMapFromMap(result)
	if name, byName := args.Args["name"]; byName && args.Token == "aws:route53/getZone:getZone" {
		properties["name"] = name
	}
	return properties, nil
}

// urn returns the URN that Pulumi's mocks give to a resource. Its stack and project are
// those of its parent.
func urn(parent, kind, name string) string {
	p := resource.URN(parent)
	if p == "" {
		return fmt.Sprintf("urn:pulumi:stack::project::%s::%s", kind, name)
	}
	types := strings.TrimPrefix(strings.TrimPrefix(string(p.QualifiedType()), string(resource.RootStackType)), "$")
	if types != "" {
		types += "$"
	}
	return fmt.Sprintf("urn:pulumi:%s::%s::%s%s::%s", p.Stack(), p.Project(), types, kind, name)
}
