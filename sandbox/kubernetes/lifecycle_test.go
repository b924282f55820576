package kubernetes

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// declared is one resource of a stack, with the engine's part played.
type declared struct {
	t               *testing.T
	s               *served
	kind, name, id  string
	inputs, outputs *structpb.Struct
	timeout         float64 // in seconds, of each call
}

func newResource(t *testing.T, s *served, kind, name string) *declared {
	return &declared{t: t, s: s, kind: "kubernetes:" + kind, name: name, timeout: 20}
}

func (r *declared) urn() string { return urn(r.kind, r.name) }

func (r *declared) check(news fields) *structpb.Struct {
	r.t.Helper()
	got, err := r.s.Check(r.t.Context(), &pulumirpc.CheckRequest{Urn: r.urn(), Type: r.kind, Name: r.name, Olds: r.inputs, News: bag(r.t, news)})
	require.NoError(r.t, err)
	require.Empty(r.t, got.GetFailures())
	return got.GetInputs()
}

func (r *declared) create(news fields) error {
	r.t.Helper()
	in := r.check(news)
	got, err := r.s.Create(r.t.Context(), &pulumirpc.CreateRequest{Urn: r.urn(), Type: r.kind, Name: r.name, Properties: in, Timeout: r.timeout})
	if err == nil {
		r.id, r.inputs, r.outputs = got.GetId(), in, got.GetProperties()
	}
	return err
}

func (r *declared) preview(news fields) (fields, error) {
	r.t.Helper()
	if r.id == "" {
		got, err := r.s.Create(r.t.Context(), &pulumirpc.CreateRequest{Urn: r.urn(), Type: r.kind, Name: r.name, Properties: r.check(news), Preview: true})
		return plain(r.t, got.GetProperties()), err
	}
	got, err := r.s.Update(r.t.Context(), &pulumirpc.UpdateRequest{Urn: r.urn(), Type: r.kind, Name: r.name, Id: r.id, OldInputs: r.inputs, Olds: r.outputs, News: r.check(news), Preview: true})
	return plain(r.t, got.GetProperties()), err
}

func (r *declared) update(news fields, ignore ...string) error {
	r.t.Helper()
	in := r.check(news)
	got, err := r.s.Update(r.t.Context(), &pulumirpc.UpdateRequest{
		Urn: r.urn(), Type: r.kind, Name: r.name, Id: r.id, OldInputs: r.inputs, Olds: r.outputs, News: in, IgnoreChanges: ignore, Timeout: r.timeout,
	})
	if err == nil {
		r.inputs, r.outputs = in, got.GetProperties()
	}
	return err
}

func (r *declared) refresh() error {
	got, err := r.s.Read(r.t.Context(), &pulumirpc.ReadRequest{Urn: r.urn(), Type: r.kind, Name: r.name, Id: r.id, Inputs: r.inputs, Properties: r.outputs})
	if failed := initFailure(err); failed != nil {
		r.inputs, r.outputs = failed.GetInputs(), failed.GetProperties()
	}
	if err == nil {
		r.id, r.inputs, r.outputs = got.GetId(), got.GetInputs(), got.GetProperties()
	}
	return err
}

func (r *declared) delete() error {
	_, err := r.s.Delete(r.t.Context(), &pulumirpc.DeleteRequest{Urn: r.urn(), Type: r.kind, Name: r.name, Id: r.id, OldInputs: r.inputs, Properties: r.outputs, Timeout: r.timeout})
	return err
}

// initFailure is what an error says about an object that stands and is not ready.
func initFailure(err error) *pulumirpc.ErrorResourceInitFailed {
	for _, d := range status.Convert(err).Details() {
		if f, ok := d.(*pulumirpc.ErrorResourceInitFailed); ok {
			return f
		}
	}
	return nil
}

const configMapPath = "/api/v1/namespaces/shop/configmaps/c"

func settingsMap(level string) fields {
	return fields{"metadata": fields{"name": "c"}, "data": fields{"level": level}}
}

