package volumes

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// storageList returns a list with one quantity of storage.
func storageList(quantity string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(quantity)}
}

func TestVolumeGrowsWithItsClaim(t *testing.T) {
	newClaim := func(name string, phase corev1.PersistentVolumeClaimPhase, requested string) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: name},
			Spec: corev1.PersistentVolumeClaimSpec{
				VolumeName: "pv-" + name, Resources: corev1.VolumeResourceRequirements{Requests: storageList(requested)},
			},
			Status: corev1.PersistentVolumeClaimStatus{Phase: phase, Capacity: storageList("2Gi")},
		}
	}
	newVolume := func(name, provisioner string) *corev1.PersistentVolume {
		meta := metav1.ObjectMeta{Name: "pv-" + name, Annotations: map[string]string{provisionedByAnnotation: provisioner}}
		return &corev1.PersistentVolume{ObjectMeta: meta, Spec: corev1.PersistentVolumeSpec{Capacity: storageList("2Gi")}}
	}
	for _, tc := range []struct {
		reason, provisioner string
		claim               *corev1.PersistentVolumeClaim
		want                string
	}{
		{"a larger claim grows", provisionerName, newClaim("a", corev1.ClaimBound, "4Gi"), "4Gi"},
		{"a larger claim of the stacks staging and prod grows", ebsProvisioner, newClaim("b", corev1.ClaimBound, "4Gi"), "4Gi"},
		{"the same size stays", provisionerName, newClaim("c", corev1.ClaimBound, "2Gi"), "2Gi"},
		{"another driver resizes its own volumes", "disk.example.com", newClaim("d", corev1.ClaimBound, "4Gi"), "2Gi"},
		{"a claim without a volume has nothing to grow", provisionerName, newClaim("e", corev1.ClaimPending, "4Gi"), "2Gi"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			client := fake.NewClientset(tc.claim, newVolume(tc.claim.Name, tc.provisioner))
			require.NoError(t, resizeAll(t.Context(), client))
			claim, err := client.CoreV1().PersistentVolumeClaims("platform").Get(t.Context(), tc.claim.Name, metav1.GetOptions{})
			require.NoError(t, err)
			require.Equal(t, tc.want, claim.Status.Capacity.Storage().String())
			grown, err := client.CoreV1().PersistentVolumes().Get(t.Context(), "pv-"+tc.claim.Name, metav1.GetOptions{})
			require.NoError(t, err)
			require.Equal(t, tc.want, grown.Spec.Capacity.Storage().String())
		})
	}
}

// The class of an older sandbox does not allow expansion. The next start allows it.
func TestClassOfAnOlderSandboxAllowsExpansion(t *testing.T) {
	older := newClass()
	older.AllowVolumeExpansion = nil
	client := fake.NewClientset(older)
	require.NoError(t, ensureClass(t.Context(), client.StorageV1().StorageClasses(), newClass()))
	updated, err := client.StorageV1().StorageClasses().Get(t.Context(), ClassName, metav1.GetOptions{})
	require.NoError(t, err)
	require.True(t, *updated.AllowVolumeExpansion)
}
