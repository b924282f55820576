// Package webaclspec has what a stack may choose about its web ACL. It is pure.
package webaclspec

// Mode is what AWS's managed rules do with a request that matches.
type Mode string

// The modes.
const (
	// Count lets the request through and writes it to the log.
	Count Mode = "count"
	// Block answers 403.
	Block Mode = "block"
)

// Values lists the modes.
func (Mode) Values() []string { return []string{string(Count), string(Block)} }