func TestLifeOfAnObject(t *testing.T) {
	s := newStub(t)
	r := newResource(t, s.provider(t, nil), "core/v1:ConfigMap", "c")
	require.NoError(t, r.create(settingsMap("1")))
	require.Equal(t, "shop/c", r.id)
	out := plain(t, r.outputs)
	require.Equal(t, "uid-c", text(out, "metadata", "uid"), "the outputs are the live object")
	require.NotContains(t, out["metadata"], "managedFields")
	require.Equal(t, managerName(r.urn()), out[hiddenManager])
	require.Equal(t, "v1", out[hiddenVersion])
	require.Equal(t, plain(t, r.inputs), out[hiddenInputs])

	require.NoError(t, r.refresh())
	require.Equal(t, "1", text(plain(t, r.inputs), "data", "level"))
	require.NoError(t, r.update(settingsMap("2")))
	require.Equal(t, "2", text(s.get(configMapPath), "data", "level"))
	require.NoError(t, r.delete())
	require.Nil(t, s.get(configMapPath))
	require.NoError(t, r.delete(), "what is gone is deleted")
	require.NoError(t, r.refresh())
	require.Empty(t, r.id, "what is gone has no id")
}

func TestAnObjectThatStandsAlready(t *testing.T) {
	theirs := fields{"apiVersion": "v1", "kind": "ConfigMap", "metadata": fields{"name": "c", "namespace": "shop", "uid": "u"}}
	lost := func(r *declared) fields {
		o := clone(theirs)
		set(o, []any{fields{"manager": managerName(r.urn()), "operation": "Apply"}}, "metadata", "managedFields")
		return o
	}
	for _, tc := range []struct {
		reason   string
		settings fields
		standing func(*declared) fields
		known    bool // the state has the object
		annotate bool
		err      string
	}{
		{reason: "somebody else's is left alone", standing: func(*declared) fields { return theirs }, err: "ConfigMap shop/c: it exists already"},
		{reason: "one that this resource made in an update that was killed is taken over", standing: lost},
		{reason: "one that the state has is no such thing: it would be deleted afterwards", standing: lost, known: true, err: "it exists already"},
		{reason: "the user wants to take over what is there", standing: func(*declared) fields { return theirs }, settings: fields{"upsertExistingObjects": "true"}},
		{reason: "the user wants it for this object", standing: func(*declared) fields { return theirs }, annotate: true},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := newStub(t)
			r := newResource(t, s.provider(t, tc.settings), "core/v1:ConfigMap", "c")
			s.put(configMapPath, tc.standing(r))
			news := settingsMap("1")
			if tc.annotate {
				set(news, "true", "metadata", "annotations", annotationPatchForce)
			}
			if tc.known {
				r.inputs = r.check(news)
			}
			if !tc.known { // where it is known the preview leaves the question to the deletion
				_, err := r.preview(news)
				require.Equal(t, tc.err != "", err != nil, "the preview says the same: %v", err)
			}
			err := r.create(news)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.Equal(t, codes.FailedPrecondition, status.Code(err))
				require.Empty(t, text(s.get(configMapPath), "data", "level"))
				return
			}
			require.NoError(t, err)
			require.Equal(t, "1", text(s.get(configMapPath), "data", "level"))
		})
	}
}

func TestFieldsOfSomebodyElse(t *testing.T) {
	for _, tc := range []struct {
		reason    string
		refreshed bool
		annotated bool
		err       string
	}{
		{reason: "a change that nobody has seen is not undone", err: `applying ConfigMap shop/c: fields that somebody else set since: .data.level (conflict with "kubectl-edit"). Run ` + "`pulumi refresh`"},
		{reason: "one that a refresh has recorded is", refreshed: true},
		{reason: "one that the user wants undone is", annotated: true},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := newStub(t)
			r := newResource(t, s.provider(t, fields{"enableConfigMapMutable": "true"}), "core/v1:ConfigMap", "c")
			require.NoError(t, r.create(settingsMap("1")))
			edited := s.get(configMapPath)
			set(edited, "edited", "data", "level")
			s.put(configMapPath, edited)
			s.onApply = func(_ string, _ fields, force bool) error {
				if force {
					return nil
				}
				return conflictOf(".data.level")
			}
			if tc.refreshed {
				require.NoError(t, r.refresh())
				require.Equal(t, "edited", text(plain(t, r.inputs), "data", "level"))
			}
			news := settingsMap("1")
			if tc.annotated {
				set(news, "true", "metadata", "annotations", annotationPatchForce)
			}
			err := r.update(news)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.Equal(t, codes.Aborted, status.Code(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, "1", text(s.get(configMapPath), "data", "level"))
		})
	}
}

