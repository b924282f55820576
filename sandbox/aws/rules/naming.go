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

// Naming says how a type gets its name where none is given: as pulumi-aws
// does, the resource's Pulumi name, a dash and seven hexadecimal digits.
type Naming struct {
	// Prop is the property; PrefixProp the one that gives a prefix instead,
	// where there is one.
	Prop, PrefixProp string
	// Max is the longest made-up name.
	Max int
	// Start is what every made-up name starts with, as alias/ for KMS.
	Start string
	// Bare says that no dash stands before the digits, Lower that the Pulumi
	// name is turned to lower case.
	Bare, Lower bool
	// Else is the prefix that Terraform's provider takes where neither is
	// given and Pulumi makes no name up.
	Else string
}

// suffixLength is the number of random digits of a made-up name.
const suffixLength = 7

// defaultsKey is where Pulumi's bridge keeps the names of the inputs that it
// made up; names beginning with two underscores are hidden from people.
const defaultsKey = "__defaults"

// Autonaming is what the engine was told about names by the project's
// configuration (pulumi:autonaming).
type Autonaming int

// The modes of autonaming.
const (
	AutonamingDefault  Autonaming = iota // the provider's own way
	AutonamingPropose                    // the proposed name, shaped to fit
	AutonamingEnforce                    // the proposed name, or failure
	AutonamingDisabled                   // names must be given
)

// madeUp says whether inputs hold a made-up value of a property.
func madeUp(in Object, prop string) bool {
	return slices.Contains(in.Strings(defaultsKey), prop)
}

// name makes up a name where none is given, or keeps the one made up before.
func (n *Naming) name(in Object, req CheckRequest, fail Fail) {
	if n.Else != "" || in.Has(n.Prop) || (n.PrefixProp != "" && in.Has(n.PrefixProp)) {
		return
	}
	if old := req.Olds.String(n.Prop); old != "" && madeUp(req.Olds, n.Prop) {
		in[n.Prop] = old
	} else {
		switch req.Autonaming {
		case AutonamingDisabled:
			fail(n.Prop, "automatic naming is disabled by pulumi:autonaming; give a name")
			return
		case AutonamingEnforce, AutonamingPropose:
			if len(req.Proposed) > n.Max {
				fail(n.Prop, "the name %q that pulumi:autonaming asks for has %d characters; AWS allows %d", req.Proposed, len(req.Proposed), n.Max)
				return
			}
			in[n.Prop] = n.start(req.Proposed)
		default:
			dash := "-"
			if n.Bare {
				dash = ""
			}
			if tooLong := len(req.Name) + len(dash) + suffixLength - n.Max; tooLong > 0 {
				fail(n.Prop, "the name made up from %q would be %d characters too long (limit %d); give a name", req.Name, tooLong, n.Max)
				return
			}
			digits, err := suffix(req.Seed)
			if err != nil {
				fail(n.Prop, "making up a name: %v", err)
				return
			}
			in[n.Prop] = n.start(req.Name + dash + digits)
			if n.Lower {
				in[n.Prop] = strings.ToLower(in.String(n.Prop))
			}
		}
	}
	in[defaultsKey] = []any{n.Prop}
}

func (n *Naming) start(name string) string {
	if strings.HasPrefix(name, n.Start) {
		return name
	}
	return n.Start + name
}

// suffix derives the random digits from the engine's seed, so that a preview
// and the update after it agree; without a seed they are random.
func suffix(seed []byte) (string, error) {
	if len(seed) == 0 {
		return randomHex(suffixLength)
	}
	sum := sha256.Sum256(seed)
	return hex.EncodeToString(sum[:])[:suffixLength], nil
}

// complete gives a name with a prefix the rest that Terraform's provider
// gives it: the time and a random number, 26 digits.
func (n *Naming) complete(in Object, now time.Time) error {
	prefix := in.String(n.PrefixProp)
	if prefix == "" {
		prefix = n.Else
	}
	if prefix == "" || in.Has(n.Prop) {
		return nil
	}
	tail, err := randomHex(8)
	if err != nil {
		return fmt.Errorf("making up a name: %w", err)
	}
	in[n.Prop] = prefix + strings.ReplaceAll(now.UTC().Format("20060102150405.0000"), ".", "") + tail
	return nil
}

// pinnedName says whether the name was given and stays, so that a
// replacement can't be made while the old one is there.
func (n *Naming) pinnedName(in, state Object) bool {
	return n != nil && !madeUp(in, n.Prop) && in.Has(n.Prop) && !wire.IsUnknown(in[n.Prop]) &&
		in.String(n.Prop) == state.String(n.Prop)
}
