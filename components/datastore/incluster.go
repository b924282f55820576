package datastore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/secretfiles"
)

// PasswordKey is the key of the password in a store's Secret. Pods mount the password as
// a file with the same name, also if it comes from Secrets Manager.
const PasswordKey = secretfiles.FileName

// Objects creates the Kubernetes objects of a store in the cluster. All have the same
// labels, name prefix and parent.
type Objects struct {
	Context *pulumi.Context
	// Name is the name of the component.
	Name string
	// App is the value of the app label, and the name of the StatefulSet and of
	// the network policy.
	App string
	// Namespace is the namespace of the store.
	Namespace pulumi.StringInput
	Parent    pulumi.ResourceOption
}

// CheckImage returns an error for an image without a digest. It accepts every output, because
// the value of an output is not known yet.
func CheckImage(image pulumi.StringInput) error {
	if reference, known := image.(pulumi.String); known && !strings.Contains(string(reference), "@sha256:") {
		return fmt.Errorf("image %q must name a digest: append @sha256:...", string(reference))
	}
	return nil
}

// Selector returns the labels of the store's pods.
func (o *Objects) Selector() pulumi.StringMap { return pulumi.StringMap{"app": pulumi.String(o.App)} }

// Meta returns the metadata of one of the store's objects.
func (o *Objects) Meta(name string) *metav1.ObjectMetaArgs {
	return &metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: o.Namespace, Labels: o.Selector()}
}

// NewSecret creates a Secret with a name in Kubernetes, and returns the name as an output.
// resourceSuffix is the last part of the name in Pulumi. All values become secret in the stack's
// state.
func (o *Objects) NewSecret(resourceSuffix, name string, values map[string]pulumi.StringInput) (pulumi.StringOutput, error) {
	data := pulumi.StringMap{}
	for key, value := range values {
		data[key] = pulumi.ToSecret(value.ToStringOutput()).(pulumi.StringOutput)
	}
	secret, err := corev1.NewSecret(o.Context, o.Name+"-"+resourceSuffix, &corev1.SecretArgs{Metadata: o.Meta(name), StringData: data}, o.Parent)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("secret %s of %s: %w", name, o.Name, err)
	}
	return secret.Metadata.Name().Elem(), nil
}

// NewConfigMap creates the ConfigMap of the store's files and returns its name.
func (o *Objects) NewConfigMap(name string, files map[string]string) (pulumi.StringOutput, error) {
	configMap, err := corev1.NewConfigMap(o.Context, o.Name+"-config", &corev1.ConfigMapArgs{Metadata: o.Meta(name), Data: pulumi.ToStringMap(files)}, o.Parent)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("config of %s: %w", o.Name, err)
	}
	return configMap.Metadata.Name().Elem(), nil
}

// NewNetworkPolicy creates the policy of the store's pods, which denies what access does not
// allow.
func (o *Objects) NewNetworkPolicy(access podnetwork.Access) (pulumi.Resource, error) {
	return podnetwork.New(o.Context, o.Name, &podnetwork.Args{
		Name: o.App, Namespace: o.Namespace, Selector: o.Selector(), Access: access,
	}, o.Parent)
}

// Port is a port of the store's pods, by its name.
type Port struct {
	Name   string
	Number int
}

// NewHeadlessService creates the service that gives each pod a DNS name. publishNotReady also
// gives a name to pods that are not ready.
func (o *Objects) NewHeadlessService(name string, publishNotReady bool, ports ...Port) (*corev1.Service, error) {
	spec := &corev1.ServiceSpecArgs{ClusterIP: pulumi.String("None"), Selector: o.Selector()}
	if publishNotReady {
		spec.PublishNotReadyAddresses = pulumi.Bool(true)
	}
	var servicePorts corev1.ServicePortArray
	for _, p := range ports {
		servicePorts = append(servicePorts, &corev1.ServicePortArgs{Name: pulumi.String(p.Name), Port: pulumi.Int(p.Number), TargetPort: pulumi.String(p.Name)})
	}
	spec.Ports = servicePorts
	service, err := corev1.NewService(o.Context, o.Name+"-service", &corev1.ServiceArgs{Metadata: o.Meta(name), Spec: spec}, o.Parent)
	if err != nil {
		return nil, fmt.Errorf("service of %s: %w", o.Name, err)
	}
	return service, nil
}

