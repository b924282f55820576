package scaling

import (
	"fmt"
	"time"
)

// Percent is a share in whole percent, such as a share of a pod's requests or
// of a group's instances.
type Percent int

// String returns a text such as "70 %".
func (p Percent) String() string { return fmt.Sprintf("%d %%", int(p)) }

// TerminationGrace is the longest time that a pod may take to terminate. A service first accepts
// requests for 5 s, until its endpoints are removed. It then finishes open requests within 20 s.
// The remaining 5 s are a reserve. Pods have the same time when their node shuts down.
const TerminationGrace = 30 * time.Second
