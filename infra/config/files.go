package config

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	slashpath "path"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/datastore/rdsca"
	"github.com/progressive-framework/platform/release/signkey"
)

// maxFile is the largest file for a Kubernetes Secret, less its metadata
// (Kubernetes, "Secrets": 1 MiB).
const maxFile = 1<<20 - 16<<10

// openProject returns the first folder with a Pulumi.yaml, from the parent of the working folder
// upwards: the engine runs the program in a folder below the project's folder. Without such a
// folder it returns the working folder.
func openProject() fs.FS {
	for dir := ".."; ; dir = filepath.Join("..", dir) {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return os.DirFS(dir)
		}
		if absolute, err := filepath.Abs(dir); err != nil || absolute == filepath.Dir(absolute) {
			return os.DirFS(".")
		}
	}
}

// validateFiles reads and checks the files that the configuration names, and stores their content
// in s. A certificate has expired if its validity ended before today. If today is the zero time, no
// certificate has expired.
func validateFiles(s *Stack, project fs.FS, today time.Time) field.ErrorList {
	var problems field.ErrorList
	checkAuthorities := func(content []byte) error { return checkCertificates(content, today) }
	for _, f := range []struct {
		key, name, fix string
		check          func([]byte) error
		target         *[]byte
	}{
		{"caFile", s.CAFile, "use global-bundle.pem, which AWS publishes for RDS and DocumentDB", checkAuthorities, &s.CABundle},
		{"mongo.caFile", s.Mongo.CAFile, "set it to a file with the authorities of the servers of mongo.url", checkAuthorities, &s.MongoCABundle},
		{"auth.jwksFile", s.Auth.JWKSFile, "in the sandbox, run `make build`, which creates the file", checkKeySet, &s.Auth.KeySet},
	} {
		if f.name == "" {
			continue
		}
		keyPath := path(f.key)
		content, err := readFile(project, f.name)
		if err == nil {
			err = f.check(content)
		}
		if err != nil {
			problems = append(problems, field.Invalid(keyPath, f.name, err.Error()+"; "+f.fix))
			continue
		}
		*f.target = content
	}
	managed := s.Postgres.Kind == Managed || s.Mongo.Kind == MongoManaged
	if managed && s.CAFile == "" && regions.Check(s.Region) == nil {
		s.CABundle = rdsca.Certificates(s.Region)
		if len(s.CABundle) == 0 {
			problems = append(problems, field.Required(path("caFile"), fmt.Sprintf(
				"clients could not verify the managed stores: the program has no certificate authorities of RDS in %s; set it to a file such as global-bundle.pem, which AWS publishes", s.Region)))
		}
	}
	for i, name := range s.Images.TrustedKeys {
		content, err := readFile(project, name)
		if err == nil {
			err = checkTrustedKey(content)
		}
		if err != nil {
			problems = append(problems, field.Invalid(path("images.trustedKeys").Index(i), name, err.Error()+"; docs/promotion.md says how to create one"))
			continue
		}
		s.Images.TrustedPEM = append(s.Images.TrustedPEM, string(content))
	}
	return append(problems, validateSigningKey(s.Images.SigningKey, project)...)
}

// validateSigningKey checks the reference to the key that signs images. The reference is empty if
// nothing is signed. The image provider reads the content of a key file, so only the existence of
// the file is checked here.
func validateSigningKey(reference string, project fs.FS) field.ErrorList {
	keyPath := path("images.signingKey")
	scheme, _, hasScheme := strings.Cut(reference, "://")
	switch {
	case reference == "":
		return nil
	case signkey.IsKMS(reference):
		if err := signkey.CheckKMS(reference); err != nil {
			return field.ErrorList{field.Invalid(keyPath, reference, err.Error())}
		}
	case hasScheme:
		return field.ErrorList{field.Invalid(keyPath, reference, fmt.Sprintf(
			"must be a file of the project, or a key of AWS KMS such as %salias/NAME: %s:// names neither", signkey.KMSScheme, scheme))}
	default:
		if _, err := readFile(project, reference); err != nil {
			return field.ErrorList{field.Invalid(keyPath, reference, err.Error()+"; docs/promotion.md says how to create one")}
		}
	}
	return nil
}

// readFile returns the content of a file of the project. Its error names the rule and not the path.
func readFile(project fs.FS, name string) ([]byte, error) {
	cleanName := slashpath.Clean(name)
	if !fs.ValidPath(cleanName) {
		return nil, errors.New("must be the path of a file within the project, from its folder on")
	}
	info, err := fs.Stat(project, cleanName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("the project has no such file")
	case err != nil:
		return nil, fmt.Errorf("the file can't be read: %w", stripPath(err))
	case !info.Mode().IsRegular():
		return nil, errors.New("must be a file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("has %d bytes; a Secret of Kubernetes can hold %d", info.Size(), maxFile)
	}
	content, err := fs.ReadFile(project, cleanName)
	if err != nil {
		return nil, fmt.Errorf("the file can't be read: %w", stripPath(err))
	}
	return content, nil
}

// stripPath returns an error without the path of the file, because the message already has the
// path.
func stripPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// checkCertificates returns an error unless the PEM file has only certificates of authorities, and
// at least one that has not expired.
func checkCertificates(content []byte, today time.Time) error {
	found, valid := 0, 0
	for {
		var block *pem.Block
		block, content = pem.Decode(content)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("must hold certificates only, and holds a %s", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("certificate %d can't be parsed: %w", found+1, err)
		}
		found++
		if !certificate.IsCA {
			return fmt.Errorf("certificate %d, %s, is not a CA certificate: use the certificate of the authority, because AWS replaces server certificates", found, certificate.Subject.CommonName)
		}
		if !today.After(certificate.NotAfter) {
			valid++
		}
	}
	switch {
	case found == 0:
		return errors.New("holds no certificate in PEM")
	case valid == 0:
		return errors.New("holds only certificates that have expired")
	}
	return nil
}
