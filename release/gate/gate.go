// Package gate has the gates of a promotion. When a gate passes, each image of the release gets a
// signed statement with the stacks, the time and the evidence. This package has the names of the
// gates and the content of the statement. It uses only the standard library, so that package
// infra/config can use the names.
package gate

import (
	"net/url"
	"slices"
	"time"
)

// Name is the name of a gate.
type Name string

// The gates of a promotion, in the order of a report.
const (
	Signatures Name = "signatures" // trusted keys have signed provenance and SBOM of each image
	BakeTime   Name = "bake-time"  // the last update is old enough
	Alarms     Name = "alarms"     // no alarm since the last update
	Pods       Name = "pods"       // exactly these digests run
	LoadTest   Name = "load-test"  // a load test of these digests kept every limit
	Preview    Name = "preview"    // the preview of the target loses nothing and breaks no rule
	Cost       Name = "cost"       // the target stays within its budget
	Migrations Name = "migrations" // the release only adds to the schema
)

// Names lists the gates.
func Names() []Name {
	return []Name{Signatures, BakeTime, Alarms, Pods, LoadTest, Preview, Cost, Migrations}
}

// NamesWithOptionalEvidence returns the gates that a promotion may pass without evidence. Their
// evidence can be missing: nobody ran the load test, or the cluster does not respond. The other
// gates always have their evidence.
func NamesWithOptionalEvidence() []Name { return []Name{Alarms, Pods, LoadTest, Preview, Cost} }

// PredicateType returns the predicate type of the gate's statement for the stack to which the image
// is promoted. Each stack has its own type, so that a statement for one stack is not valid for
// another.
func (n Name) PredicateType(stack string) string {
	return "https://github.com/progressive-framework/platform/release/gate/" + string(n) + "/" + url.PathEscape(stack) + "/v1"
}

// PredicateTypes returns the predicate types of these gates' statements for a stack.
func PredicateTypes(stack string, names []Name) []string {
	types := make([]string, len(names))
	for i, n := range names {
		types[i] = n.PredicateType(stack)
	}
	return types
}

// BuildPredicateTypes returns the predicate types of the statements that an image has since it was
// built: provenance and SBOM. They are the constants of package attest, which this package does not
// import.
func BuildPredicateTypes() []string {
	return []string{"https://slsa.dev/provenance/v1", "https://spdx.dev/Document"}
}

// ReleasePredicateTypes returns the predicate types of the statements that a stack requires of an
// image of a release: provenance, SBOM, and those of the gates. Each gate that always has evidence is
// required, so that no stack runs a digest that nobody promoted to it. further are the other gates
// that the stack requires.
func ReleasePredicateTypes(stack string, further []Name) []string {
	required := slices.DeleteFunc(Names(), func(n Name) bool { return n.HasOptionalEvidence() && !slices.Contains(further, n) })
	return append(BuildPredicateTypes(), PredicateTypes(stack, required)...)
}

// Predicate is the content of a gate's statement about an image. It says that the gate passed for the
// release that contains the image.
type Predicate struct {
	// From and To are the stacks of the promotion.
	From string `json:"from"`
	To   string `json:"to"`
	// Commit is the git commit of the release.
	Commit string    `json:"commit"`
	At     time.Time `json:"at"`
	// Evidence is a text with the result of the gate.
	Evidence string `json:"evidence"`
	// Images are the digests of the release by the images' short names.
	Images map[string]string `json:"images"`
}

// HasOptionalEvidence reports whether a promotion may pass the gate without evidence.
func (n Name) HasOptionalEvidence() bool { return slices.Contains(NamesWithOptionalEvidence(), n) }
