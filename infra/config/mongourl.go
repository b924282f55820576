package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// MongoPort is the port of MongoDB, unless a URL names another one.
const MongoPort = 27017

// mongoOptions are the options that a URL may have, each with its values. nil means any text. Other
// options change how the server is verified, or log in without a password. The driver refuses any
// other value (MongoDB, "Connection String Options"), which only the migration would notice.
var mongoOptions = map[string][]string{
	"appName": nil, "authSource": nil, "replicaSet": nil, "w": nil,
	"directConnection": {"true", "false"},
	"retryWrites":      {"true", "false"},
	"readPreference":   {"primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"},
}

// secretARNPattern and keyARNPattern match the ARNs of the secret with the password of a URL, and of
// the key that encrypts the secret. Sources: Secrets Manager API, CreateSecret; KMS Developer Guide,
// "Key ARN".
var (
	secretARNPattern = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):([0-9]{12}):secret:[A-Za-z0-9/_+=.@!-]{1,512}-[A-Za-z0-9]{6}$`)
	keyARNPattern    = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):key/[A-Za-z0-9-]{1,64}$`)
)

// MongoServer is the MongoDB of mongo.url.
type MongoServer struct {
	// URI is the URL without a password, with TLS.
	URI  string
	Host string
	Port int
}

// ParseMongoURL parses mongo.url. The error names the rule that the URL violates.
func (s *Stack) ParseMongoURL() (MongoServer, error) {
	u, err := url.Parse(s.Mongo.URL)
	usesSRV := err == nil && u.Scheme == "mongodb+srv" // DNS records of type SRV name the hosts
	isMongoURL := usesSRV || err == nil && u.Scheme == "mongodb"
	switch {
	case !isMongoURL || u.Hostname() == "" || strings.Contains(u.Host, ","):
		return MongoServer{}, errors.New("must be mongodb+srv://USER@HOST/ or mongodb://USER@HOST:PORT/ with one host; a replica set is found from one of its hosts and the option replicaSet")
	case u.User.Username() == "":
		return MongoServer{}, errors.New("must name a user: mongodb://USER@HOST:PORT/")
	case usesSRV && u.Port() != "":
		return MongoServer{}, errors.New("must have no port with mongodb+srv, because its DNS records name the port; remove it")
	case u.Path != "" && u.Path != "/" || u.Fragment != "":
		return MongoServer{}, errors.New("must name no database: the migration uses its own")
	}
	if _, has := u.User.Password(); has {
		return MongoServer{}, errors.New("must have no password: a secret has it, by mongo.passwordSecretArn")
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return MongoServer{}, errors.New("must have options as NAME=VALUE&NAME=VALUE")
	}
	if err := checkMongoOptions(options); err != nil {
		return MongoServer{}, err
	}
	if usesSRV && options.Get("directConnection") == "true" {
		return MongoServer{}, errors.New("must have no directConnection=true with mongodb+srv, because its DNS records name several hosts; remove it")
	}
	if err := checkReachable(u.Hostname()); err != nil {
		return MongoServer{}, err
	}
	_, err = netip.ParseAddr(u.Hostname())
	isAddress := err == nil
	if usesSRV && (isAddress || !strings.Contains(u.Hostname(), ".")) {
		return MongoServer{}, errors.New("must have a whole domain name with mongodb+srv, because its DNS records name the hosts; write mongodb://USER@HOST:PORT/ for one host")
	}
	port := MongoPort
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return MongoServer{}, errors.New("must have a port of 1 to 65535")
		}
	}
	options.Set("tls", "true")
	u.Path, u.RawQuery = "/", options.Encode()
	return MongoServer{URI: u.String(), Host: u.Hostname(), Port: port}, nil
}

// checkMongoOptions checks the names and the values of the options of a URL.
func checkMongoOptions(options url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(options)) {
		allowed, known := mongoOptions[name]
		switch values := options[name]; {
		case !known:
			return fmt.Errorf("has the option %s; the options are %s. TLS is always on and verified", name, strings.Join(slices.Sorted(maps.Keys(mongoOptions)), ", "))
		case len(values) > 1:
			return fmt.Errorf("has the option %s twice; remove one of them", name)
		case values[0] == "":
			return fmt.Errorf("has the option %s without a value; set one, or remove the option", name)
		case allowed != nil && !slices.Contains(allowed, values[0]):
			return fmt.Errorf("has the option %s=%s; its values are %s", name, values[0], strings.Join(allowed, ", "))
		}
	}
	return nil
}

