package provider

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/blang/semver"
	"github.com/google/go-containerregistry/pkg/registry"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/image"
)

var (
	sharedDir string                 // a folder for all tests
	isolate   func() (string, error) // returns the result of Isolate in TestMain
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(func() int {
		cache, err := os.MkdirTemp("", "image-provider-test")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(cache)
		sharedDir = cache
		// Settings of a user's shell must not change a build.
		for name, value := range map[string]string{"GOFLAGS": "-tags=leaked", "GOWORK": "/nowhere/go.work", "GOAMD64": "v3", "GOOS": "windows", "DOCKER_CONFIG": cache, "GOROOT": "/nowhere", "GOEXPERIMENT": "absent", "GOFIPS140": "absent"} {
			if err := os.Setenv(name, value); err != nil {
				panic(err)
			}
		}
		toolchain, err := Isolate(context.Background(), cache)
		isolate = func() (string, error) { return toolchain, err }
		return m.Run()
	}())
}

// helloSource is a small main package.
const helloSource = `package main

import "fmt"

func main() { fmt.Println("hello") }
`

// newModule creates a module with the files and returns its folder. Each test has its
// own module path, because builds of one import path wait for each other.
func newModule(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, dir, "go.mod", "module "+testImportPath(t)+"\n\ngo 1.26\n")
	for name, content := range files {
		writeFile(t, dir, name, content)
	}
	return dir
}

// testImportPath returns the import path of the module of the test.
func testImportPath(t *testing.T) string {
	test, _, _ := strings.Cut(t.Name(), "/")
	return "example.com/" + test + "/tiny"
}

