package keda

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/manifestfile"
)

// crdFiles are the files of KEDA's CustomResourceDefinitions in its module. The operator
// starts only when all of them exist. The platform uses only ScaledObject. For the other
// kinds, relaxSchema replaces the schema with one that accepts every object. The replacement
// saves space in the state: the schema of ScaledJob alone has 670 kB. The replacement is safe,
// because no pod has the permission to create such objects.
var crdFiles = []struct {
	file        string
	relaxSchema bool
}{
	{"keda.sh_scaledobjects.yaml", false},
	{"keda.sh_scaledjobs.yaml", true},
	{"keda.sh_triggerauthentications.yaml", true},
	{"keda.sh_clustertriggerauthentications.yaml", true},
	{"eventing.keda.sh_cloudeventsources.yaml", true},
	{"eventing.keda.sh_clustercloudeventsources.yaml", true},
}

// newCustomResourceDefinitions creates the CustomResourceDefinitions.
func newCustomResourceDefinitions(ctx *pulumi.Context, name string, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	var definitions []manifestfile.Object
	for _, crd := range crdFiles {
		objects, err := manifestfile.Read(Module, "config/crd/bases/"+crd.file)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if crd.relaxSchema {
				if err := o.RelaxSchema(); err != nil {
					return nil, fmt.Errorf("%s of %s: %w", crd.file, Module.Path, err)
				}
			}
			definitions = append(definitions, o)
		}
	}
	return controller.NewCustomResourceDefinitions(ctx, name, definitions, parent)
}
