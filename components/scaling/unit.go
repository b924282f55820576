package scaling

import (
	"fmt"
	"time"
)

// Percent is a share in whole percent: of what a pod requested, of what an
// instance has, of a group's instances.
type Percent int

// String gives such as "70 %".
func (p Percent) String() string { return fmt.Sprintf("%d %%", int(p)) }

// TerminationGrace is how long a pod may take to end: a service's drain (5 s,
// while it still answers and endpoints are withdrawn) and the requests under
// way (20 s), with a rest. A node that shuts down leaves its pods as long.
const TerminationGrace = 30 * time.Second
