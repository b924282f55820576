package volumes

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func TestFolderOfAVolumeIsDeletedWithTheVolume(t *testing.T) {
	p := provisioner{t.TempDir()}
	claim := &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}},
	}}
	options := controller.ProvisionOptions{StorageClass: newClass(), PVName: "pvc-1", PVC: claim}

	_, _, err := p.Provision(t.Context(), options)
	require.ErrorContains(t, err, "no node yet")

	options.SelectedNodeName = "here"
	volume, _, err := p.Provision(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, []string{"here"}, volume.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values, "the volume is a folder of this node only")
	require.NoError(t, os.WriteFile(filepath.Join(volume.Spec.Local.Path, "data"), []byte("x"), 0o600))

	again, _, err := p.Provision(t.Context(), options)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(again.Spec.Local.Path, "data"), "a second call keeps the data")

	require.NoError(t, p.Delete(t.Context(), volume))
	require.NoDirExists(t, volume.Spec.Local.Path)

	outside := t.TempDir()
	volume.Spec.Local.Path = outside
	require.ErrorContains(t, p.Delete(t.Context(), volume), "left alone")
	require.DirExists(t, outside)
}

// The kubelet gives the folder's group to the pod, which must be able to write.
func TestVolumeHasTheSameModeWithEveryUmask(t *testing.T) {
	for _, umask := range []int{0o022, 0o077} {
		before := syscall.Umask(umask)
		t.Cleanup(func() { syscall.Umask(before) })
		options := controller.ProvisionOptions{StorageClass: newClass(), PVName: "pvc-1", PVC: &corev1.PersistentVolumeClaim{}, SelectedNodeName: "here"}
		volume, _, err := provisioner{t.TempDir()}.Provision(t.Context(), options)
		require.NoError(t, err)
		info, err := os.Stat(volume.Spec.Local.Path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o770), info.Mode().Perm(), "umask %03o", umask)
	}
}

func TestOwnClusterGetsACopyOfItsDefaultClass(t *testing.T) {
	standard := &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{defaultAnnotation: "true"}},
		Provisioner: "rancher.io/local-path",
	}
	classes := fake.NewClientset(standard).StorageV1().StorageClasses()
	for range 2 {
		require.NoError(t, copyDefaultClass(t.Context(), classes))
	}
	copied, err := classes.Get(t.Context(), ClassName, metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "rancher.io/local-path", copied.Provisioner)
	require.Empty(t, copied.Annotations, "the copy is not a second default class")

	require.ErrorContains(t, copyDefaultClass(t.Context(), fake.NewClientset().StorageV1().StorageClasses()), "no default storage class")
}
