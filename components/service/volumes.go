package service

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// secretMode lets the pod's own group read a secret's files, and nobody write
// them.
const secretMode = 0o440

// SecretFiles are the keys of a Kubernetes Secret, each a file of its name.
type SecretFiles struct {
	// Name is the volume's name in the pod.
	Name string
	// SecretName is a Secret of the service's namespace.
	SecretName pulumi.StringInput
	// MountPath is an absolute path; the files lie in it, read-only.
	MountPath string
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
		volumes = append(volumes, &corev1.VolumeArgs{
			Name: pulumi.String(s.Name),
			Projected: &corev1.ProjectedVolumeSourceArgs{
				DefaultMode: pulumi.Int(secretMode),
				Sources: corev1.VolumeProjectionArray{&corev1.VolumeProjectionArgs{
					Secret: &corev1.SecretProjectionArgs{Name: s.SecretName},
				}},
			},
		})
		mounts = append(mounts, &corev1.VolumeMountArgs{
			Name: pulumi.String(s.Name), MountPath: pulumi.String(s.MountPath), ReadOnly: pulumi.Bool(true),
		})
	}
	return volumes, mounts
}
