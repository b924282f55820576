// Package podsecurity owns the security settings of every pod of the platform: the
// Pod Security Standard "restricted", and a read-only root file system.
package podsecurity

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NonRoot is the user id and group id in the images that the platform builds.
const NonRoot = 65532

// Pod returns the security context of a pod. userID is the id of a user other than
// root.
func Pod(userID int) *corev1.PodSecurityContextArgs {
	return &corev1.PodSecurityContextArgs{
		RunAsNonRoot:   pulumi.Bool(true),
		RunAsUser:      pulumi.Int(userID),
		RunAsGroup:     pulumi.Int(userID),
		SeccompProfile: &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
	}
}

// PodWithVolumes returns the security context of a pod that writes to volumes. The
// volumes belong to the user's group.
func PodWithVolumes(userID int) *corev1.PodSecurityContextArgs {
	securityContext := Pod(userID)
	securityContext.FsGroup = pulumi.Int(userID)
	return securityContext
}

// Container returns the security context of a container without privileges.
func Container() *corev1.SecurityContextArgs {
	return &corev1.SecurityContextArgs{
		AllowPrivilegeEscalation: pulumi.Bool(false),
		ReadOnlyRootFilesystem:   pulumi.Bool(true),
		Capabilities:             &corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
	}
}
