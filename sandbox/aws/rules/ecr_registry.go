package rules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// registryTimeout limits one request to the sandbox's registry. The registry is on this machine
// and responds in milliseconds, so the limit only ends a request to a registry that hangs.
const registryTimeout = 5 * time.Second

// maxRegistryBody limits the bytes of a response that are read. A list of tags is far smaller.
const maxRegistryBody = 16 << 20

// registryUser is the user name for the registry's password, as in ECR.
const registryUser = "AWS"

// registryClient is a client of the sandbox's registry. It uses the OCI distribution API.
type registryClient struct{ layout *layout.Layout }

// RegistryPassword reads the password for pushes from the sandbox's files.
func RegistryPassword(l *layout.Layout) (string, error) {
	raw, err := os.ReadFile(l.RegistryPassword())
	if err != nil {
		return "", fmt.Errorf("password of the sandbox's registry (make up writes it): %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// do sends a request. If the status of the response is 200 and out is not nil, do decodes the
// body into out. A deletion is sent with the password.
func (r registryClient) do(ctx context.Context, method, path string, out any) (status int, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, registryTimeout)
	defer cancel()
	url := "http://" + r.layout.RegistryAddress() + path
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Accept", strings.Join([]string{
		"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json", "*/*",
	}, ", "))
	if method == http.MethodDelete {
		password, err := RegistryPassword(r.layout)
		if err != nil {
			return 0, nil, err
		}
		req.SetBasicAuth(registryUser, password)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("the sandbox's registry does not answer; start it with make up: %w", err)
	}
	defer res.Body.Close()
	if out != nil && res.StatusCode == http.StatusOK {
		if err := json.NewDecoder(io.LimitReader(res.Body, maxRegistryBody)).Decode(out); err != nil {
			return 0, nil, fmt.Errorf("%s %s: %w", method, url, err)
		}
	}
	return res.StatusCode, res.Header, nil
}

// listTags returns the tags of a repository. exists is false if no image was ever pushed to the
// repository.
func (r registryClient) listTags(ctx context.Context, name string) (tags []string, exists bool, err error) {
	var list struct{ Tags []string }
	status, _, err := r.do(ctx, http.MethodGet, "/v2/"+name+"/tags/list", &list)
	switch {
	case err != nil:
		return nil, false, err
	case status == http.StatusNotFound:
		return nil, false, nil
	case status != http.StatusOK:
		return nil, false, fmt.Errorf("the sandbox's registry responded with status %d to the request for the tags of %s", status, name)
	}
	return list.Tags, true, nil
}

// hasImages reports whether a repository has an image, with or without a tag.
func (r registryClient) hasImages(ctx context.Context, name string) (bool, error) {
	tags, exists, err := r.listTags(ctx, name)
	if err != nil || !exists || len(tags) > 0 {
		return len(tags) > 0, err
	}
	// The repository has no tags. If it has images without a tag, the catalog contains it.
	// n is far above the number of repositories, so one page has all of them.
	var catalog struct{ Repositories []string }
	status, _, err := r.do(ctx, http.MethodGet, "/v2/_catalog?n=10000", &catalog)
	if err != nil {
		return false, err
	}
	if status != http.StatusOK {
		return false, fmt.Errorf("the sandbox's registry responded with status %d to the request for the list of repositories", status)
	}
	return slices.Contains(catalog.Repositories, name), nil
}

// deleteImages removes every tagged image of a repository. The distribution API cannot list
// images without a tag, so deleteImages does not remove those images.
func (r registryClient) deleteImages(ctx context.Context, name string) error {
	tags, _, err := r.listTags(ctx, name)
	if err != nil {
		return err
	}
	var errs []error
	for _, tag := range tags {
		status, header, err := r.do(ctx, http.MethodHead, "/v2/"+name+"/manifests/"+tag, nil)
		if err != nil {
			return err
		}
		digest := header.Get("Docker-Content-Digest")
		if status == http.StatusNotFound {
			continue // deleted with another tag of the same image
		}
		if digest == "" {
			errs = append(errs, fmt.Errorf("the sandbox's registry returns no digest for %s:%s (%d)", name, tag, status))
			continue
		}
		status, _, err = r.do(ctx, http.MethodDelete, "/v2/"+name+"/manifests/"+digest, nil)
		if err != nil {
			return err
		}
		if status != http.StatusAccepted && status != http.StatusOK && status != http.StatusNotFound {
			errs = append(errs, fmt.Errorf("the sandbox's registry responded with status %d to the request to delete %s@%s", status, name, digest))
		}
	}
	return errors.Join(errs...)
}
