package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/serverfiles"
	"github.com/progressive-framework/platform/components/size"
)

// InClusterArgs are what an InCluster is made from.
type InClusterArgs struct {
	// Namespace is where it runs.
	Namespace pulumi.StringInput
	// Image is a reference by digest: the official postgres image, or one with
	// a POSIX shell and Debian's server.
	Image pulumi.StringInput
	// Tuning is the container's size and what follows from it.
	Tuning postgrestuning.Inputs
	// Storage and StorageClass are the volume's; zero: 20Gi of fast-ssd, as
	// the document's Redis has.
	Storage      size.Size
	StorageClass string
	// Password is that of the owner, platform, from the first start on; later
	// ones take an ALTER ROLE as well.
	Password pulumi.StringInput
}

func (a *InClusterArgs) validate() error {
	switch {
	case a == nil || a.Namespace == nil || a.Password == nil || a.Image == nil:
		return errors.New("server: Namespace, Image and Password must not be nil")
	case a.Storage.Less(size.Of(0)):
		return fmt.Errorf("server: Storage is %s, must be positive, or zero for 20Gi", a.Storage)
	}
	if image, known := a.Image.(pulumi.String); known && !strings.Contains(string(image), "@sha256:") {
		return fmt.Errorf("server: Image %q must name a digest: append @sha256:...", string(image))
	}
	return nil
}

// InCluster is a PostgreSQL server in the cluster, one pod with a volume.
type InCluster struct {
	pulumi.ResourceState

	// Host is its name from any namespace.
	Host pulumi.StringOutput
	Port int
	// SecretName is the Secret with the key password, in the same namespace.
	SecretName pulumi.StringOutput
}

const (
	// inClusterName is the document's StatefulSet.
	inClusterName = "postgres"
	// user is that of the official Debian image; the pod brings the name.
	user = 999

	configFolder, secretFolder, socketFolder = "/etc/postgres", "/etc/postgres-auth", "/run/postgresql"
	dataFolder                               = "/var/lib/postgresql/data"

	// terminationGrace, in seconds, is for a shutdown's checkpoint: SIGINT
	// ends the sessions, then all of shared_buffers may have to be written.
	terminationGrace = 120
)

// NewInCluster makes the Secret, the ConfigMap, the network policy, the
// headless Service and the StatefulSet. Changed settings roll out with it.
func NewInCluster(ctx *pulumi.Context, name string, args *InClusterArgs, opts ...pulumi.ResourceOption) (*InCluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	model, err := postgrestuning.New(args.Tuning)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &InCluster{Port: Port}
	if err := ctx.RegisterComponentResource("progressive:postgres:InCluster", name, s, opts...); err != nil {
		return nil, fmt.Errorf("server %s: %w", name, err)
	}
	parent := pulumi.Parent(s)
	selector := pulumi.StringMap{"app": pulumi.String(inClusterName)}
	meta := func(object string) *metav1.ObjectMetaArgs {
		return &metav1.ObjectMetaArgs{Name: pulumi.String(object), Namespace: args.Namespace, Labels: selector}
	}
	files := map[string]string{
		"postgresql.conf": serverfiles.File(model, "", serverfiles.Paths{Sockets: socketFolder, Access: configFolder + "/pg_hba.conf"}),
		"pg_hba.conf":     serverfiles.Access,
		"passwd":          serverfiles.Users(Owner, user),
		"entrypoint.sh":   serverfiles.Script,
	}
	config, err := corev1.NewConfigMap(ctx, name+"-config", &corev1.ConfigMapArgs{Metadata: meta("postgres-config"), Data: pulumi.ToStringMap(files)}, parent)
	if err != nil {
		return nil, fmt.Errorf("config of %s: %w", name, err)
	}
	auth, err := corev1.NewSecret(ctx, name+"-auth", &corev1.SecretArgs{
		Metadata: meta("postgres-auth"), StringData: pulumi.StringMap{"password": pulumi.ToSecret(args.Password.ToStringOutput()).(pulumi.StringOutput)},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("password of %s: %w", name, err)
	}
	// Only pods of the namespace come near it.
	if _, err := networkingv1.NewNetworkPolicy(ctx, name+"-policy", &networkingv1.NetworkPolicyArgs{
		Metadata: meta(inClusterName),
		Spec: &networkingv1.NetworkPolicySpecArgs{
			PodSelector: &metav1.LabelSelectorArgs{MatchLabels: selector},
			PolicyTypes: pulumi.ToStringArray([]string{"Ingress"}),
			Ingress: networkingv1.NetworkPolicyIngressRuleArray{&networkingv1.NetworkPolicyIngressRuleArgs{
				From:  networkingv1.NetworkPolicyPeerArray{&networkingv1.NetworkPolicyPeerArgs{PodSelector: &metav1.LabelSelectorArgs{}}},
				Ports: networkingv1.NetworkPolicyPortArray{&networkingv1.NetworkPolicyPortArgs{Port: pulumi.String("postgres")}},
			}},
		},
	}, parent); err != nil {
		return nil, fmt.Errorf("network policy of %s: %w", name, err)
	}
	service, err := corev1.NewService(ctx, name+"-service", &corev1.ServiceArgs{
		Metadata: meta(inClusterName),
		Spec: &corev1.ServiceSpecArgs{
			ClusterIP: pulumi.String("None"), Selector: selector,
			Ports: corev1.ServicePortArray{&corev1.ServicePortArgs{Name: pulumi.String("postgres"), Port: pulumi.Int(Port), TargetPort: pulumi.String("postgres")}},
		},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("service of %s: %w", name, err)
	}
	if _, err := appsv1.NewStatefulSet(ctx, name+"-statefulset", &appsv1.StatefulSetArgs{
		Metadata: meta(inClusterName),
		Spec: &appsv1.StatefulSetSpecArgs{
			ServiceName: service.Metadata.Name().Elem(),
			Replicas:    pulumi.Int(1),
			Selector:    &metav1.LabelSelectorArgs{MatchLabels: selector},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: selector, Annotations: pulumi.StringMap{"progressive-framework/config": pulumi.String(digest(files))}},
				Spec:     podSpec(args, config.Metadata.Name().Elem(), auth.Metadata.Name().Elem()),
			},
			VolumeClaimTemplates: corev1.PersistentVolumeClaimTypeArray{volume(args)},
		},
	}, parent); err != nil {
		return nil, fmt.Errorf("StatefulSet of %s: %w", name, err)
	}
	s.SecretName = auth.Metadata.Name().Elem()
	s.Host = pulumi.Sprintf("%s.%s.svc.cluster.local", service.Metadata.Name().Elem(), service.Metadata.Namespace().Elem())
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"host": s.Host, "secretName": s.SecretName})
}

// digest changes with any of the files.
func digest(files map[string]string) string {
	sum := sha256.Sum256(fmt.Append(nil, files)) // maps print in the order of their keys
	return hex.EncodeToString(sum[:8])
}
