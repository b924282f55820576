package aws

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/progressive-framework/platform/sandbox/aws/faults"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// The types that the tests use most.
const (
	vpcT               = "aws:ec2/vpc:Vpc"
	subnetT            = "aws:ec2/subnet:Subnet"
	internetGatewayT   = "aws:ec2/internetGateway:InternetGateway"
	elasticIPT         = "aws:ec2/eip:Eip"
	natT               = "aws:ec2/natGateway:NatGateway"
	routeTableT        = "aws:ec2/routeTable:RouteTable"
	routeT             = "aws:ec2/route:Route"
	routeTableAssocT   = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	securityGroupT     = "aws:ec2/securityGroup:SecurityGroup"
	ingressT           = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	endpointT          = "aws:ec2/vpcEndpoint:VpcEndpoint"
	flowLogT           = "aws:ec2/flowLog:FlowLog"
	repositoryT        = "aws:ecr/repository:Repository"
	clusterT           = "aws:eks/cluster:Cluster"
	accessEntryT       = "aws:eks/accessEntry:AccessEntry"
	addonT             = "aws:eks/addon:Addon"
	podIdentityT       = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
	roleT              = "aws:iam/role:Role"
	policyT            = "aws:iam/policy:Policy"
	policyAttachmentT  = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	keyT               = "aws:kms/key:Key"
	aliasT             = "aws:kms/alias:Alias"
	defaultGroupT      = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	accessAssociationT = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	ecrLifecycleT      = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	repoPolicyT        = "aws:ecr/repositoryPolicy:RepositoryPolicy"
	profileT           = "aws:iam/instanceProfile:InstanceProfile"
	oidcT              = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
	logGroupT          = "aws:cloudwatch/logGroup:LogGroup"
)

// props are the properties of a resource as a program sets them.
type props = map[string]any

// sandbox is a sandbox with a provider. A test calls the provider as the engine does.
type sandbox struct {
	t        *testing.T
	p        *provider
	layout   *layout.Layout
	registry *fakeRegistry
	exitCode int // the exit code of the provider's process
}

