package config

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Auth is the issuer of the tokens that the services accept.
type Auth struct {
	// The `iss` of an accepted token.
	Issuer string `key:"issuer" unset:"required"`
	// One of the `aud` of an accepted token.
	Audience string `key:"audience" unset:"required"`
	// The https URL of the issuer's JSON Web Key Set. The pods reach its port at every IPv4
	// address.
	JWKSURL string `key:"jwksUrl" unset:"this or jwksFile"`
	// A file of the project with the issuer's JSON Web Key Set: public keys with an ID, for
	// EdDSA, ES256 or RS256.
	JWKSFile string `key:"jwksFile" unset:"this or jwksUrl"`

	// KeySet is the content of JWKSFile.
	KeySet []byte
}

// httpsPort is the port of an https URL without one.
const httpsPort = 443

// JWKSPort returns the port of JWKSURL, or httpsPort if the URL has none.
func (a Auth) JWKSPort() int {
	if u, err := url.Parse(a.JWKSURL); err == nil {
		if port, err := strconv.Atoi(u.Port()); err == nil {
			return port
		}
	}
	return httpsPort
}

// claimPattern matches a value that the services accept as an issuer or an audience.
var claimPattern = regexp.MustCompile(`^[!-~]{1,200}$`)

// validateAuth checks the issuer, the audience and the source of the key set.
func validateAuth(a Auth) field.ErrorList {
	var problems field.ErrorList
	keyPath := path("auth")
	for _, f := range []struct{ name, value string }{{"issuer", a.Issuer}, {"audience", a.Audience}} {
		switch {
		case f.value == "":
			problems = append(problems, field.Required(keyPath.Child(f.name), "the services accept only tokens with this value; set it as the issuer writes it into its tokens"))
		case !claimPattern.MatchString(f.value):
			problems = append(problems, field.Invalid(keyPath.Child(f.name), f.value, "must be 1 to 200 printable ASCII characters without spaces, as in the token"))
		}
	}
	hasURL, hasFile := a.JWKSURL != "", a.JWKSFile != ""
	if hasURL == hasFile { // none or both
		problems = append(problems, field.Invalid(keyPath, "", "must have either jwksUrl or jwksFile, to name the source of the issuer's keys"))
	}
	if a.JWKSURL != "" {
		if err := checkJWKSURL(a.JWKSURL); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("jwksUrl"), redactURL(a.JWKSURL), err.Error()))
		}
	}
	return problems
}

// checkJWKSURL returns an error unless text is an https URL with a host that the pods can reach.
func checkJWKSURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || strings.Contains(text, " ") || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || !isPort(u.Port()) {
		return errors.New("must be an https URL, with a port of 1 to 65535 if any, and without user and fragment: whoever could change the keys in transit could sign tokens")
	}
	return checkReachable(u.Hostname())
}

// numericHost matches a host with a number as its last part. Such a host is not a DNS name
// (RFC 3696, section 2).
var numericHost = regexp.MustCompile(`(^|\.)[0-9]+$`)

// checkReachable returns an error for a host that no pod reaches.
func checkReachable(host string) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	address, err := netip.ParseAddr(host)
	switch {
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		return errors.New("must have a host that the pods reach: localhost is the pod itself")
	case err != nil && (len(validation.IsDNS1123Subdomain(host)) > 0 || numericHost.MatchString(host)):
		return errors.New("must have a host that is a DNS name or an IPv4 address")
	case err != nil: // a name
		return nil
	case !address.Is4():
		return errors.New("must have a name or an IPv4 address: the pods have IPv4 addresses only")
	case slices.ContainsFunc(unusableBlocks, func(block netip.Prefix) bool { return block.Contains(address) }):
		return errors.New("must have a host that the pods reach: its address is reserved")
	}
	return nil
}

// isPort reports whether the port of a URL is unset or valid.
func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

const (
	// maxKeySet and maxKeys are the bytes and the keys of a set that the services read
	// (agents/internal/auth).
	maxKeySet = 256 << 10
	maxKeys   = 64
)

// privateMembers are the members of a key that are secret (RFC 7518, sections 6.2.2, 6.3.2 and
// 6.4.1).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// checkKeySet returns an error unless the content is a JSON Web Key Set (RFC 7517) with a key that
// can verify a token. It also returns an error for a private key, and for a set that is too large
// for the services.
func checkKeySet(content []byte) error {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil || len(set.Keys) == 0 {
		return errors.New(`must be a JSON Web Key Set: {"keys": [...]} with a key`)
	}
	if len(set.Keys) > maxKeys || len(content) > maxKeySet {
		return fmt.Errorf("has %d keys and %d bytes; the services read at most %d keys and %d bytes", len(set.Keys), len(content), maxKeys, maxKeySet)
	}
	for i, key := range set.Keys {
		for _, member := range privateMembers {
			if _, private := key[member]; private {
				return fmt.Errorf("key %d is a private key or a shared secret: it has the member %q; give the public key", i+1, member)
			}
		}
	}
	if !slices.ContainsFunc(set.Keys, canVerify) {
		return fmt.Errorf("must have a complete public key with an ID (kid) for EdDSA, ES256 or RS256 (%d bits or more), so that the services can verify tokens", minRSABits)
	}
	return nil
}

// algorithmsByKeyType has the algorithm of each type of key that the services accept, by "KTY CRV".
// An RSA key has no curve (crv).
var algorithmsByKeyType = map[string]string{"OKP Ed25519": "EdDSA", "EC P-256": "ES256", "RSA ": "RS256"}

// canVerify reports whether the services can verify tokens with a key.
func canVerify(key map[string]any) bool {
	textMember := func(member string) string { value, _ := key[member].(string); return value }
	algorithm := algorithmsByKeyType[textMember("kty")+" "+textMember("crv")]
	return algorithm != "" && textMember("kid") != "" && isComplete(algorithm, textMember) &&
		slices.Contains([]string{"", "sig"}, textMember("use")) && slices.Contains([]string{"", algorithm}, textMember("alg"))
}

// minRSABits is the smallest RSA key that the services accept (agents/internal/auth).
const minRSABits = 2048

// isComplete reports whether a key has all numbers that its algorithm needs (RFC 7518, sections
// 6.2.1 and 6.3.1; RFC 8037, section 2). textMember returns the text of a member of the key. The
// services ignore an incomplete key.
func isComplete(algorithm string, textMember func(member string) string) bool {
	decodeMember := func(member string) []byte {
		value, err := base64.RawURLEncoding.DecodeString(textMember(member))
		if err != nil {
			return nil
		}
		return value
	}
	switch algorithm {
	case "EdDSA":
		return len(decodeMember("x")) == ed25519.PublicKeySize
	case "ES256":
		_, err := ecdh.P256().NewPublicKey(slices.Concat([]byte{4}, decodeMember("x"), decodeMember("y"))) // 4: the uncompressed form
		return err == nil
	default: // RS256
		return new(big.Int).SetBytes(decodeMember("n")).BitLen() >= minRSABits && len(decodeMember("e")) > 0
	}
}
