package keda

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/manifestfile"
)

// kinds are the files of KEDA's CustomResourceDefinitions in its module. The operator
// starts only when all of them exist. The platform uses only ScaledObject. For the other
// kinds, openSchema replaces the schema by one that accepts every object. That saves
// space in the state: the schema of ScaledJob alone has 670 kB. It is safe, because no
// pod has the permission to create such objects.
var kinds = []struct {
	file       string
	openSchema bool
}{
	{"keda.sh_scaledobjects.yaml", false},
	{"keda.sh_scaledjobs.yaml", true},
	{"keda.sh_triggerauthentications.yaml", true},
	{"keda.sh_clustertriggerauthentications.yaml", true},
	{"eventing.keda.sh_cloudeventsources.yaml", true},
	{"eventing.keda.sh_clustercloudeventsources.yaml", true},
}

// newKinds creates the CustomResourceDefinitions.
func newKinds(ctx *pulumi.Context, name string, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	var definitions []manifestfile.Object
	for _, k := range kinds {
		objects, err := manifestfile.Read(Module, "config/crd/bases/"+k.file)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if k.openSchema {
				if err := o.OpenSchema(); err != nil {
					return nil, fmt.Errorf("%s of %s: %w", k.file, Module.Path, err)
				}
			}
			definitions = append(definitions, o)
		}
	}
	return controller.NewKinds(ctx, name, definitions, parent)
}
