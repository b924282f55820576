package service

import (
	"fmt"
	"path"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secretfiles"
)

// secretMode lets the pod's own group read a secret's files, and nobody write
// them.
const secretMode = 0o440

// SecretFiles are secrets, each a file of its name: the keys of a Kubernetes
// Secret, or what a class mounts from Secrets Manager.
type SecretFiles struct {
	// Name is the volume's name in the pod.
	Name string
	// SecretName is a Secret of the service's namespace, Class a class of it; one
	// of the two. A class is mounted under the pod's Role, which must have
	// secretfiles.Permissions.
	SecretName pulumi.StringInput
	Class      *secretfiles.Class
	// MountPath is an absolute path; the files lie in it, read-only.
	MountPath string
}

func (f SecretFiles) validate() error {
	if f.Name == "" || (f.SecretName == nil) == (f.Class == nil) || !path.IsAbs(f.MountPath) {
		return fmt.Errorf("secret files %q at %q: must have a Name, either a SecretName or a Class, and an absolute MountPath", f.Name, f.MountPath)
	}
	return nil
}

// volume has no mode where the driver writes the files: they are root's and
// anybody's to read (0644, the provider's default; it heeds no fsGroup), in a
// memory file system of the pod's own, whose one process is another user.
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

// files makes a pod's volumes and where they are mounted.
func files(caches []scaling.Cache, secrets []SecretFiles) (corev1.VolumeArray, corev1.VolumeMountArray) {
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
