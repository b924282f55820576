package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Naming defines how a name is generated if none is set. As in pulumi-aws, a generated
// name consists of the resource's Pulumi name, a dash and seven hexadecimal digits.
type Naming struct {
	// Prop is the property of the name. PrefixProp is the property for a prefix, if
	// the type has one.
	Prop, PrefixProp string
	// Max is the maximum length of a generated name.
	Max int
	// Start is the start of every generated name, such as alias/ for KMS.
	Start string
	// Bare omits the dash before the digits. Lower converts the Pulumi name to lower
	// case.
	Bare, Lower bool
	// Else is the prefix that the provider itself uses if the program sets neither Prop
	// nor PrefixProp and Pulumi generates no name.
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
	AutonamingPropose                    // the proposed name, with Start added
	AutonamingEnforce                    // the proposed name, or failure
	AutonamingDisabled                   // names must be set
)

// isGenerated says whether the value of a property was generated.
func isGenerated(in Object, prop string) bool {
	return slices.Contains(in.Strings(defaultsKey), prop)
}

// name generates a name if none is set, or keeps the one that was generated before.
func (n *Naming) name(in Object, req CheckRequest, fail Fail) {
	if n.Else != "" || in.Has(n.Prop) || (n.PrefixProp != "" && in.Has(n.PrefixProp)) {
		return
	}
	if old := req.Olds.String(n.Prop); old != "" && isGenerated(req.Olds, n.Prop) {
		in[n.Prop] = old
	} else {
		switch req.Autonaming {
		case AutonamingDisabled:
			fail(n.Prop, "automatic naming is disabled by pulumi:autonaming; set a name")
			return
		case AutonamingEnforce, AutonamingPropose:
			if len(req.Proposed) > n.Max {
				fail(n.Prop, "the name %q of pulumi:autonaming has %d characters; AWS allows %d", req.Proposed, len(req.Proposed), n.Max)
				return
			}
			in[n.Prop] = n.withStart(req.Proposed)
		default:
			dash := "-"
			if n.Bare {
				dash = ""
			}
			if tooLong := len(req.Name) + len(dash) + suffixLength - n.Max; tooLong > 0 {
				fail(n.Prop, "the name generated from %q would be %d characters too long (limit %d); set a name", req.Name, tooLong, n.Max)
				return
			}
			digits, err := suffix(req.Seed)
			if err != nil {
				fail(n.Prop, "generate a name: %v", err)
				return
			}
			in[n.Prop] = n.withStart(req.Name + dash + digits)
			if n.Lower {
				in[n.Prop] = strings.ToLower(in.String(n.Prop))
			}
		}
	}
	in[defaultsKey] = []any{n.Prop}
}

// withStart adds Start to a name that does not begin with it.
func (n *Naming) withStart(name string) string {
	if strings.HasPrefix(name, n.Start) {
		return name
	}
	return n.Start + name
}

// suffix derives the digits from the engine's random seed, so they are the same in a
// preview and in the update after it. Without a seed they are random.
func suffix(seed []byte) (string, error) {
	if len(seed) == 0 {
		return randomHex(suffixLength)
	}
	sum := sha256.Sum256(seed)
	return hex.EncodeToString(sum[:])[:suffixLength], nil
}

// complete generates a name from a prefix as Terraform's provider does: it adds the time
// and a random number, together 26 digits.
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

// keepsGivenName says whether the program sets the name and does not change it. Then a
// replacement can't be created while the old object exists.
func (n *Naming) keepsGivenName(in, state Object) bool {
	return n != nil && !isGenerated(in, n.Prop) && in.Has(n.Prop) && !wire.IsUnknown(in[n.Prop]) &&
		in.String(n.Prop) == state.String(n.Prop)
}
