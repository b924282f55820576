package languagehost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// options are those of `runtime.options` in Pulumi.yaml. At most one is set.
type options struct {
	// Binary is an executable that was built before: a path, or a name that is
	// looked up in the program's folder and then on PATH.
	Binary string
	// BuildTarget is where the program is built to at every run, relative to
	// the program's folder. The file stays, so that an unchanged program costs
	// no link.
	BuildTarget string
}

// parseOptions refuses an option that the host does not know: one that is
// misspelt would otherwise cost a full link at every run and say nothing.
func parseOptions(given *structpb.Struct) (options, error) {
	var o options
	known := map[string]*string{"binary": &o.Binary, "buildTarget": &o.BuildTarget}
	for _, name := range slices.Sorted(maps.Keys(given.GetFields())) {
		target, ok := known[name]
		if !ok {
			return options{}, fmt.Errorf("Pulumi.yaml: runtime.options.%s is unknown; known are %s",
				name, strings.Join(slices.Sorted(maps.Keys(known)), " and "))
		}
		value, ok := given.GetFields()[name].GetKind().(*structpb.Value_StringValue)
		if !ok {
			return options{}, fmt.Errorf("Pulumi.yaml: runtime.options.%s must be a string", name)
		}
		*target = value.StringValue
	}
	if o.Binary != "" && o.BuildTarget != "" {
		return options{}, fmt.Errorf("Pulumi.yaml: runtime.options.binary (%s) and runtime.options.buildTarget (%s) exclude each other: keep one", o.Binary, o.BuildTarget)
	}
	return o, nil
}
