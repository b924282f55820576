// Package webaclspec has the settings of a web ACL that a stack may choose. It imports no SDK.
package webaclspec

// Mode is the action of AWS's managed rules for a request that matches.
type Mode string

// The modes.
const (
	// Count lets the request through and writes it to the log.
	Count Mode = "count"
	// Block refuses the request with status 403.
	Block Mode = "block"
)

// Values lists the modes.
func (Mode) Values() []string { return []string{string(Count), string(Block)} }