func TestIgnoredPropertiesKeepTheirLiveValues(t *testing.T) {
	s := newStub(t)
	r := newResource(t, s.provider(t, nil), "core/v1:ConfigMap", "c")
	require.NoError(t, r.create(fields{"metadata": fields{"name": "c"}, "data": fields{"level": "1", "other": "1"}}))
	scaled := s.get(configMapPath)
	set(scaled, "5", "data", "level")
	s.put(configMapPath, scaled)
	require.NoError(t, r.update(fields{"metadata": fields{"name": "c"}, "data": fields{"level": "1", "other": "2"}}, "data.level"))
	require.Equal(t, fields{"level": "5", "other": "2"}, s.get(configMapPath)["data"])
}

func TestPreview(t *testing.T) {
	const service = "/api/v1/namespaces/shop/services/web"
	dry := func(_ string, o fields, _ bool) error {
		set(o, "made up", "spec", "clusterIP")
		set(o, "ClusterIP", "spec", "type")
		return nil
	}
	t.Run("a dry run says what is filled in, and not what only the real one can know", func(t *testing.T) {
		s := newStub(t)
		s.onApply = dry
		out, err := newResource(t, s.provider(t, nil), "core/v1:Service", "web").preview(fields{"metadata": fields{"name": "web"}})
		require.NoError(t, err)
		require.Equal(t, "ClusterIP", text(out, "spec", "type"))
		require.Equal(t, unknown{}, out["spec"].(fields)["clusterIP"])
		require.Equal(t, unknown{}, out["status"])
		require.Equal(t, "web", text(out, "metadata", "name"), "others refer to the name")
		require.NotContains(t, out["metadata"], "uid")
		require.Nil(t, s.get(service), "nothing is made")
	})
	t.Run("a value that is not known yet leaves nothing to ask", func(t *testing.T) {
		s := newStub(t)
		out, err := newResource(t, s.provider(t, nil), "core/v1:Service", "web").preview(fields{"metadata": fields{"name": "web"}, "spec": fields{"externalName": unknown{}}})
		require.NoError(t, err)
		require.Equal(t, unknown{}, out["spec"].(fields)["externalName"])
		require.Empty(t, s.asked())
	})
	t.Run("a namespace that the same update makes is not there yet", func(t *testing.T) {
		s := newStub(t)
		s.onApply = func(string, fields, bool) error {
			return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop")
		}
		r := newResource(t, s.provider(t, nil), "core/v1:Service", "web")
		_, err := r.preview(fields{"metadata": fields{"name": "web"}})
		require.NoError(t, err)
		require.ErrorContains(t, r.create(fields{"metadata": fields{"name": "web"}}), "make the namespace first")
	})
	t.Run("what the API server refuses fails in the preview, each cause with its field", func(t *testing.T) {
		s := newStub(t)
		s.onApply = func(string, fields, bool) error {
			return apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "web", field.ErrorList{
				field.Invalid(field.NewPath("spec", "ports").Index(0).Child("port"), 99999, "must be between 1 and 65535"),
				field.Required(field.NewPath("spec", "type"), ""),
			})
		}
		_, err := newResource(t, s.provider(t, nil), "core/v1:Service", "web").preview(fields{"metadata": fields{"name": "web"}})
		require.Equal(t, codes.InvalidArgument, status.Code(err))
		require.ErrorContains(t, err, "creating Service shop/web: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535; spec.type: Required value")
	})
	t.Run("what is deleted first is not compared with", func(t *testing.T) {
		s := newStub(t)
		r := newResource(t, s.provider(t, nil), "core/v1:Service", "web")
		require.NoError(t, r.create(fields{"metadata": fields{"name": "web"}}))
		s.onApply = func(string, fields, bool) error { return apierrors.NewBadRequest("field is immutable") }
		r.id = ""
		_, err := r.preview(fields{"metadata": fields{"name": "web"}})
		require.NoError(t, err)
	})
	t.Run("a cluster that does not answer leaves the preview unchecked", func(t *testing.T) {
		p := start(t, fields{"kubeconfig": kubeconfig("http://127.0.0.1:1")})
		_, err := newResource(t, p, "core/v1:Service", "web").preview(fields{"metadata": fields{"name": "web"}})
		require.NoError(t, err)
		require.Contains(t, p.engine.shown(), "the cluster does not answer")
	})
}

