package service

import (
	"fmt"
	"path"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secretfiles"
)

// secretMode allows the pod's user and group to read the files of a secret. Nobody may
// write them.
const secretMode = 0o440

// SecretFiles are secrets that a pod mounts as files: the keys of a Kubernetes Secret,
// or the files of a secretfiles.Class.
type SecretFiles struct {
	// Name is the volume's name in the pod.
	Name string
	// SecretName is the name of a Kubernetes Secret. Class refers to a secret in Secrets
	// Manager. Exactly one of them is set. The Secret or the Class must be in the service's
	// namespace. A pod mounts a Class with its Role, which needs secretfiles.Permissions.
	SecretName pulumi.StringInput
	Class      *secretfiles.Class
	// MountPath is the absolute path of the folder of the files. It is read-only.
	MountPath string
}

func (f SecretFiles) validate() error {
	if f.Name == "" || (f.SecretName == nil) == (f.Class == nil) || !path.IsAbs(f.MountPath) {
		return fmt.Errorf("secret files %q at %q: must have a Name, either a SecretName or a Class, and an absolute MountPath", f.Name, f.MountPath)
	}
	return nil
}

// volume returns the volume of the files. A CSI volume has no field for a mode, and the driver
// ignores fsGroup. So the files have the provider's default mode 0644. That is safe, because the
// files are in a memory file system of this pod, which runs only one process.
func (f SecretFiles) volume() *corev1.VolumeArgs {
	v := &corev1.VolumeArgs{Name: pulumi.String(f.Name)}
	if f.Class != nil {
		v.Csi = &corev1.CSIVolumeSourceArgs{
			Driver:           pulumi.String(secretfiles.Driver),
			ReadOnly:         pulumi.Bool(true),
			VolumeAttributes: pulumi.StringMap{"secretProviderClass": f.Class.Name},
		}
		return v
	}
	v.Projected = &corev1.ProjectedVolumeSourceArgs{
		DefaultMode: pulumi.Int(secretMode),
		Sources: corev1.VolumeProjectionArray{&corev1.VolumeProjectionArgs{
			Secret: &corev1.SecretProjectionArgs{Name: f.SecretName},
		}},
	}
	return v
}

// volumesAndMounts returns the volumes of a pod's caches and secrets, and their mounts.
func volumesAndMounts(caches []scaling.Cache, secrets []SecretFiles) (corev1.VolumeArray, corev1.VolumeMountArray) {
	var (
		volumes corev1.VolumeArray
		mounts  corev1.VolumeMountArray
	)
	for _, c := range caches {
		volumes = append(volumes, &corev1.VolumeArgs{
			Name:     pulumi.String(c.Name),
			EmptyDir: &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String(c.SizeLimit.String())},
		})
		mounts = append(mounts, &corev1.VolumeMountArgs{Name: pulumi.String(c.Name), MountPath: pulumi.String(c.MountPath)})
	}
	for _, s := range secrets {
		volumes = append(volumes, s.volume())
		mounts = append(mounts, &corev1.VolumeMountArgs{
			Name: pulumi.String(s.Name), MountPath: pulumi.String(s.MountPath), ReadOnly: pulumi.Bool(true),
		})
	}
	return volumes, mounts
}
