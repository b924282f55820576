package rules

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Most functions in this file return a validator of single values. A validator returns
// the reason why it refuses a value, or "" if it allows the value. The type of the value was
// checked before, against the schema.

// all returns a validator that allows a value if each of the validators allows it.
func all(validators ...func(any) string) func(any) string {
	return func(v any) string {
		for _, valid := range validators {
			if reason := valid(v); reason != "" {
				return reason
			}
		}
		return ""
	}
}

// length returns a validator that allows strings with low to high characters.
func length(low, high int) func(any) string {
	return func(v any) string {
		s, _ := v.(string)
		if n := utf8.RuneCountInString(s); n < low || n > high {
			return fmt.Sprintf("has %d characters, must have %d to %d", n, low, high)
		}
		return ""
	}
}

// pattern returns a validator that allows strings that match the regular expression as a
// whole. hint describes the allowed strings in the validator's message.
func pattern(expr, hint string) func(any) string {
	re := regexp.MustCompile(`^(?:` + expr + `)$`)
	return func(v any) string {
		s, _ := v.(string)
		if !re.MatchString(s) {
			return fmt.Sprintf("%q must be %s", s, hint)
		}
		return ""
	}
}

// withoutPrefix returns a validator that refuses strings with a prefix.
func withoutPrefix(prefix string) func(any) string {
	return func(v any) string {
		if s, _ := v.(string); strings.HasPrefix(s, prefix) {
			return fmt.Sprintf("%q can't begin with %s", s, prefix)
		}
		return ""
	}
}

// numbers returns a validator that allows numbers from low to high.
func numbers(low, high float64) func(any) string {
	return func(v any) string {
		if n, _ := v.(float64); n < low || n > high {
			return fmt.Sprintf("is %v, must be %v to %v", n, low, high)
		}
		return ""
	}
}

// zeroOr returns a validator that allows 0 and numbers from low to high.
func zeroOr(low, high float64) func(any) string {
	return func(v any) string {
		if n, _ := v.(float64); n != 0 && (n < low || n > high) {
			return fmt.Sprintf("is %v, must be 0 or %v to %v", n, low, high)
		}
		return ""
	}
}

// oneOf returns a validator that allows the listed numbers.
func oneOf(list ...float64) func(any) string {
	return func(v any) string {
		if n, _ := v.(float64); !slices.Contains(list, n) {
			return fmt.Sprintf("is %v, must be one of %v", n, list)
		}
		return ""
	}
}

// cidr4 returns a validator that allows IPv4 CIDR blocks with a prefix of low to high bits.
// The address must be the first address of the block.
func cidr4(low, high int) func(any) string { return cidr("IPv4", netip.Addr.Is4, low, high) }

// cidr6 returns a validator that allows IPv6 CIDR blocks, with the same rules as cidr4.
func cidr6(low, high int) func(any) string { return cidr("IPv6", netip.Addr.Is6, low, high) }

// cidr returns a validator that allows CIDR blocks of an address family with a prefix of low
// to high bits. isFamily reports whether an address belongs to the family.
func cidr(family string, isFamily func(netip.Addr) bool, low, high int) func(any) string {
	return func(v any) string {
		s, _ := v.(string)
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil || !isFamily(p.Addr()):
			return fmt.Sprintf("%q is not an %s CIDR block", s, family)
		case p.Masked() != p:
			return fmt.Sprintf("%q must be written as its network, %s", s, p.Masked())
		case p.Bits() < low || p.Bits() > high:
			return fmt.Sprintf("%q must have a prefix of /%d to /%d", s, low, high)
		}
		return ""
	}
}

// overlap reports whether two CIDR blocks have an address in common.
func overlap(a, b string) bool {
	x, errX := netip.ParsePrefix(a)
	y, errY := netip.ParsePrefix(b)
	return errX == nil && errY == nil && x.Overlaps(y)
}

// inside reports whether the CIDR block inner is equal to outer or a part of outer.
func inside(inner, outer string) bool {
	x, errX := netip.ParsePrefix(inner)
	y, errY := netip.ParsePrefix(outer)
	return errX == nil && errY == nil && y.Bits() <= x.Bits() && y.Contains(x.Addr())
}

var arnPattern = regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.+$`)

// checkARN returns a message unless v is an Amazon Resource Name.
func checkARN(v any) string {
	if s, _ := v.(string); !arnPattern.MatchString(s) {
		return fmt.Sprintf("%q is not an ARN", s)
	}
	return ""
}

// sameCIDR reports whether two CIDR blocks are the same network.
func sameCIDR(a, b string) bool {
	x, errX := netip.ParsePrefix(a)
	y, errY := netip.ParsePrefix(b)
	return errX == nil && errY == nil && x.Masked() == y.Masked()
}