func TestSecretsOfAnObjectStaySecret(t *testing.T) {
	s := newStub(t)
	s.onApply = func(_ string, o fields, _ bool) error {
		set(o, fields{"token": "Y29ycmVjdCBob3JzZQ=="}, "data")
		set(o, "correct horse", "metadata", "annotations", "copied")
		return nil
	}
	r := newResource(t, s.provider(t, nil), "core/v1:Secret", "k")
	require.NoError(t, r.create(fields{"metadata": fields{"name": "k"}, "stringData": fields{"token": secret{"correct horse"}}}))
	require.NoError(t, r.refresh())
	for _, sent := range []*structpb.Struct{r.inputs, r.outputs} {
		_, found, err := decode(sent)
		require.NoError(t, err)
		require.True(t, found.paths["stringData"] || found.paths["stringData.token"] || found.paths["data"], "%v", found.paths)
		seen := withoutSecrets(sent)
		require.NotContains(t, seen, "correct horse")
		require.NotContains(t, seen, "Y29ycmVjdCBob3JzZQ==")
	}
}

// withoutSecrets renders what of a bag is not marked as secret.
func withoutSecrets(s *structpb.Struct) string {
	var b strings.Builder
	var show func(*structpb.Value)
	show = func(v *structpb.Value) {
		switch k := v.GetKind().(type) {
		case *structpb.Value_StringValue:
			b.WriteString(k.StringValue + "\n")
		case *structpb.Value_ListValue:
			for _, item := range k.ListValue.GetValues() {
				show(item)
			}
		case *structpb.Value_StructValue:
			if _, hidden := k.StructValue.GetFields()[sigKey]; hidden {
				return
			}
			for _, item := range k.StructValue.GetFields() {
				show(item)
			}
		}
	}
	show(structpb.NewStructValue(s))
	return b.String()
}

