// Package kubeconfig reads the current context of the sandbox's kubeconfig: the API
// server's address, its certificate authority, and the user's credential. It does not use
// client-go, because client-go is many times larger.
package kubeconfig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// Context is the current context of a kubeconfig: a cluster and a credential.
type Context struct {
	// Server is the URL of the API server.
	Server string
	// Authority is the certificate authority: PEM, encoded as base64. It is empty if the
	// system's authorities are used.
	Authority string
	// Certificate and Key are the client's certificate and key, as PEM. They are empty if
	// the user has a token.
	Certificate, Key string
	// Token is a bearer token. It is empty if the user has a certificate.
	Token string
	// credentialErr is the reason why another program cannot use the user's credential;
	// nil if it can.
	credentialErr error
}

// file is the part of a kubeconfig that this package needs.
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
			Server        string `json:"server"`
			Authority     string `json:"certificate-authority-data"`
			AuthorityFile string `json:"certificate-authority"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		Name string `json:"name"`
		User user   `json:"user"`
	} `json:"users"`
}

// user has the credentials of a user. Certificate and Key are paths of files;
// CertificateData and KeyData are the contents, encoded as base64.
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
func Read(path string) (*Context, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of the sandbox (make up writes it): %w", err)
	}
	var f file
	if err := yaml.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	current, err := f.currentContext(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	return current, nil
}

// currentContext returns the current context of the kubeconfig. Paths in the kubeconfig are
// relative to dir.
func (f *file) currentContext(dir string) (*Context, error) {
	for _, context := range f.Contexts {
		if context.Name != f.CurrentContext {
			continue
		}
		out := &Context{}
		if err := f.setCluster(out, dir, context.Context.Cluster); err != nil {
			return nil, err
		}
		if out.Server == "" {
			return nil, fmt.Errorf("context %q names the cluster %q, which does not exist", context.Name, context.Context.Cluster)
		}
		for _, u := range f.Users {
			if u.Name == context.Context.User {
				return out, out.setCredential(dir, u.User)
			}
		}
		out.credentialErr = fmt.Errorf("context %q names the user %q, which does not exist", context.Name, context.Context.User)
		return out, nil
	}
	return nil, fmt.Errorf("the current context %q does not exist", f.CurrentContext)
}

// setCluster sets the address and the certificate authority in out to those of the cluster with
// a name. It changes nothing if there is no such cluster. dir is the folder of the kubeconfig.
func (f *file) setCluster(out *Context, dir, name string) error {
	for _, c := range f.Clusters {
		if c.Name != name {
			continue
		}
		out.Server, out.Authority = c.Cluster.Server, c.Cluster.Authority
		if out.Authority == "" && c.Cluster.AuthorityFile != "" {
			pem, err := readRelative(dir, c.Cluster.AuthorityFile)
			if err != nil {
				return fmt.Errorf("certificate authority: %w", err)
			}
			out.Authority = base64.StdEncoding.EncodeToString([]byte(pem))
		}
	}
	return nil
}

// setCredential sets the certificate or the token of the user u. For any other kind of
// credential, it sets credentialErr. dir is the folder of the kubeconfig.
func (c *Context) setCredential(dir string, u user) error {
	var err error
	switch {
	case u.CertificateData != "" || u.Certificate != "":
		if c.Certificate, err = readDataOrFile(dir, u.CertificateData, u.Certificate); err != nil {
			return fmt.Errorf("client certificate: %w", err)
		}
		if c.Key, err = readDataOrFile(dir, u.KeyData, u.Key); err != nil {
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

// CredentialError returns the reason why another program cannot use the user's credential.
// It returns nil if Certificate and Key, or Token, are set.
func (c *Context) CredentialError() error { return c.credentialErr }

// readDataOrFile returns data, decoded from base64. If data is empty, readDataOrFile returns the
// content of the file at path. A relative path starts at dir.
func readDataOrFile(dir, data, path string) (string, error) {
	if data == "" {
		return readRelative(dir, path)
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	return string(raw), err
}

// readRelative returns the content of a file. A relative path starts at dir, the folder of the
// kubeconfig.
func readRelative(dir, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
}
