package languagehost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// options are the `runtime.options` of Pulumi.yaml. At most one of the fields is set.
type options struct {
	// Binary is a prebuilt executable: a path, or a name that is looked up in the
	// program's folder and then on PATH.
	Binary string
	// BuildTarget is the path of the executable that every run builds, relative to
	// the program's folder. The file stays, so that an unchanged program is not
	// linked again.
	BuildTarget string
}

// parseOptions reads the options and returns an error for an unknown one. If a misspelled
// option were ignored, every run would link the program again.
func parseOptions(runtimeOptions *structpb.Struct) (options, error) {
	var o options
	known := map[string]*string{"binary": &o.Binary, "buildTarget": &o.BuildTarget}
	for _, name := range slices.Sorted(maps.Keys(runtimeOptions.GetFields())) {
		target, ok := known[name]
		if !ok {
			return options{}, fmt.Errorf("Pulumi.yaml: runtime.options.%s is unknown: must be %s",
				name, strings.Join(slices.Sorted(maps.Keys(known)), " or "))
		}
		value, ok := runtimeOptions.GetFields()[name].GetKind().(*structpb.Value_StringValue)
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