func TestDeletedOutOfBand(t *testing.T) {
	t.Run("an update makes it again", func(t *testing.T) {
		s := newStub(t)
		p := s.provider(t, nil)
		r := newResource(t, p, "core/v1:ConfigMap", "c")
		require.NoError(t, r.create(settingsMap("1")))
		delete(s.objects, configMapPath)
		require.NoError(t, r.update(settingsMap("2")))
		require.Equal(t, "2", text(s.get(configMapPath), "data", "level"))
		require.Contains(t, p.engine.shown(), "was deleted by somebody else and is made again")
	})
	t.Run("one that is being deleted counts as gone", func(t *testing.T) {
		s := newStub(t)
		r := newResource(t, s.provider(t, nil), "core/v1:ConfigMap", "c")
		require.NoError(t, r.create(settingsMap("1")))
		going := s.get(configMapPath)
		set(going, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp")
		s.put(configMapPath, going)
		require.NoError(t, r.refresh())
		require.Empty(t, r.id)
		// The next creation waits until it is gone.
		reads := 0
		s.onGet = func(path string, _ fields) {
			if reads++; reads == 3 {
				delete(s.objects, path)
			}
		}
		r.inputs, r.outputs = nil, nil
		require.NoError(t, r.create(settingsMap("1")))
	})
}

func TestDelete(t *testing.T) {
	held := func(t *testing.T, s *stub) *declared {
		r := newResource(t, s.provider(t, nil), "core/v1:ConfigMap", "c")
		news := settingsMap("1")
		set(news, []any{"shop.example/keep"}, "metadata", "finalizers")
		require.NoError(t, r.create(news))
		return r
	}
	t.Run("waits until the finalizers are done", func(t *testing.T) {
		s := newStub(t)
		r, reads := held(t, s), 0
		s.onGet = func(path string, o fields) {
			if reads++; reads == 4 {
				delete(s.objects, path)
			}
		}
		require.NoError(t, r.delete())
		require.Contains(t, r.s.engine.shown(), "waiting until it is gone: held by finalizers shop.example/keep")
	})
	t.Run("says what holds it when the time is over", func(t *testing.T) {
		r := held(t, newStub(t))
		r.timeout = 0.3
		require.ErrorContains(t, r.delete(), "deleting ConfigMap shop/c: it is still there after 300ms: held by finalizers shop.example/keep")
	})
	t.Run("one of the same name that somebody made meanwhile is another", func(t *testing.T) {
		s := newStub(t)
		r := held(t, s)
		s.onGet = func(path string, o fields) {
			if text(o, "metadata", "deletionTimestamp") != "" {
				set(o, "another", "metadata", "uid")
			}
		}
		require.NoError(t, r.delete())
	})
	t.Run("an unreachable cluster is an error", func(t *testing.T) {
		p := start(t, fields{"kubeconfig": kubeconfig("http://127.0.0.1:1")})
		r := newResource(t, p, "core/v1:ConfigMap", "c")
		r.id = "shop/c"
		err := r.delete()
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.ErrorContains(t, err, "is the cluster up?")
	})
	t.Run("unless the user says that it is gone for good", func(t *testing.T) {
		p := start(t, fields{"kubeconfig": kubeconfig("http://127.0.0.1:1"), "deleteUnreachable": "true"})
		r := newResource(t, p, "core/v1:ConfigMap", "c")
		r.id = "shop/c"
		require.NoError(t, r.delete())
		require.NoError(t, r.refresh())
		require.Empty(t, r.id)
	})
}

func TestImport(t *testing.T) {
	s := newStub(t)
	s.put(configMapPath, fields{"apiVersion": "v1", "kind": "ConfigMap", "data": fields{"level": "1"}, "metadata": fields{
		"name": "c", "namespace": "shop", "uid": "u", "resourceVersion": "5", "creationTimestamp": "2026-01-01T00:00:00Z",
		"annotations": fields{"kubectl.kubernetes.io/last-applied-configuration": "{}"},
		"labels":      fields{"team": "shop"},
	}})
	r := newResource(t, s.provider(t, nil), "core/v1:ConfigMap", "c")
	r.id = "shop/c"
	require.NoError(t, r.refresh())
	require.Equal(t, fields{"apiVersion": "v1", "kind": "ConfigMap", "data": fields{"level": "1"}, "metadata": fields{
		"name": "c", "namespace": "shop", "labels": fields{"team": "shop"},
	}}, plain(t, r.inputs))
}

func TestAKindThatTheClusterDoesNotServe(t *testing.T) {
	s := newStub(t)
	r := newResource(t, s.provider(t, nil), "keda.sh/v1alpha1:ScaledObject", "s")
	_, err := r.preview(fields{"metadata": fields{"name": "s"}})
	require.NoError(t, err, "its definition may be made by the same update")
	r.timeout = 0.2
	require.ErrorContains(t, r.create(fields{"metadata": fields{"name": "s"}}), "if a custom resource definition brings it, let this resource depend on that one")
	r.id = "shop/s"
	require.NoError(t, r.refresh())
	require.Empty(t, r.id, "without its definition it can't be there")
	r.id = "shop/s"
	require.NoError(t, r.delete())
}

func TestWhatIsNotThereIsRefusedByName(t *testing.T) {
	p := unconfigured(t)
	_, invoke := p.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "kubernetes:helm:template"})
	_, construct := p.Construct(t.Context(), &pulumirpc.ConstructRequest{Type: "kubernetes:yaml/v2:ConfigGroup"})
	_, call := p.Call(t.Context(), &pulumirpc.CallRequest{Tok: "kubernetes:x/y"})
	_, schema := p.GetSchema(t.Context(), &pulumirpc.GetSchemaRequest{})
	for want, err := range map[string]error{
		"kubernetes:helm:template": invoke, "kubernetes:yaml/v2:ConfigGroup": construct, "kubernetes:x/y": call, "the package's schema": schema,
	} {
		require.Equal(t, codes.Unimplemented, status.Code(err))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "pulumi plugin install resource kubernetes")
	}
	_, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn("kubernetes:core/v1:Pod", "p")})
	require.ErrorContains(t, err, "Configure has not been called")
	info, err := p.GetPluginInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, pluginVersion, info.GetVersion())
}
