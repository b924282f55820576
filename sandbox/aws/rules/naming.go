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
	// FixedPrefix begins every generated name, such as alias/ for aliases of KMS.
	FixedPrefix string
	// NoDash omits the dash before the digits.
	NoDash bool
	// Lower converts the Pulumi name to lower case.
	Lower bool
	// DefaultPrefix is the prefix of the name if the program sets neither Prop nor PrefixProp.
	// The provider generates such a name, so a type with DefaultPrefix gets no name from
	// Pulumi.
	DefaultPrefix string
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
	AutonamingPropose                    // the provider should use the name that the engine proposes
	AutonamingEnforce                    // the provider must use the name that the engine proposes
	AutonamingDisabled                   // the program must set names
)

// isGenerated reports whether pulumi-aws generated the value of a property.
func isGenerated(in Object, prop string) bool {
	return slices.Contains(in.Strings(defaultsKey), prop)
}

// setName sets the name in the inputs if the program sets no name. If the old inputs in req
// have a generated name, setName keeps that name.
func (n *Naming) setName(in Object, req CheckRequest, fail Fail) {
	hasPrefix := n.PrefixProp != "" && in.Has(n.PrefixProp)
	if n.DefaultPrefix != "" || in.Has(n.Prop) || hasPrefix {
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

// generate returns a new name, by the mode of autonaming in req.
func (n *Naming) generate(req CheckRequest) (string, error) {
	switch req.Autonaming {
	case AutonamingDisabled:
		return "", errors.New("automatic naming is disabled by pulumi:autonaming; set a name")
	case AutonamingEnforce, AutonamingPropose:
		if len(req.Proposed) > n.Max {
			return "", fmt.Errorf("the name %q of pulumi:autonaming has %d characters; AWS allows %d", req.Proposed, len(req.Proposed), n.Max)
		}
		return n.withFixedPrefix(req.Proposed), nil
	}
	dash := "-"
	if n.NoDash {
		dash = ""
	}
	if tooLong := len(req.Name) + len(dash) + suffixLength - n.Max; tooLong > 0 {
		return "", fmt.Errorf("the name generated from %q would be %d characters too long (limit %d); set a name", req.Name, tooLong, n.Max)
	}
	digits, err := generateSuffix(req.Seed)
	if err != nil {
		return "", fmt.Errorf("generate a name: %w", err)
	}
	name := n.withFixedPrefix(req.Name + dash + digits)
	if n.Lower {
		name = strings.ToLower(name)
	}
	return name, nil
}

// withFixedPrefix adds FixedPrefix to the name, unless the name already begins with it.
func (n *Naming) withFixedPrefix(name string) string {
	if strings.HasPrefix(name, n.FixedPrefix) {
		return name
	}
	return n.FixedPrefix + name
}

// generateSuffix returns the digits at the end of a generated name. It derives the digits from
// the engine's random seed, so a preview and the update after the preview have the same digits.
// Without a seed, the digits are random.
func generateSuffix(seed []byte) (string, error) {
	if len(seed) == 0 {
		return randomHex(suffixLength)
	}
	hash := sha256.Sum256(seed)
	return hex.EncodeToString(hash[:])[:suffixLength], nil
}

// setPrefixedName sets the name if the program sets only a prefix, or if the type has a
// DefaultPrefix. As in Terraform's provider, the name is the prefix, the time and a random
// number. The time has 18 digits, and the random number has 8 hexadecimal digits.
func (n *Naming) setPrefixedName(in Object, now time.Time) error {
	prefix := in.String(n.PrefixProp)
	if prefix == "" {
		prefix = n.DefaultPrefix
	}
	if prefix == "" || in.Has(n.Prop) {
		return nil
	}
	randomDigits, err := randomHex(8)
	if err != nil {
		return fmt.Errorf("generate a name: %w", err)
	}
	in[n.Prop] = prefix + strings.ReplaceAll(now.UTC().Format("20060102150405.0000"), ".", "") + randomDigits
	return nil
}

// keepsGivenName reports whether the program sets the name and does not change the name. Then
// the old object must be deleted before its replacement is created, because two objects
// cannot have the same name.
func (n *Naming) keepsGivenName(in, state Object) bool {
	if n == nil || isGenerated(in, n.Prop) {
		return false
	}
	return in.Has(n.Prop) && !wire.IsUnknown(in[n.Prop]) && in.String(n.Prop) == state.String(n.Prop)
}
