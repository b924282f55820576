// Package volumes provisions persistent volumes for the sandbox's pods: folders of
// this machine, for claims of the storage class ClassName. It replaces the EBS CSI
// driver. Its volumes are not as fast, not replicated, and not limited in size.
//
// On a user's own cluster it provisions nothing. There the class is a copy of the
// cluster's default class.
package volumes

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	storageclient "k8s.io/client-go/kubernetes/typed/storage/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// ClassName is the storage class of the stack sandbox. On AWS the program creates
// the class fast-ssd for the EBS CSI driver.
const ClassName = "sandbox-local"

// provisionerName is the provisioner in the storage class.
const provisionerName = "sandbox.progressive-framework/local"

// defaultAnnotation marks a cluster's default class.
const defaultAnnotation = "storageclass.kubernetes.io/is-default-class"

// setupTimeout limits the requests to the API server at the start.
const setupTimeout = 30 * time.Second

func connect(l *layout.Layout) (kubernetes.Interface, error) {
	conf, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("volumes: %w", err)
	}
	client, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return nil, fmt.Errorf("volumes: %w", err)
	}
	return client, nil
}

// CopyDefaultClass creates the class in a user's own cluster as a copy of the
// default class, unless it exists.
func CopyDefaultClass(ctx context.Context, l *layout.Layout) error {
	client, err := connect(l)
	if err != nil {
		return err
	}
	return copyDefault(ctx, client.StorageV1().StorageClasses())
}

func copyDefault(ctx context.Context, classes storageclient.StorageClassInterface) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	all, err := classes.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("volumes: list storage classes: %w", err)
	}
	var from *storagev1.StorageClass
	for i, c := range all.Items {
		if c.Name == ClassName {
			return nil
		}
		if c.Annotations[defaultAnnotation] == "true" {
			from = &all.Items[i]
		}
	}
	if from == nil {
		return errors.New("volumes: the cluster has no default storage class, so pods get no volumes: " +
			"create one, or one named " + ClassName)
	}
	from.ObjectMeta = metav1.ObjectMeta{Name: ClassName}
	return create(ctx, classes, from)
}

// class returns the storage class. A volume is provisioned when its pod has a node,
// because it is a folder of that node. It is deleted with its claim. The claims of
// a StatefulSet outlive it, so data are lost only if a claim is deleted.
func class() *storagev1.StorageClass {
	later, remove, grow := storagev1.VolumeBindingWaitForFirstConsumer, corev1.PersistentVolumeReclaimDelete, true
	return &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: ClassName},
		Provisioner:          provisionerName,
		VolumeBindingMode:    &later,
		ReclaimPolicy:        &remove,
		AllowVolumeExpansion: &grow,
	}
}

func create(ctx context.Context, classes storageclient.StorageClassInterface, c *storagev1.StorageClass) error {
	_, err := classes.Create(ctx, c, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) { // expansion is what may differ in an older sandbox, and what may change
		var now *storagev1.StorageClass
		if now, err = classes.Get(ctx, c.Name, metav1.GetOptions{}); err == nil {
			now.AllowVolumeExpansion = c.AllowVolumeExpansion
			_, err = classes.Update(ctx, now, metav1.UpdateOptions{})
		}
	}
	if err != nil {
		return fmt.Errorf("volumes: storage class %s: %w", c.Name, err)
	}
	return nil
}
