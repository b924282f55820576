package componenttest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/protection/stateful"
)

const (
	region    = cloudmocks.Region
	accountID = cloudmocks.AccountID
)

// registration is a resource as a program registered it, with methods for tests.
type registration struct{ cloudmocks.Registration }

// deployment is the list of resources that a program registered, sorted by URN.
type deployment []registration

// program is a Pulumi program that creates components in an account. The tests' functions with
// a name such as newCluster return a program that creates one component. Their parameter change
// can change the arguments of the component.
type program func(ctx *pulumi.Context, stackAccount *account.Account) error

// run runs a program against the default mocks. It returns the registered resources also if the
// program fails.
func run(p program) (deployment, error) { return runOn(&cloudmocks.Cloud{}, p) }

// runOn runs a program against the given mocks.
func runOn(cloud *cloudmocks.Cloud, p program) (deployment, error) {
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		return p(ctx, account.Lookup(ctx, region))
	}, pulumi.WithMocks("platform", "test", cloud))
	var d deployment
	for _, r := range cloud.Registered() {
		d = append(d, registration{r})
	}
	return d, err
}

// deploy runs a program that must succeed. Each type of resource must have a row in package
// stateful, which classifies the types by what a replacement would lose.
func deploy(t *testing.T, p program) deployment {
	t.Helper()
	d, err := run(p)
	require.NoError(t, err)
	for _, r := range d {
		_, known := stateful.HoldsState(r.Type, true)
		require.True(t, known, "type %s: say in components/protection/stateful/types.go whether it holds data, an address or an identity", r.Type)
	}
	return d
}

// ofType lists the resources of a type.
func (d deployment) ofType(kind string) deployment {
	return slices.DeleteFunc(slices.Clone(d), func(r registration) bool { return r.Type != kind })
}

// find returns the only resource of a type, or the only one of the type with the given name. It
// fails the test if there is none, or more than one.
func (d deployment) find(t *testing.T, kind string, name ...string) registration {
	t.Helper()
	found := slices.DeleteFunc(d.ofType(kind), func(r registration) bool { return len(name) > 0 && r.Name != name[0] })
	require.Len(t, found, 1, "resources of type %s named %v", kind, name)
	return found[0]
}

// names returns the names of the resources of a type, sorted.
func (d deployment) names(kind string) []string {
	var names []string
	for _, r := range d.ofType(kind) {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

// input returns the input at a path such as "spec.containers[0].image", with the plain values
// of secrets. It returns nil if the input is not set. For an invalid path it returns the error as
// the value. A test that compares the value then fails, and its message shows the error.
func (r registration) input(path string) any {
	parsed, err := resource.ParsePropertyPath(path)
	if err != nil {
		return err
	}
	value, ok := parsed.Get(resource.NewProperty(r.Inputs))
	if !ok {
		return nil
	}
	return revealSecrets(value)
}

// requireInputs fails the test unless the resource has the given inputs, by path.
func (r registration) requireInputs(t *testing.T, want map[string]any) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		require.EqualValues(t, want[path], r.input(path), "%s of %s %s", path, r.Type, r.Name)
	}
}

// requireDependsOn fails the test unless the resource depends on all others.
func (r registration) requireDependsOn(t *testing.T, others ...registration) {
	t.Helper()
	for _, o := range others {
		require.Contains(t, r.Dependencies, o.URN, "%s must come after %s", r.Name, o.Name)
	}
}

// requireRestricted requires that the pod spec at podPath passes the Pod Security Standard
// "restricted", and that no container can write to its root file system.
func requireRestricted(t *testing.T, r registration, podPath string, userID int) {
	t.Helper()
	r.requireInputs(t, map[string]any{
		podPath + ".securityContext.runAsNonRoot": true, podPath + ".securityContext.runAsUser": userID,
		podPath + ".securityContext.seccompProfile.type": "RuntimeDefault",
		podPath + ".hostNetwork":                         nil, podPath + ".hostPID": nil,
	})
	containers, _ := r.input(podPath + ".containers").([]any)
	require.NotEmpty(t, containers)
	for i := range containers {
		prefix := fmt.Sprintf("%s.containers[%d].securityContext.", podPath, i)
		r.requireInputs(t, map[string]any{
			prefix + "allowPrivilegeEscalation": false, prefix + "readOnlyRootFilesystem": true, prefix + "capabilities.drop": []any{"ALL"},
			prefix + "privileged": nil, prefix + "capabilities.add": nil,
		})
	}
}

// revealSecrets converts a property to a Go value, with the plain values of secrets.
func revealSecrets(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return revealSecrets(v.SecretValue().Element)
	case v.IsArray():
		var elements []any
		for _, e := range v.ArrayValue() {
			elements = append(elements, revealSecrets(e))
		}
		return elements
	case v.IsObject():
		fields := map[string]any{}
		for k, e := range v.ObjectValue() {
			fields[string(k)] = revealSecrets(e)
		}
		return fields
	}
	return v.Mappable()
}