// newSandbox creates a sandbox with a configured provider.
func newSandbox(t *testing.T, config props) *sandbox {
	t.Helper()
	registry := &fakeRegistry{tags: map[string]map[string]string{}}
	server := httptest.NewServer(registry)
	t.Cleanup(server.Close)
	l, err := layout.Create(t.TempDir(), layout.Settings{
		Cluster: layout.ClusterSimulated, Ports: layout.Ports{Registry: server.Listener.Addr().(*net.TCPAddr).Port},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(l.RegistryPassword(), []byte("secret\n"), 0o600))
	require.NoError(t, os.WriteFile(l.Kubeconfig(), []byte(certificateKubeconfig), 0o600))
	s := &sandbox{t: t, layout: l, registry: registry}
	s.p = s.newProvider(config)
	return s
}

// today is the day of the clock in tests. On this day, EKS supports 1.32 to 1.36.
var today = time.Date(2026, time.November, 29, 0, 0, 0, 0, time.UTC)

// newProvider returns a new configured provider of the same sandbox, as in another process. With
// the config nil, the provider is in us-east-1.
func (s *sandbox) newProvider(config props) *provider {
	s.t.Helper()
	st, err := store.Open(s.layout.AWS())
	require.NoError(s.t, err)
	p := &provider{layout: s.layout, store: st, faults: faults.NewFile(s.layout.AWS()), now: clockOnDay(today), exit: func(code int) { s.exitCode = code }}
	if config == nil {
		config = props{"region": "us-east-1"}
	}
	_, err = p.Configure(s.t.Context(), &pulumirpc.ConfigureRequest{Args: s.encode(config)})
	require.NoError(s.t, err)
	return p
}

// encode encodes properties for a request to the provider.
func (s *sandbox) encode(o props) *structpb.Struct {
	s.t.Helper()
	out, err := wire.Encode(o)
	require.NoError(s.t, err)
	return out
}

// urn returns the URN of a resource in the test's stack.
func urn(token, name string) string { return "urn:pulumi:test::test::" + token + "::" + name }

// resource is a resource as the engine stores it in its state.
type resource struct {
	token, name, id string
	in, state       props // the checked inputs and the outputs
}

// check returns the checked inputs, and the reasons of the failures. olds are the checked inputs
// of the last update. news are the inputs in the program.
func (s *sandbox) check(token, name string, olds, news props) (props, []string) {
	s.t.Helper()
	res, err := s.p.Check(s.t.Context(), &pulumirpc.CheckRequest{
		Urn: urn(token, name), Type: token, Name: name, Olds: s.encode(olds), News: s.encode(news), RandomSeed: []byte(name),
	})
	if err != nil {
		return nil, []string{status.Convert(err).Message()}
	}
	var failures []string
	for _, f := range res.GetFailures() {
		failures = append(failures, f.GetReason())
	}
	return wire.Decode(res.GetInputs()), failures
}

// create checks and creates a resource.
func (s *sandbox) create(token, name string, in props) (*resource, error) {
	s.t.Helper()
	checked, failures := s.check(token, name, nil, in)
	if len(failures) > 0 {
		return nil, fmt.Errorf("check: %s", strings.Join(failures, "; "))
	}
	res, err := s.p.Create(s.t.Context(), &pulumirpc.CreateRequest{Urn: urn(token, name), Type: token, Properties: s.encode(checked)})
	if err != nil {
		return nil, fmt.Errorf("create: %s", status.Convert(err).Message())
	}
	return &resource{token, name, res.GetId(), checked, wire.Decode(res.GetProperties())}, nil
}

// mustCreate checks and creates a resource. The test fails if the check or the creation fails.
func (s *sandbox) mustCreate(token, name string, in props) *resource {
	s.t.Helper()
	created, err := s.create(token, name, in)
	require.NoError(s.t, err)
	return created
}

// diff compares the state of a resource with the new inputs news. It leaves out the properties in
// ignore.
func (s *sandbox) diff(r *resource, news props, ignore ...string) *pulumirpc.DiffResponse {
	s.t.Helper()
	checked, failures := s.check(r.token, r.name, r.in, news)
	require.Empty(s.t, failures)
	res, err := s.p.Diff(s.t.Context(), &pulumirpc.DiffRequest{
		Id: r.id, Urn: urn(r.token, r.name), Type: r.token, Olds: s.encode(r.state), News: s.encode(checked), OldInputs: s.encode(r.in), IgnoreChanges: ignore,
	})
	require.NoError(s.t, err)
	return res
}

// update sets the inputs of a resource to news. The properties in ignore keep their values.
func (s *sandbox) update(r *resource, news props, ignore ...string) error {
	s.t.Helper()
	checked, failures := s.check(r.token, r.name, r.in, news)
	if len(failures) > 0 {
		return fmt.Errorf("check: %s", strings.Join(failures, "; "))
	}
	res, err := s.p.Update(s.t.Context(), &pulumirpc.UpdateRequest{
		Id: r.id, Urn: urn(r.token, r.name), Type: r.token, Olds: s.encode(r.state), News: s.encode(checked), OldInputs: s.encode(r.in), IgnoreChanges: ignore,
	})
	if err != nil {
		return fmt.Errorf("update: %s", status.Convert(err).Message())
	}
	r.in, r.state = checked, wire.Decode(res.GetProperties())
	return nil
}

// refresh sets the inputs and the state of a resource to the values in the provider. It returns
// false if the resource no longer exists.
func (s *sandbox) refresh(r *resource) bool {
	s.t.Helper()
	res, err := s.p.Read(s.t.Context(), &pulumirpc.ReadRequest{
		Id: r.id, Urn: urn(r.token, r.name), Type: r.token, Properties: s.encode(r.state), Inputs: s.encode(r.in),
	})
	require.NoError(s.t, err)
	if res.GetId() == "" {
		return false
	}
	r.in, r.state = wire.Decode(res.GetInputs()), wire.Decode(res.GetProperties())
	return true
}

// delete deletes a resource.
func (s *sandbox) delete(r *resource) error {
	s.t.Helper()
	_, err := s.p.Delete(s.t.Context(), &pulumirpc.DeleteRequest{
		Id: r.id, Urn: urn(r.token, r.name), Type: r.token, Properties: s.encode(r.state), OldInputs: s.encode(r.in),
	})
	if err != nil {
		return fmt.Errorf("delete: %s", status.Convert(err).Message())
	}
	return nil
}

// invoke calls a function of the provider.
func (s *sandbox) invoke(token string, in props) (props, error) {
	s.t.Helper()
	res, err := s.p.Invoke(s.t.Context(), &pulumirpc.InvokeRequest{Tok: token, Args: s.encode(in)})
	if err != nil {
		return nil, fmt.Errorf("%s", status.Convert(err).Message())
	}
	if f := res.GetFailures(); len(f) > 0 {
		return nil, fmt.Errorf("%s", f[0].GetReason())
	}
	return wire.Decode(res.GetReturn()), nil
}

// objectCount returns the number of objects in the store, including those that AWS itself
// creates.
func (s *sandbox) objectCount() int {
	s.t.Helper()
	total := 0
	require.NoError(s.t, s.p.store.View(s.t.Context(), func(tx *store.Tx) error {
		total = len(tx.All())
		return nil
	}))
	return total
}

// fakeRegistry is the sandbox's image registry in tests. It handles the requests of the stand-in.
type fakeRegistry struct {
	mu       sync.Mutex
	tags     map[string]map[string]string // repository → tag → digest
	untagged []string                     // repositories with images that have no tag
}

// push adds a tag to a repository, with the digest of the image.
func (f *fakeRegistry) push(repository, tag, digest string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tags[repository] == nil {
		f.tags[repository] = map[string]string{}
	}
	f.tags[repository][tag] = digest
}

// ServeHTTP lists the repositories, lists the tags of a repository, returns the digest of a
// tag, and deletes the tags of a digest.
func (f *fakeRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path == "/v2/_catalog" {
		fmt.Fprintf(w, `{"repositories":["%s"]}`, strings.Join(f.untagged, `","`))
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if repository, listsTags := strings.CutSuffix(path, "/tags/list"); listsTags {
		tags := f.tags[repository]
		if tags == nil && !slices.Contains(f.untagged, repository) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		var names []string
		for tag := range tags {
			names = append(names, `"`+tag+`"`)
		}
		fmt.Fprintf(w, `{"name":%q,"tags":[%s]}`, repository, strings.Join(names, ","))
		return
	}
	repository, reference, _ := strings.Cut(path, "/manifests/")
	if r.Method == http.MethodHead {
		digest, ok := f.tags[repository][reference]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Docker-Content-Digest", digest)
		return
	}
	if user, password, _ := r.BasicAuth(); r.Method != http.MethodDelete || user != "AWS" || password != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	for tag, digest := range f.tags[repository] {
		if digest == reference {
			delete(f.tags[repository], tag)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

// certificateKubeconfig is a kubeconfig with a user that has a client certificate.
var certificateKubeconfig = `{
  "current-context": "sandbox",
  "contexts": [{"name": "other", "context": {"cluster": "x", "user": "x"}}, {"name": "sandbox", "context": {"cluster": "here", "user": "admin"}}],
  "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "` + b64("authority") + `"}}],
  "users": [{"name": "admin", "user": {"client-certificate-data": "` + b64("certificate") + `", "client-key-data": "` + b64("key") + `"}}]
}`

// startAPIServer starts an API server that accepts every request, and writes the sandbox's
// kubeconfig for this server. The result maps the path of a URL to the number of requests.
func (s *sandbox) startAPIServer() map[string]int {
	s.t.Helper()
	requests := map[string]int{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { requests[r.URL.Path]++ }))
	s.t.Cleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	config := strings.NewReplacer("https://127.0.0.1:6443", server.URL, b64("authority"), b64(string(authority)),
		`"client-certificate-data": "`+b64("certificate")+`", "client-key-data": "`+b64("key")+`"`, `"token": "t"`).Replace(certificateKubeconfig)
	require.NoError(s.t, os.WriteFile(s.layout.Kubeconfig(), []byte(config), 0o600))
	return requests
}

// b64 encodes a string as base64.
func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// with returns a copy of in with the properties of change. If a property is nil in change, the
// copy does not have the property.
func with(in, change props) props {
	out := maps.Clone(in)
	if out == nil {
		out = props{}
	}
	for name, v := range change {
		if out[name] = v; v == nil {
			delete(out, name)
		}
	}
	return out
}
