// Command token creates the sandbox's signing key, or prints a token for a test user that
// is signed with this key. It owns only the flags. Package auth owns keys and tokens.
//
//	token -init DIR              creates DIR/key.json (0600) and DIR/jwks.json
//	token -key DIR/key.json -user test-user-123
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/progressive-framework/platform/agents/internal/auth"
)

// maxTTL bounds the validity of a token, because a copy of it may become public.
const maxTTL = 30 * 24 * time.Hour

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "error:", err)
		}
		os.Exit(2)
	}
}

// run creates the key or prints a token. The flags decide which.
func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("token", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("init", "", "create key.json and jwks.json in this folder unless they exist, and exit")
	keyFile := flags.String("key", "", "sign with this key.json")
	user := flags.String("user", "test-user-123", "the user's id; the default is the user of the design document's load test")
	scope := flags.String("scope", strings.Join([]string{
		auth.ScopeUsersRead, auth.ScopeUsersWrite, auth.ScopeAgentsRead, auth.ScopeAgentsRun,
	}, " "), "the token's scopes, separated by spaces")
	issuer := flags.String("issuer", "progressive-sandbox", "the services' JWT_ISSUER")
	audience := flags.String("audience", "progressive-framework", "the services' JWT_AUDIENCE")
	ttl := flags.Duration("ttl", 8*time.Hour, "the token's validity, at most 720h")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is not a flag: see -help", flags.Arg(0))
	case *dir != "":
		return auth.InitSigningKey(*dir)
	case *keyFile == "":
		return errors.New("no key: set -key FILE, or create one with -init DIR")
	case *ttl <= 0 || *ttl > maxTTL:
		return fmt.Errorf("-ttl is %s, must be above 0 and at most %s", *ttl, maxTTL)
	}
	key, err := auth.LoadSigningKey(*keyFile)
	if err != nil {
		return err
	}
	now := time.Now()
	token, err := key.Token(auth.Claims{
		Issuer: *issuer, Audience: *audience, Subject: *user, Scopes: strings.Fields(*scope), NotBefore: now, Expiry: now.Add(*ttl),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, token)
	return err
}
