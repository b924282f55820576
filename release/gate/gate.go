// Package gate has the gates of a promotion, and the signed statement that each leaves on an
// image: who promoted what, when, and on which evidence. It is pure, and has no dependencies, so that a configuration can name gates.
package gate

import (
	"slices"
	"time"
)

// Name is the name of a gate.
type Name string

// The gates of a promotion, in the order in which a reader looks at them.
const (
	Signatures Name = "signatures" // trusted keys have signed provenance and SBOM of each image
	BakeTime   Name = "bake-time"  // the last update is old enough
	Alarms     Name = "alarms"     // no alarm since then
	Pods       Name = "pods"       // exactly these digests run
	LoadTest   Name = "load-test"  // a load test of these digests kept every limit
	Preview    Name = "preview"    // the preview of the target loses nothing and breaks no rule
	Cost       Name = "cost"       // the target stays within its budget
	Migrations Name = "migrations" // the schema is only added to
)

// Names lists the gates.
func Names() []Name {
	return []Name{Signatures, BakeTime, Alarms, Pods, LoadTest, Preview, Cost, Migrations}
}

// Evidence lists the gates whose evidence may be missing: a report that was not made, or a
// cluster that does not answer. The others always find theirs.
func Evidence() []Name { return []Name{Alarms, Pods, LoadTest, Preview, Cost} }

// PredicateType is that of the statement of a gate.
func (n Name) PredicateType() string {
	return "https://github.com/progressive-framework/platform/release/gate/" + string(n) + "/v1"
}

// PredicateTypes lists those of some gates.
func PredicateTypes(names []Name) []string {
	types := make([]string, len(names))
	for i, n := range names {
		types[i] = n.PredicateType()
	}
	return types
}

// Wanted are the predicate types of an image that a stack accepts: provenance and SBOM, as
// package attest has them, and the gates that the stack requires.
func Wanted(required []Name) []string {
	return append([]string{"https://slsa.dev/provenance/v1", "https://spdx.dev/Document"}, PredicateTypes(required)...)
}

// Passed is the predicate: the gate passed for an image as a part of a release.
type Passed struct {
	// From and To are the stacks.
	From string `json:"from"`
	To   string `json:"to"`
	// Commit is that of the release.
	Commit string    `json:"commit"`
	At     time.Time `json:"at"`
	// Evidence is what the gate found.
	Evidence string `json:"evidence"`
	// Images are the digests of the release by short names.
	Images map[string]string `json:"images"`
}

// MayMiss says whether the name is one of the gates whose evidence may be missing.
func (n Name) MayMiss() bool { return slices.Contains(Evidence(), n) }
