package rules

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// expand replaces the variables of a template by values. A variable is a name in braces:
//
//   - {account}, {region}, {partition} and {id} are values of the call.
//   - {hex17} is 17 random hexadecimal digits. Other numbers are possible, also for {id17}.
//   - {id17} is 17 random capital letters and digits, as in IAM's unique ids.
//   - {uuid} is a random UUID.
//   - Any other name is a property of the object.
func (c *Call) expand(template string) (string, error) {
	var out strings.Builder
	for {
		before, afterOpening, found := strings.Cut(template, "{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, afterClosing, closed := strings.Cut(afterOpening, "}")
		if !closed {
			return "", fmt.Errorf("template %q has no closing brace", template)
		}
		value, err := c.variableValue(name)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		template = afterClosing
	}
}

// variableValue returns the value of a variable in a template. name is the text in the braces.
func (c *Call) variableValue(name string) (string, error) {
	switch name {
	case "account":
		return c.Account, nil
	case "region":
		return c.Region, nil
	case "partition":
		return c.Partition, nil
	case "id":
		return c.ID, nil
	case "uuid":
		return randomUUID()
	}
	if n, ok := parseLengthSuffix(name, "hex"); ok {
		return randomHex(n)
	}
	if n, ok := parseLengthSuffix(name, "id"); ok {
		return randomID(n)
	}
	for _, o := range []Object{c.Out, c.In} {
		switch v := o[name].(type) {
		case string:
			return v, nil
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64), nil
		}
	}
	return "", fmt.Errorf("template variable {%s}: the object has no such property", name)
}

// parseLengthSuffix returns the number after a prefix, such as 8 for the name hex8 and the
// prefix hex. ok is false if the name is not the prefix and a number.
func parseLengthSuffix(name, prefix string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// randomHex returns n random hexadecimal digits.
func randomHex(n int) (string, error) {
	raw := make([]byte, (n+1)/2)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("random id: %w", err)
	}
	return hex.EncodeToString(raw)[:n], nil
}

// randomID returns n random capital letters and digits.
func randomID(n int) (string, error) {
	raw := make([]byte, n)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("random id: %w", err)
	}
	return base32.StdEncoding.EncodeToString(raw)[:n], nil
}

// randomBelow returns a random number from 0 to n-1.
func randomBelow(n int64) (int, error) {
	random, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		return 0, fmt.Errorf("random number: %w", err)
	}
	return int(random.Int64()), nil
}

// randomUUID returns a random UUID of version 4.
func randomUUID() (string, error) {
	digits, err := randomHex(32)
	if err != nil {
		return "", err
	}
	return digits[:8] + "-" + digits[8:12] + "-4" + digits[13:16] + "-8" + digits[17:20] + "-" + digits[20:], nil
}
