package admission

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// policyFile is the path of the file with the spec of the policy that the platform creates. The
// golden test of package podrules writes the file, for the image names in the constants below.
const policyFile = "../../components/admissionpolicy/podrules/testdata/spec.yaml"

const (
	digestSuffix  = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	mcaRepository = "registry.example.com/platform/mca" // the repository of an image of the platform
)

func TestPolicyAdmitsOnlyThePlatformsPods(t *testing.T) {
	validator := newValidator(t)
	for _, tc := range []struct {
		reason string
		change func(*corev1.Pod)
		// old is the pod before an update; nil for a creation.
		old *corev1.Pod
		// want are the beginnings of the messages, in the order of the rules.
		want []string
	}{
		{"a pod of the platform", func(*corev1.Pod) {}, nil, nil},
		{"the image of a store in the cluster", withImage("registry.example.com/debian/redis" + digestSuffix), nil, nil},
		{"another repository with the same beginning", withImage("registry.example.com/debian/redis-of-others/x" + digestSuffix), nil, []string{"image-of-this-stack: mca runs"}},
		{"an image of another stack", withImage("registry.example.com/platform-of-others/mca" + digestSuffix), nil, []string{"image-of-this-stack: mca runs"}},
		{"another registry with the platform's path", withImage("attacker.example/registry.example.com/platform/mca" + digestSuffix), nil, []string{"image-of-this-stack: mca runs"}},
		{"an image of Docker Hub, without a host", withImage("busybox" + digestSuffix), nil, []string{"image-of-this-stack: mca runs"}},
		{"an image by tag", withImage(mcaRepository + ":latest"), nil, []string{"pod-image-by-digest: mca names its image by a tag"}},
		{"a digest that is too short", withImage(mcaRepository + strings.TrimSuffix(digestSuffix, "f")), nil, []string{"pod-image-by-digest: mca"}},
		{"a digest with another algorithm", withImage(mcaRepository + "@sha512:" + strings.Repeat("0", 64)), nil, []string{"pod-image-by-digest: mca"}},
		{"no image", withImage(""), nil, []string{"image-of-this-stack: mca", "pod-image-by-digest: mca"}},
		{"the message names both containers that break the rule", func(p *corev1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, newContainer("log", mcaRepository+":1"), newContainer("proxy", mcaRepository+":1"))
		}, nil, []string{"pod-image-by-digest: log, proxy names"}},
		{"an init container", func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{newContainer("init", "busybox"+digestSuffix)}
		}, nil, []string{"image-of-this-stack: init runs"}},
		{"a container for debugging", func(p *corev1.Pod) {
			p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debugger", Image: "busybox"}}}
		}, newPod(), []string{"image-of-this-stack: debugger", "pod-image-by-digest: debugger", "pod-read-only-root: debugger"}},
		{"no security context", func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext = nil }, nil, []string{"pod-read-only-root: mca can write"}},
		{"a root file system that can be written", func(p *corev1.Pod) { *p.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem = false }, nil, []string{"pod-read-only-root: mca"}},
		{"a service account token for the default audience", withToken(""), nil, []string{"pod-no-api-token: token has"}},
		{"a service account token for the audience of the API server", withToken("https://kubernetes.default.svc"), nil, []string{"pod-no-api-token: token has"}},
		{"a service account token, for an account that may have one", func(p *corev1.Pod) {
			withToken("")(p)
			p.Spec.ServiceAccountName = "prometheus"
		}, nil, nil},
		{"a service account token for EKS Pod Identity", withToken("pods.eks.amazonaws.com"), nil, nil},
		{"a new label for a pod that is older than the policy", func(p *corev1.Pod) {
			withImage("busybox")(p)
			p.Labels = map[string]string{"released": "true"}
		}, changedPod(withImage("busybox")), nil},
		{"a new image for a pod that is older than the policy", withImage("alpine" + digestSuffix), changedPod(withImage("busybox")), []string{"image-of-this-stack: mca"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			refusals := evaluatePolicy(t, validator, changedPod(tc.change), tc.old)
			require.Len(t, refusals, len(tc.want), "%q", refusals)
			for i, want := range tc.want {
				require.True(t, strings.HasPrefix(refusals[i], want), "%q begins with %q", refusals[i], want)
				require.Contains(t, refusals[i], " Fix: ")
			}
		})
	}
}