// Host returns the DNS name by which pods of every namespace reach a service.
func Host(service *corev1.Service) pulumi.StringOutput {
	return pulumi.Sprintf("%s.%s.svc.cluster.local", service.Metadata.Name().Elem(), service.Metadata.Namespace().Elem())
}

// StatefulSet has the arguments of NewStatefulSet: the pods of a store.
type StatefulSet struct {
	Service  *corev1.Service
	Replicas int
	// Parallel starts all pods at the same time instead of one after the other. Updates
	// always replace one pod after the other.
	Parallel bool
	// Config is the text of the settings. A change of the text replaces the pods.
	Config []byte
	Pod    *corev1.PodSpecArgs
	Volume Volume
	// After are resources that the pods need to start.
	After []pulumi.Resource
}

// PodTemplate returns the template of the pods. config is the text of the pods' settings. A
// change of config replaces the pods, because its hash is an annotation of the template.
func (o *Objects) PodTemplate(config []byte, pod *corev1.PodSpecArgs) *corev1.PodTemplateSpecArgs {
	sum := sha256.Sum256(config)
	return &corev1.PodTemplateSpecArgs{
		Metadata: &metav1.ObjectMetaArgs{Labels: o.Selector(), Annotations: pulumi.StringMap{
			"progressive-framework/config": pulumi.String(hex.EncodeToString(sum[:8])),
		}},
		Spec: pod,
	}
}

// NewStatefulSet creates the claims of the volumes, and then the StatefulSet.
func (o *Objects) NewStatefulSet(s StatefulSet) (*appsv1.StatefulSet, error) {
	claims, err := o.newClaims(s.Volume, s.Replicas)
	if err != nil {
		return nil, err
	}
	spec := &appsv1.StatefulSetSpecArgs{
		ServiceName:          s.Service.Metadata.Name().Elem(),
		Replicas:             pulumi.Int(s.Replicas),
		Selector:             &metav1.LabelSelectorArgs{MatchLabels: o.Selector()},
		Template:             o.PodTemplate(s.Config, s.Pod),
		VolumeClaimTemplates: corev1.PersistentVolumeClaimTypeArray{s.Volume.template()},
	}
	if s.Parallel {
		spec.PodManagementPolicy = pulumi.String("Parallel")
	}
	// Kubernetes can't change the claim templates. The templates only name the volume, because
	// newClaims has created the claims.
	statefulSet, err := appsv1.NewStatefulSet(o.Context, o.Name+"-statefulset", &appsv1.StatefulSetArgs{Metadata: o.Meta(o.App), Spec: spec}, o.Parent,
		pulumi.DependsOn(append(claims, s.After...)), pulumi.IgnoreChanges([]string{"spec.volumeClaimTemplates"}))
	if err != nil {
		return nil, fmt.Errorf("StatefulSet of %s: %w", o.Name, err)
	}
	return statefulSet, nil
}

// PodSpec returns the spec of a pod that the Pod Security Standard "restricted" admits. The pod has
// no service account token. userID is the id of its user, and grace is its termination grace period
// in seconds.
func PodSpec(userID, grace int, containers corev1.ContainerArray, volumes corev1.VolumeArray) *corev1.PodSpecArgs {
	security := podsecurity.PodWithVolumes(userID)
	security.FsGroupChangePolicy = pulumi.String("OnRootMismatch") // the default changes the group of all files at each start, which takes minutes on a large volume
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		TerminationGracePeriodSeconds: pulumi.Int(grace),
		SecurityContext:               security,
		Containers:                    containers,
		Volumes:                       volumes,
	}
}

// ConfigFiles returns the volume with the files of a ConfigMap.
func ConfigFiles(volume string, configMap pulumi.StringInput) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{Name: pulumi.String(volume), ConfigMap: &corev1.ConfigMapVolumeSourceArgs{Name: configMap}}
}

// SecretFiles returns the volume with the files of a Secret. Only the pod's user and
// group can read them.
func SecretFiles(volume string, secret pulumi.StringInput) *corev1.VolumeArgs {
	return &corev1.VolumeArgs{Name: pulumi.String(volume), Secret: &corev1.SecretVolumeSourceArgs{SecretName: secret, DefaultMode: pulumi.Int(0o440)}}
}

// Env returns an environment variable.
func Env(name, value string) *corev1.EnvVarArgs {
	return &corev1.EnvVarArgs{Name: pulumi.String(name), Value: pulumi.String(value)}
}

// Mount returns the mount of a volume at a path.
func Mount(volume, path string) *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{Name: pulumi.String(volume), MountPath: pulumi.String(path)}
}
