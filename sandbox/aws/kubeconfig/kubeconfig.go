// Package kubeconfig reads the sandbox's kubeconfig: the API server's address and
// certificate authority, and the credential of the current context. It avoids
// client-go, which is many times larger.
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
	// Authority is the certificate authority, base64 of PEM; empty if the system's
	// authorities are used.
	Authority string
	// Certificate and Key are the client's, as PEM; Token is a bearer token. Either
	// the first two or the token are set.
	Certificate, Key string
	Token            string
	// credentialErr says why the user's credential can't be passed on; nil if it can.
	credentialErr error
}

// file is the part of a kubeconfig that is needed.
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

// user has the credentials of a user. A name without Data is the path of a file.
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

// current returns the current context. Paths in the kubeconfig are relative to dir.
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
				pem, err := readRelative(dir, c.Cluster.AuthFile)
				if err != nil {
					return nil, fmt.Errorf("certificate authority: %w", err)
				}
				out.Authority = base64.StdEncoding.EncodeToString([]byte(pem))
			}
		}
		if out.Server == "" {
			return nil, fmt.Errorf("context %q names the cluster %q, which does not exist", context.Name, context.Context.Cluster)
		}
		for _, u := range f.Users {
			if u.Name == context.Context.User {
				return out, out.credential(dir, u.User)
			}
		}
		out.credentialErr = fmt.Errorf("context %q names the user %q, which does not exist", context.Name, context.Context.User)
		return out, nil
	}
	return nil, fmt.Errorf("the current context %q does not exist", f.CurrentContext)
}

// credential copies the user's certificate or token. Any other kind of credential
// can't be passed on, and credentialErr says why.
func (c *Current) credential(dir string, u user) error {
	var err error
	switch {
	case u.CertificateData != "" || u.Certificate != "":
		if c.Certificate, err = dataOrFile(dir, u.CertificateData, u.Certificate); err != nil {
			return fmt.Errorf("client certificate: %w", err)
		}
		if c.Key, err = dataOrFile(dir, u.KeyData, u.Key); err != nil {
			return fmt.Errorf("client key: %w", err)
		}
	case u.Token != "":
		c.Token = u.Token
	case u.TokenFile != "":
		if c.Token, err = readRelative(dir, u.TokenFile); err != nil {
			return fmt.Errorf("token: %w", err)
		}
	case u.Exec != nil:
		c.credentialErr = errors.New("its user gets the credential from another program (exec), which can't be passed on")
	case u.AuthProvider != nil:
		c.credentialErr = errors.New("its user has an auth-provider (such as oidc), which can't be passed on")
	case u.Username != "":
		c.credentialErr = errors.New("its user has a user name and password, which an exec credential can't contain")
	default:
		c.credentialErr = errors.New("its user has no credential")
	}
	return nil
}

// CredentialError says why the current user's credential can't be passed on; it is
// nil if the credential can.
func (c *Current) CredentialError() error { return c.credentialErr }

// dataOrFile decodes data, which is base64. If it is empty, it reads the file.
func dataOrFile(dir, data, path string) (string, error) {
	if data == "" {
		return readRelative(dir, path)
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	return string(raw), err
}

// readRelative reads a file whose path is relative to the kubeconfig's folder.
func readRelative(dir, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
}
