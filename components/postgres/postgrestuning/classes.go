package postgrestuning

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/components/size"
)

// Class has the memory and the cores of an RDS instance class.
type Class struct {
	Memory size.Size
	Cores  int
}

// classes are the RDS instance classes that the platform allows, with memory in
// GiB and vCPUs. They are the current Graviton classes (RDS User Guide,
// "Hardware specifications for DB instance classes").
var classes = map[string]struct{ gib, cores int }{
	"db.t4g.micro": {1, 2}, "db.t4g.small": {2, 2}, "db.t4g.medium": {4, 2},
	"db.t4g.large": {8, 2}, "db.t4g.xlarge": {16, 4}, "db.t4g.2xlarge": {32, 8},

	"db.m7g.large": {8, 2}, "db.m7g.xlarge": {16, 4}, "db.m7g.2xlarge": {32, 8}, "db.m7g.4xlarge": {64, 16},
	"db.m7g.8xlarge": {128, 32}, "db.m7g.12xlarge": {192, 48}, "db.m7g.16xlarge": {256, 64},

	"db.r7g.large": {16, 2}, "db.r7g.xlarge": {32, 4}, "db.r7g.2xlarge": {64, 8}, "db.r7g.4xlarge": {128, 16},
	"db.r7g.8xlarge": {256, 32}, "db.r7g.12xlarge": {384, 48}, "db.r7g.16xlarge": {512, 64},
}

// LookupClass returns the hardware of an RDS instance class such as
// "db.m7g.2xlarge".
func LookupClass(name string) (Class, error) {
	c, ok := classes[name]
	if !ok {
		return Class{}, fmt.Errorf("tuning: instance class %q must be one of %s", name, strings.Join(slices.Sorted(maps.Keys(classes)), ", "))
	}
	return Class{Memory: size.GiB(int64(c.gib)), Cores: c.cores}, nil
}