// checkMongoBlock returns an error for a block in which no server of mongo.url can be. It also
// returns an error if the block would open much of the internet to the migration.
func checkMongoBlock(block string) error {
	parsed, err := netip.ParsePrefix(block)
	switch {
	case err != nil || parsed.Masked() != parsed:
		return errors.New("must be a block such as 10.60.0.0/24, with no bits set beyond its prefix")
	case !parsed.Addr().Is4():
		return errors.New("must be IPv4: the pods have IPv4 addresses only")
	case parsed.Bits() < minPrefixBits:
		return fmt.Errorf("opens much of the internet to the migration, and not all addresses are servers; name the blocks of the servers, each /%d or longer", minPrefixBits)
	case slices.ContainsFunc(unusableBlocks, parsed.Overlaps):
		return errors.New("is reserved: no server has such an address; name the blocks of the servers")
	}
	return nil
}

// validateMongoURL checks the keys of a MongoDB that the stack does not create.
func validateMongoURL(s *Stack) field.ErrorList {
	if s.Mongo.Kind != MongoURL {
		return nil
	}
	var problems field.ErrorList
	keyPath := path("mongo")
	if s.Cluster.Nodes == NodesOwn {
		problems = append(problems, field.Invalid(keyPath.Child("kind"), string(MongoURL),
			"pods mount its password with an add-on that the stack installs only on nodes that it manages; choose another kind, or set cluster.nodes to "+string(NodesAutoScaling)))
	}
	if s.Mongo.URL == "" {
		problems = append(problems, field.Required(keyPath.Child("url"), "where the MongoDB is, such as mongodb+srv://platform@cluster.example.net/"))
	} else if _, err := s.ParseMongoURL(); err != nil {
		problems = append(problems, field.Invalid(keyPath.Child("url"), redactURL(s.Mongo.URL), err.Error()))
	}
	for _, arn := range []struct {
		key, value string
		pattern    *regexp.Regexp
		required   bool
		what       string
	}{
		{"passwordSecretArn", s.Mongo.PasswordSecretARN, secretARNPattern, true, "a secret of Secrets Manager"},
		{"passwordKeyArn", s.Mongo.PasswordKeyARN, keyARNPattern, false, "a KMS key"},
	} {
		if arn.value == "" {
			if arn.required {
				problems = append(problems, field.Required(keyPath.Child(arn.key), "the ARN of "+arn.what+" with the password of mongo.url"))
			}
			continue
		}
		if match := arn.pattern.FindStringSubmatch(arn.value); match == nil || match[1] != s.Region || match[2] != s.Account {
			problems = append(problems, field.Invalid(keyPath.Child(arn.key), arn.value, fmt.Sprintf("must be the whole ARN of %s of account %s in %s", arn.what, s.Account, s.Region)))
		}
	}
	if len(s.Mongo.CIDRs) == 0 {
		problems = append(problems, field.Required(keyPath.Child("cidrs"), "the blocks in which the servers of mongo.url are, such as 10.60.0.0/24"))
	}
	var blocks []netip.Prefix
	for i, text := range s.Mongo.CIDRs {
		if err := checkMongoBlock(text); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("cidrs").Index(i), text, err.Error()))
			continue
		}
		blocks = append(blocks, netip.MustParsePrefix(text))
	}
	allBlocksValid := len(blocks) > 0 && len(blocks) == len(s.Mongo.CIDRs)
	if server, err := s.ParseMongoURL(); err == nil && allBlocksValid {
		address, err := netip.ParseAddr(server.Host)
		if err == nil && !slices.ContainsFunc(blocks, func(block netip.Prefix) bool { return block.Contains(address) }) {
			problems = append(problems, field.Invalid(keyPath.Child("cidrs"), strings.Join(s.Mongo.CIDRs, ", "),
				"must have the address "+server.Host+" of mongo.url, because the migration reaches no other addresses; add its block"))
		}
	}
	return problems
}

// redactURL returns a URL without its password, which an error must not show.
func redactURL(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return "(not a URL)"
}
