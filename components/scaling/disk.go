package scaling

import "k8s.io/apimachinery/pkg/api/resource"

// Disk is a container's request and limit of its node's disk, which Kubernetes calls
// ephemeral-storage.
type Disk struct{ Request, Limit resource.Quantity }

// logMiB is the disk space of a container's log. The kubelet keeps five files of 10 MiB. The
// other 14 MiB are for lines that the container writes before the kubelet's next check
// (KubeletConfiguration, containerLogMaxSize, containerLogMaxFiles and
// containerLogMonitorInterval).
const logMiB = 64

// otherMiB is the disk space of volumes that are not among Caches, such as Alertmanager's
// volume of 64 MiB.
const otherMiB = 192

// DiskFor returns the disk of a container with these cache volumes. The root file system is
// read-only, so the container uses disk space only for its log and its volumes. The kubelet
// evicts a pod that uses more than the limits of its containers. Disk.Request does not
// include the caches, because they are seldom full, and a new pod can fill them again.
func DiskFor(caches ...Cache) Disk {
	d := Disk{Request: mebibytes(logMiB), Limit: mebibytes(logMiB + otherMiB)}
	for _, c := range caches {
		d.Limit.Add(c.SizeLimit)
	}
	return d
}

// mebibytes returns n MiB.
func mebibytes(n int64) resource.Quantity { return *resource.NewQuantity(n<<20, resource.BinarySI) }
