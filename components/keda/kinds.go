package keda

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/manifestfile"
)

// kinds are KEDA's kinds, by the files of its module. The operator starts only when
// all of them exist. Of those that the platform does not use, any object is valid,
// since nobody gets the permission to create one: the schema of ScaledJob alone has
// 670 kB.
var kinds = []struct {
	file   string
	opened bool
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
			if k.opened {
				if err := o.OpenSchema(); err != nil {
					return nil, fmt.Errorf("%s of %s: %w", k.file, Module.Path, err)
				}
			}
			definitions = append(definitions, o)
		}
	}
	return controller.NewKinds(ctx, name, definitions, parent)
}