// evaluatePolicy evaluates the policy for the creation of pod, or for an update from old to pod. It
// returns the messages of the broken rules.
func evaluatePolicy(t *testing.T, validator validating.Validator, pod, old *corev1.Pod) []string {
	t.Helper()
	operation, oldObject := admission.Create, runtime.Object(nil)
	if old != nil {
		operation, oldObject = admission.Update, old
	}
	kind, pods := corev1.SchemeGroupVersion.WithKind("Pod"), schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	request := admission.NewAttributesRecord(pod, oldObject, kind, "platform", pod.Name, pods, "", operation, nil, false, nil)
	validation := validator.Validate(t.Context(), pods, &admission.VersionedAttributes{
		Attributes: request, VersionedObject: pod, VersionedOldObject: oldObject, VersionedKind: kind,
	}, nil, &corev1.Namespace{}, apiservercel.RuntimeCELCostBudget, nil)
	var messages []string
	for _, d := range validation.Decisions {
		require.NotEqual(t, validating.EvalError, d.Evaluation, d.Message)
		if d.Action == validating.ActionDeny {
			messages = append(messages, d.Message)
		}
	}
	return messages
}

// newValidator compiles the policy as the API server does (k8s.io/apiserver,
// pkg/admission/plugin/policy/validating/plugin.go, compilePolicy).
func newValidator(t *testing.T) validating.Validator {
	t.Helper()
	raw, err := os.ReadFile(policyFile)
	require.NoError(t, err)
	var spec admissionv1.ValidatingAdmissionPolicySpec
	require.NoError(t, yaml.UnmarshalStrict(raw, &spec))

	var variables []cel.NamedExpressionAccessor
	for _, v := range spec.Variables {
		variables = append(variables, &validating.Variable{Name: v.Name, Expression: v.Expression})
	}
	var conditions, validations, messages []cel.ExpressionAccessor
	for _, c := range spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&c))
	}
	for _, v := range spec.Validations {
		validations = append(validations, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression})
	}
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	require.NoError(t, err)
	options := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	// NewExpressions allows everything that this version of the API server supports.
	compiler.CompileAndStoreVariables(variables, options, environment.NewExpressions)
	compile := func(expressions []cel.ExpressionAccessor, hasAuthorizer bool) cel.ConditionEvaluator {
		options := cel.OptionalVariableDeclarations{HasAuthorizer: hasAuthorizer}
		compiled := compiler.CompileCondition(expressions, options, environment.NewExpressions)
		require.Empty(t, compiled.CompilationErrors())
		return compiled
	}
	matcher := matchconditions.NewMatcher(compile(conditions, true), spec.FailurePolicy, "policy", "validate", "platform")
	return validating.NewValidator(compile(validations, true), matcher, compile(nil, true), compile(messages, false), spec.FailurePolicy, nil)
}

func newPod() *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "mca"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{newContainer("mca", mcaRepository+digestSuffix)}},
	}
}

func newContainer(name, reference string) corev1.Container {
	readOnly := true
	return corev1.Container{Name: name, Image: reference, SecurityContext: &corev1.SecurityContext{ReadOnlyRootFilesystem: &readOnly}}
}

// changedPod returns a pod of the platform to which the change was applied.
func changedPod(change func(*corev1.Pod)) *corev1.Pod {
	p := newPod()
	change(p)
	return p
}

// withImage returns a function that sets the image of the pod's container.
func withImage(reference string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Image = reference }
}

// withToken returns a function that adds a volume with a token of the service account for an
// audience. The same volume also has a ConfigMap.
func withToken(audience string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		sources := []corev1.VolumeProjection{
			{ConfigMap: &corev1.ConfigMapProjection{}},
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Audience: audience, Path: "token"}},
		}
		p.Spec.Volumes = []corev1.Volume{{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources}}}}
	}
}