// writeFile writes a file below dir.
func writeFile(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// testRegistry is a registry on loopback. It counts writes, and can require a
// password.
type testRegistry struct {
	host         string
	writes       atomic.Int64
	uploads      atomic.Int64
	password     atomic.Pointer[string]
	deleteStatus atomic.Int64 // the status of every response to DELETE; 0 means that the registry deletes
	broken       atomic.Bool  // every request fails
	server       *httptest.Server
}

// newRegistry starts an empty registry.
func newRegistry(t *testing.T) *testRegistry {
	t.Helper()
	reg := &testRegistry{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	reg.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reg.broken.Load() {
			w.WriteHeader(http.StatusTeapot) // the client does not retry this status
			return
		}
		if want := reg.password.Load(); want != nil {
			if user, password, ok := r.BasicAuth(); !ok || user != "AWS" || password != *want {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}`, http.StatusUnauthorized)
				return
			}
		}
		switch r.Method {
		case http.MethodGet, http.MethodHead:
		case http.MethodDelete:
			if status := reg.deleteStatus.Load(); status != 0 {
				w.WriteHeader(int(status))
				return
			}
			reg.writes.Add(1)
		case http.MethodPut:
			reg.writes.Add(1)
			if strings.Contains(r.URL.Path, "/blobs/") {
				reg.uploads.Add(1)
			}
		default:
			reg.writes.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(reg.server.Close)
	reg.host = strings.TrimPrefix(reg.server.URL, "http://")
	return reg
}

// stack calls the provider as the engine does, for one resource.
type stack struct {
	t      *testing.T
	server integration.Server
	urn    resource.URN

	id     string
	inputs property.Map
	state  property.Map
}

// newStack returns a stack without the resource. name is the resource's name.
func newStack(t *testing.T, name string) *stack {
	t.Helper()
	server, err := integration.NewServer(t.Context(), image.Package, semver.MustParse(image.Version), integration.WithProvider(New(isolate)))
	require.NoError(t, err)
	return &stack{t: t, server: server, urn: urn(name)}
}

// urn returns the URN of an image in the stack test.
func urn(name string) resource.URN {
	return resource.NewURN("test", "shop", "", image.Token, name)
}

// check calls Check. It returns the checked inputs, and the failures by property.
func (s *stack) check(programInputs map[string]property.Value) (property.Map, map[string]string) {
	s.t.Helper()
	resp, err := s.server.Check(p.CheckRequest{Urn: s.urn, State: s.inputs, Inputs: property.NewMap(programInputs)})
	require.NoError(s.t, err)
	failures := map[string]string{}
	for _, f := range resp.Failures {
		failures[f.Property] += f.Reason
	}
	return resp.Inputs, failures
}

// diff calls Diff, which compares inputs with the state.
func (s *stack) diff(inputs property.Map) p.DiffResponse {
	s.t.Helper()
	diff, err := s.server.Diff(p.DiffRequest{ID: s.id, Urn: s.urn, State: s.state, OldInputs: s.inputs, Inputs: inputs})
	require.NoError(s.t, err)
	return diff
}

// preview returns the diff and the outputs that a preview shows.
func (s *stack) preview(programInputs map[string]property.Value) (p.DiffResponse, property.Map) {
	s.t.Helper()
	inputs, failures := s.check(programInputs)
	require.Empty(s.t, failures)
	if s.id == "" {
		resp, err := s.server.Create(p.CreateRequest{Urn: s.urn, Properties: inputs, DryRun: true})
		require.NoError(s.t, err)
		return p.DiffResponse{HasChanges: true}, resp.Properties
	}
	diff := s.diff(inputs)
	if !diff.HasChanges {
		return diff, s.state
	}
	resp, err := s.server.Update(p.UpdateRequest{ID: s.id, Urn: s.urn, State: s.state, OldInputs: s.inputs, Inputs: inputs, DryRun: true})
	require.NoError(s.t, err)
	return diff, resp.Properties
}

// up creates or updates the resource, and reports whether it changed.
func (s *stack) up(programInputs map[string]property.Value) bool {
	s.t.Helper()
	inputs, failures := s.check(programInputs)
	require.Empty(s.t, failures)
	if s.id == "" {
		s.create(inputs)
		return true
	}
	diff := s.diff(inputs)
	if diff.HasChanges {
		resp, err := s.server.Update(p.UpdateRequest{ID: s.id, Urn: s.urn, State: s.state, OldInputs: s.inputs, Inputs: inputs})
		require.NoError(s.t, err)
		s.state = resp.Properties
	}
	s.inputs = inputs
	return diff.HasChanges
}

// stackWithCheckedInputs returns a stack with the checked inputs of an image of helloSource. Check has
// built the image. Most tests begin with these inputs.
var stackWithCheckedInputs = sync.OnceValues(func() (*stack, error) {
	dir, err := os.MkdirTemp(sharedDir, "")
	if err != nil {
		return nil, err
	}
	for name, content := range map[string]string{"go.mod": "module example.com/tiny\n\ngo 1.26\n", "main.go": helloSource} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	server, err := integration.NewServer(context.Background(), image.Package, semver.MustParse(image.Version), integration.WithProvider(New(isolate)))
	if err != nil {
		return nil, err
	}
	s := &stack{server: server, urn: urn("tiny")}
	resp, err := server.Check(p.CheckRequest{Urn: s.urn, Inputs: property.NewMap(imageInputs("example.com/tiny", dir, "localhost:1/shop/tiny"))})
	if err == nil && len(resp.Failures) > 0 {
		err = fmt.Errorf("%v", resp.Failures)
	}
	s.inputs = resp.Inputs
	return s, err
})

// createImage creates an image with the inputs of stackWithCheckedInputs and more inputs.
func createImage(t *testing.T, target *testRegistry, more ...map[string]property.Value) *stack {
	t.Helper()
	base, err := stackWithCheckedInputs()
	require.NoError(t, err)
	inputs := base.inputs.Set("repository", property.New(target.host+"/shop/tiny"))
	for _, m := range more {
		for k, v := range m {
			inputs = inputs.Set(k, v)
		}
	}
	s := &stack{t: t, server: base.server, urn: base.urn}
	s.create(inputs)
	return s
}

// create creates the resource from checked inputs.
func (s *stack) create(inputs property.Map) {
	s.t.Helper()
	resp, err := s.server.Create(p.CreateRequest{Urn: s.urn, Properties: inputs})
	require.NoError(s.t, err)
	s.id, s.inputs, s.state = resp.ID, inputs, resp.Properties
}

// refresh reads the resource, and reports whether it still exists.
func (s *stack) refresh() (bool, error) {
	s.t.Helper()
	resp, err := s.server.Read(p.ReadRequest{ID: s.id, Urn: s.urn, Properties: s.state, Inputs: s.inputs})
	if err != nil {
		return false, err
	}
	if resp.ID == "" {
		s.id, s.inputs, s.state = "", property.Map{}, property.Map{}
		return false, nil
	}
	require.True(s.t, s.state.Equals(resp.Properties), "a refresh of an existing image changes nothing")
	return true, nil
}

// destroy deletes the resource.
func (s *stack) destroy() error {
	return s.server.Delete(p.DeleteRequest{ID: s.id, Urn: s.urn, Properties: s.state, OldInputs: s.inputs})
}

// output returns an output that is text.
func (s *stack) output(name string) string {
	s.t.Helper()
	v := s.state.Get(name)
	require.True(s.t, v.IsString(), "output %s: %v", name, v)
	return v.AsString()
}

// imageInputs returns the inputs of an image, as the program sets them.
func imageInputs(importPath, dir, repository string, more ...map[string]property.Value) map[string]property.Value {
	inputs := map[string]property.Value{
		"importPath": property.New(importPath),
		"repository": property.New(repository),
		"dir":        property.New(dir),
	}
	for _, m := range more {
		for k, v := range m {
			inputs[k] = v
		}
	}
	return inputs
}
