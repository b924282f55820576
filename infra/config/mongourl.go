package config

import (
	"errors"
	"fmt"
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

// mongoOptions are the options that a URL may have. Other options change how the server is
// verified, or log in without a password.
var mongoOptions = []string{"appName", "authSource", "directConnection", "readPreference", "replicaSet", "retryWrites", "w"}

// The secret with the password of a URL, and the key that encrypts the secret (Secrets Manager API,
// CreateSecret; KMS Developer Guide, "Key ARN").
var (
	secretARN = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):([0-9]{12}):secret:[A-Za-z0-9/_+=.@!-]{1,512}-[A-Za-z0-9]{6}$`)
	keyARN    = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):key/[A-Za-z0-9-]{1,64}$`)
)

// MongoServer is the MongoDB of mongo.url.
type MongoServer struct {
	// URI is the URL without a password, with TLS.
	URI  string
	Host string
	Port int
}

// MongoServer parses mongo.url. Its error names the rule.
func (s *Stack) MongoServer() (MongoServer, error) {
	u, err := url.Parse(s.Mongo.URL)
	switch {
	case err != nil || u.Scheme != "mongodb" && u.Scheme != "mongodb+srv" || u.Hostname() == "" || strings.Contains(u.Host, ","):
		return MongoServer{}, errors.New("must be mongodb+srv://USER@HOST/ or mongodb://USER@HOST:PORT/ with one host; a replica set is found from one of its hosts and the option replicaSet")
	case u.User.Username() == "":
		return MongoServer{}, errors.New("must name a user: mongodb://USER@HOST:PORT/")
	case u.Scheme == "mongodb+srv" && u.Port() != "":
		return MongoServer{}, errors.New("must have no port with mongodb+srv, whose DNS records name it")
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
	for name := range options {
		if !slices.Contains(mongoOptions, name) {
			return MongoServer{}, fmt.Errorf("has the option %s; the options are %s. TLS is always on and verified", name, strings.Join(mongoOptions, ", "))
		}
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

// validateMongoURL checks the keys of a MongoDB that the stack does not create.
func validateMongoURL(s *Stack) field.ErrorList {
	if s.Mongo.Kind != MongoURL {
		return nil
	}
	var problems field.ErrorList
	at := path("mongo")
	if s.Cluster.Nodes == NodesOwn {
		problems = append(problems, field.Invalid(at.Child("kind"), string(MongoURL),
			"pods mount its password with an add-on that the stack installs only on nodes that it manages; choose another kind, or set cluster.nodes to "+string(NodesAutoScaling)))
	}
	if s.Mongo.URL == "" {
		problems = append(problems, field.Required(at.Child("url"), "where the MongoDB is, such as mongodb+srv://platform@cluster.example.net/"))
	} else if _, err := s.MongoServer(); err != nil {
		problems = append(problems, field.Invalid(at.Child("url"), redactURL(s.Mongo.URL), err.Error()))
	}
	for _, arn := range []struct {
		key, value string
		form       *regexp.Regexp
		required   bool
		what       string
	}{
		{"passwordSecretArn", s.Mongo.PasswordSecretARN, secretARN, true, "a secret of Secrets Manager"},
		{"passwordKeyArn", s.Mongo.PasswordKeyARN, keyARN, false, "a KMS key"},
	} {
		if arn.value == "" {
			if arn.required {
				problems = append(problems, field.Required(at.Child(arn.key), "the ARN of "+arn.what+" with the password of mongo.url"))
			}
			continue
		}
		if form := arn.form.FindStringSubmatch(arn.value); form == nil || form[1] != s.Region || form[2] != s.Account {
			problems = append(problems, field.Invalid(at.Child(arn.key), arn.value, fmt.Sprintf("must be the whole ARN of %s of account %s in %s", arn.what, s.Account, s.Region)))
		}
	}
	if len(s.Mongo.CIDRs) == 0 {
		problems = append(problems, field.Required(at.Child("cidrs"), "the blocks in which the servers of mongo.url are, such as 10.60.0.0/24"))
	}
	for i, block := range s.Mongo.CIDRs {
		if parsed, err := netip.ParsePrefix(block); err != nil || parsed.Bits() == 0 || parsed.Masked() != parsed {
			problems = append(problems, field.Invalid(at.Child("cidrs").Index(i), block, "must be a block such as 10.60.0.0/24, and not all addresses"))
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
