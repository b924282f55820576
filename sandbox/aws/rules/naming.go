package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Naming defines how a name is generated if the program sets none. As in pulumi-aws, a
// generated name is the resource's Pulumi name, a dash and seven hexadecimal digits.
type Naming struct {
	// Prop is the property of the name. PrefixProp is the property for a prefix, if
	// the type has one.
	Prop, PrefixProp string
	// Max is the maximum length of a generated name.
	Max int
	// Start is the start of every generated name, such as alias/ for KMS.
	Start string
	// Bare omits the dash before the digits.
	Bare bool
	// Lower converts the Pulumi name to lower case.
	Lower bool
	// Else is the prefix with which the provider generates a name if the program sets
	// neither Prop nor PrefixProp. A type with Else gets no name from Pulumi.
	Else string
}

// suffixLength is the number of random digits of a generated name.
const suffixLength = 7

// defaultsKey is the property in which pulumi-aws lists the inputs that it has generated.
// The engine does not show properties that begin with two underscores.
const defaultsKey = "__defaults"

// Autonaming is the mode of the project's configuration pulumi:autonaming.
type Autonaming int

// The modes of autonaming.
const (
	AutonamingDefault  Autonaming = iota // the provider generates the name
	AutonamingPropose                    // the engine's proposed name is used
	AutonamingEnforce                    // the engine's proposed name must be used
	AutonamingDisabled                   // the program must set names
)

// isGenerated reports whether pulumi-aws generated the value of a property.
func isGenerated(in Object, prop string) bool {
	return slices.Contains(in.Strings(defaultsKey), prop)
}

// setName sets the name in the inputs if the program sets none. It keeps a name that was
// generated before, from the old inputs in req.
func (n *Naming) setName(in Object, req CheckRequest, fail Fail) {
	hasPrefix := n.PrefixProp != "" && in.Has(n.PrefixProp)
	if n.Else != "" || in.Has(n.Prop) || hasPrefix {
		return
	}
	name := req.Olds.String(n.Prop)
	if name == "" || !isGenerated(req.Olds, n.Prop) {
		var err error
		if name, err = n.generate(req); err != nil {
			fail(n.Prop, "%v", err)
			return
		}
	}
	in[n.Prop] = name
	in[defaultsKey] = []any{n.Prop}
}

// generate returns a new name, by the mode of autonaming.
func (n *Naming) generate(req CheckRequest) (string, error) {
	switch req.Autonaming {
	case AutonamingDisabled:
		return "", errors.New("automatic naming is disabled by pulumi:autonaming; set a name")
	case AutonamingEnforce, AutonamingPropose:
		if len(req.Proposed) > n.Max {
			return "", fmt.Errorf("the name %q of pulumi:autonaming has %d characters; AWS allows %d", req.Proposed, len(req.Proposed), n.Max)
		}
		return n.withStart(req.Proposed), nil
	}
	dash := "-"
	if n.Bare {
		dash = ""
	}
	if tooLong := len(req.Name) + len(dash) + suffixLength - n.Max; tooLong > 0 {
		return "", fmt.Errorf("the name generated from %q would be %d characters too long (limit %d); set a name", req.Name, tooLong, n.Max)
	}
	digits, err := suffix(req.Seed)
	if err != nil {
		return "", fmt.Errorf("generate a name: %w", err)
	}
	name := n.withStart(req.Name + dash + digits)
	if n.Lower {
		name = strings.ToLower(name)
	}
	return name, nil
}

// withStart adds Start to a name that does not begin with it.
func (n *Naming) withStart(name string) string {
	if strings.HasPrefix(name, n.Start) {
		return name
	}
	return n.Start + name
}

// suffix returns the digits at the end of a generated name. It derives them from the
// engine's random seed, so a preview and the update after it have the same digits.
// Without a seed, the digits are random.
func suffix(seed []byte) (string, error) {
	if len(seed) == 0 {
		return randomHex(suffixLength)
	}
	hash := sha256.Sum256(seed)
	return hex.EncodeToString(hash[:])[:suffixLength], nil
}

// complete sets the name if the program sets only a prefix, or if the type has the prefix
// Else. As in Terraform's provider, the name is the prefix, the time and a random number.
// The time and the random number have together 26 digits.
func (n *Naming) complete(in Object, now time.Time) error {
	prefix := in.String(n.PrefixProp)
	if prefix == "" {
		prefix = n.Else
	}
	if prefix == "" || in.Has(n.Prop) {
		return nil
	}
	random, err := randomHex(8)
	if err != nil {
		return fmt.Errorf("generate a name: %w", err)
	}
	in[n.Prop] = prefix + strings.ReplaceAll(now.UTC().Format("20060102150405.0000"), ".", "") + random
	return nil
}

// keepsGivenName reports whether the program sets the name and does not change it. Then
// the old object must be deleted before its replacement is created, because two objects
// cannot have the same name.
func (n *Naming) keepsGivenName(in, state Object) bool {
	if n == nil || isGenerated(in, n.Prop) {
		return false
	}
	return in.Has(n.Prop) && !wire.IsUnknown(in[n.Prop]) && in.String(n.Prop) == state.String(n.Prop)
}
