// Package kubeconfig reads what the stand-in needs of the sandbox's
// kubeconfig: where the API server is, by which authority it is known, and
// the credential of the current context. client-go would do the same at many
// times the size.
package kubeconfig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// Current is the current context of a kubeconfig.
type Current struct {
	// Server is the URL of the API server.
	Server string
	// Authority is the certificate authority, base64 of PEM; empty where the
	// system's are used.
	Authority string
	// Certificate and Key are the client's, PEM; Token is a bearer token. One
	// of the two is set.
	Certificate, Key string
	Token            string
	// problem says why there is no credential that could be handed on.
	problem error
}

type file struct {
	CurrentContext string `json:"current-context"`
	Contexts       []struct {
		Name    string `json:"name"`
		Context struct {
			Cluster string `json:"cluster"`
			User    string `json:"user"`
		} `json:"context"`
	} `json:"contexts"`
	Clusters []struct {
		Name    string `json:"name"`
		Cluster struct {
			Server    string `json:"server"`
			Authority string `json:"certificate-authority-data"`
			AuthFile  string `json:"certificate-authority"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		Name string `json:"name"`
		User user   `json:"user"`
	} `json:"users"`
}

type user struct {
	CertificateData string `json:"client-certificate-data"`
	Certificate     string `json:"client-certificate"`
	KeyData         string `json:"client-key-data"`
	Key             string `json:"client-key"`
	Token           string `json:"token"`
	TokenFile       string `json:"tokenFile"`
	Username        string `json:"username"`
	Exec            any    `json:"exec"`
	AuthProvider    any    `json:"auth-provider"`
}

// Read reads the current context of a kubeconfig.
func Read(path string) (*Current, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of the sandbox (make up writes it): %w", err)
	}
	var f file
	if err := yaml.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	current, err := f.current(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	return current, nil
}

func (f *file) current(dir string) (*Current, error) {
	for _, context := range f.Contexts {
		if context.Name != f.CurrentContext {
			continue
		}
		out := &Current{}
		for _, c := range f.Clusters {
			if c.Name != context.Context.Cluster {
				continue
			}
			out.Server, out.Authority = c.Cluster.Server, c.Cluster.Authority
			if out.Authority == "" && c.Cluster.AuthFile != "" {
				pem, err := beside(dir, c.Cluster.AuthFile)
				if err != nil {
					return nil, fmt.Errorf("certificate authority: %w", err)
				}
				out.Authority = base64.StdEncoding.EncodeToString([]byte(pem))
			}
		}
		if out.Server == "" {
			return nil, fmt.Errorf("context %q names the cluster %q, which is not there", context.Name, context.Context.Cluster)
		}
		for _, u := range f.Users {
			if u.Name == context.Context.User {
				return out, out.credential(dir, u.User)
			}
		}
		out.problem = fmt.Errorf("context %q names the user %q, which is not there", context.Name, context.Context.User)
		return out, nil
	}
	return nil, fmt.Errorf("the current context %q is not there", f.CurrentContext)
}

// credential takes over what can be handed on: a certificate or a token.
func (c *Current) credential(dir string, u user) error {
	var err error
	switch {
	case u.CertificateData != "" || u.Certificate != "":
		if c.Certificate, err = either(dir, u.CertificateData, u.Certificate); err != nil {
			return fmt.Errorf("client certificate: %w", err)
		}
		if c.Key, err = either(dir, u.KeyData, u.Key); err != nil {
			return fmt.Errorf("client key: %w", err)
		}
	case u.Token != "":
		c.Token = u.Token
	case u.TokenFile != "":
		if c.Token, err = beside(dir, u.TokenFile); err != nil {
			return fmt.Errorf("token: %w", err)
		}
	case u.Exec != nil:
		c.problem = errors.New("its user asks another program for a credential (exec), which can't be handed on")
	case u.AuthProvider != nil:
		c.problem = errors.New("its user has an auth-provider (such as oidc), which can't be handed on")
	case u.Username != "":
		c.problem = errors.New("its user has a user name and password, which an exec credential can't carry")
	default:
		c.problem = errors.New("its user has no credential")
	}
	return nil
}

// Credential returns why the current user's credential can't be handed on, or
// nil.
func (c *Current) Credential() error { return c.problem }

func either(dir, data, path string) (string, error) {
	if data == "" {
		return beside(dir, path)
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	return string(raw), err
}

// beside reads a file that a kubeconfig names relative to itself.
func beside(dir, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
}
