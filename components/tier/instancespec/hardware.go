package instancespec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/size"
	"github.com/progressive-framework/platform/components/tier/userdata"
)

// Architecture is the architecture of a processor, as in an OCI platform.
type Architecture string

// The architectures of EC2.
const (
	AMD64 Architecture = "amd64"
	ARM64 Architecture = "arm64"
)

// Hardware has the processor, the memory and the pod limit of an instance type.
type Hardware struct {
	Architecture Architecture
	Cores        int
	Memory       size.Size
	// Pods is the largest number of pods on the instance: the number of pods that can get an
	// address with prefix delegation, and at most userdata.MaxPods.
	Pods int
}

// family has the properties that all types of an instance family share.
type family struct {
	// mibPerCore is the memory in MiB for each vCPU. It is 0 for burstable types, which have
	// their memory in burstableMiB.
	mibPerCore int
	sizes      []string
}

// Lists of sizes that several families share.
var (
	standard    = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge")
	withMetal   = append(slices.Clone(standard), "metal")
	flex        = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge")
	intel6      = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge metal")
	amd6        = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge metal")
	intel7      = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge metal-24xl metal-48xl")
	amd7        = splitSizes("medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge metal-48xl")
	intel8      = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge metal-48xl metal-96xl")
	amd8        = splitSizes("medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge metal-24xl metal-48xl")
	graviton    = splitSizes("medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge metal")
	noMetal     = splitSizes("medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge")
	graviton8   = amd8
	burstable   = splitSizes("nano micro small medium large xlarge 2xlarge")
	graphics    = splitSizes("xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge")
	storage4    = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge metal")
	storage7    = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge metal-24xl metal-48xl")
	gravitonBig = splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 16xlarge")
)

// splitSizes splits a list of sizes at the spaces.
func splitSizes(sizes string) []string { return strings.Fields(sizes) }

// families are the Nitro families that are suitable for nodes: general purpose, compute,
// memory, storage and graphics. The literal groups them by MiB of memory for each vCPU.
// Source: EC2 Instance Types guide, "Specifications". The sizes are also in amazon-eks-ami,
// eni-max-pods.txt. Older families are not Nitro and have no prefix delegation, which every
// node uses. Amazon Linux 2023 does not run on a1.
var families = familiesByName(map[int]map[string][]string{
	4096: {
		"m5": withMetal, "m5d": withMetal, "m5n": withMetal, "m5dn": withMetal, "m5a": standard, "m5ad": standard,
		"m5zn": splitSizes("large xlarge 2xlarge 3xlarge 6xlarge 12xlarge metal"),
		"m6i":  intel6, "m6id": intel6, "m6in": intel6, "m6idn": intel6, "m6a": amd6, "m6g": graviton, "m6gd": graviton,
		"m7i": intel7, "m7i-flex": flex, "m7a": amd7, "m7g": graviton, "m7gd": graviton,
		"m8i": intel8, "m8i-flex": flex, "m8a": amd8, "m8g": graviton8, "m8gd": graviton8,
		"g4dn": splitSizes("xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge metal"), "g4ad": splitSizes("xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
		"g5": graphics, "g6": graphics, "im4gn": gravitonBig,
	},
	2048: {
		"c5": splitSizes("large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge metal"), "c5d": splitSizes("large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge metal"),
		"c5a": standard, "c5ad": standard,
		"c6i": intel6, "c6id": intel6, "c6in": intel6, "c6a": amd6, "c6g": graviton, "c6gd": graviton, "c6gn": noMetal,
		"c7i": intel7, "c7i-flex": flex, "c7a": amd7, "c7g": graviton, "c7gd": graviton, "c7gn": graviton,
		"c8i": intel8, "c8i-flex": flex, "c8a": amd8, "c8g": graviton8, "c8gd": graviton8, "c8gn": graviton8,
		"g5g": splitSizes("xlarge 2xlarge 4xlarge 8xlarge 16xlarge metal"),
	},
	2688: {"c5n": splitSizes("large xlarge 2xlarge 4xlarge 9xlarge 18xlarge metal")},
	8192: {
		"r5": withMetal, "r5d": withMetal, "r5n": withMetal, "r5dn": withMetal, "r5b": withMetal, "r5a": standard, "r5ad": standard,
		"r6i": intel6, "r6id": intel6, "r6in": intel6, "r6idn": intel6, "r6a": amd6, "r6g": graviton, "r6gd": graviton,
		"r7i": intel7, "r7iz": splitSizes("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 32xlarge metal-16xl metal-32xl"),
		"r7a": amd7, "r7g": graviton, "r7gd": graviton,
		"r8i": intel8, "r8i-flex": flex, "r8a": amd8, "r8g": graviton8, "r8gd": graviton8,
		"i4i": storage4, "i4g": gravitonBig, "i7i": storage7, "i8g": storage7, "g6e": graphics, "gr6": splitSizes("4xlarge 8xlarge"),
		"i3en": splitSizes("large xlarge 2xlarge 3xlarge 6xlarge 12xlarge 24xlarge metal"),
		"i7ie": splitSizes("large xlarge 2xlarge 3xlarge 6xlarge 12xlarge 18xlarge 24xlarge 48xlarge metal-24xl metal-48xl"),
	},
	6144:  {"is4gen": splitSizes("medium large xlarge 2xlarge 4xlarge 8xlarge")},
	16384: {"x2gd": graviton, "x8g": graviton8},
	// The memory of a burstable type is not proportional to its vCPUs; see burstableMiB.
	0: {"t3": burstable, "t3a": burstable, "t4g": burstable},
})

// burstableMiB is the memory of a burstable instance by its size (EC2 User Guide,
// "Burstable performance instances").
var burstableMiB = map[string]int{
	"nano": 512, "micro": 1024, "small": 2048, "medium": 4096, "large": 8192, "xlarge": 16384, "2xlarge": 32768,
}

// familiesByName returns the families by name. byMemory has their sizes, by the memory for each vCPU
// and by name.
func familiesByName(byMemory map[int]map[string][]string) map[string]family {
	byName := map[string]family{}
	for mib, sizesByName := range byMemory {
		for name, sizes := range sizesByName {
			byName[name] = family{mib, sizes}
		}
	}
	return byName
}

// LookupHardware returns the hardware of an instance type such as "m7g.xlarge".
func LookupHardware(instance string) (Hardware, error) {
	name, sizeName, _ := strings.Cut(instance, ".")
	f, known := families[name]
	if !known {
		return Hardware{}, fmt.Errorf("instance type %q: must be of a Nitro family that the platform supports: %s", instance, strings.Join(slices.Sorted(maps.Keys(families)), ", "))
	}
	if !slices.Contains(f.sizes, sizeName) {
		return Hardware{}, fmt.Errorf("instance type %q: family %s has the sizes %s", instance, name, strings.Join(f.sizes, ", "))
	}
	h := Hardware{Architecture: AMD64, Cores: cores(f, sizeName), Pods: maxPods(sizeName)}
	if isARM(instance) {
		h.Architecture = ARM64
	}
	h.Memory = size.MiB(int64(f.mibPerCore * h.Cores))
	if f.mibPerCore == 0 {
		h.Memory = size.MiB(int64(burstableMiB[sizeName]))
	}
	return h, nil
}

// cores returns the number of vCPUs of a size. xlarge has 4, and 8xlarge has 8 times as many. The
// size "metal" has as many vCPUs as the largest other size of its family. cores returns 0 for a
// name that is not a size.
func cores(f family, sizeName string) int {
	switch sizeName {
	case "nano", "micro", "small", "large":
		return 2
	case "medium":
		if f.mibPerCore == 0 {
			return 2
		}
		return 1
	case "xlarge":
		return 4
	case "metal":
		largest := 0
		for _, s := range f.sizes {
			if s != sizeName {
				largest = max(largest, cores(f, s))
			}
		}
		return largest
	}
	multiple := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(sizeName, "metal-"), "xlarge"), "xl")
	n, err := strconv.Atoi(multiple)
	if err != nil {
		return 0
	}
	return 4 * n
}

// maxPods returns the largest number of pods on an instance of a size. The first address of a
// network interface belongs to the interface itself. Each further address is a prefix of 16
// addresses for pods (EC2 User Guide, "IP addresses per network interface"). Two more pods use the
// host network.
func maxPods(sizeName string) int {
	switch sizeName {
	case "nano", "micro": // two interfaces with two addresses each
		return 2*1*16 + 2
	case "medium": // at least two interfaces with four addresses each
		return 2*3*16 + 2
	default:
		return userdata.MaxPods
	}
}

const (
	// firmwarePercent is the share of the memory that the hypervisor and the kernel keep, and that
	// the node does not report (Karpenter, "vmMemoryOverheadPercent").
	firmwarePercent = 8
	// The memory that EKS nodes keep (amazon-eks-ami, nodeadm, kubelet defaults): memory for the
	// kubelet, for each pod, and before eviction.
	kubeletMiB, perPodMiB, evictionMiB = 255, 11, 100
)

// Allocatable returns the CPU and the memory that a node has for pods. The memory is negative for a
// node with less memory than its kubelet keeps.
func (h Hardware) Allocatable() (cpu, memory resource.Quantity) {
	// The kubelet keeps 6 % of the first core, 1 % of the second core, and 0.5 % of each of the
	// next two cores. It keeps 0.25 % of each other core (amazon-eks-ami, nodeadm). reserved is in
	// tenths of millicores.
	var reserved int64
	for core := range h.Cores {
		switch {
		case core == 0:
			reserved += 600
		case core == 1:
			reserved += 100
		case core < 4:
			reserved += 50
		default:
			reserved += 25
		}
	}
	mib := h.Memory.Bytes()>>20*(100-firmwarePercent)/100 - kubeletMiB - perPodMiB*userdata.MaxPods - evictionMiB
	return *resource.NewMilliQuantity(int64(h.Cores)*1000-reserved/10, resource.DecimalSI), *resource.NewQuantity(mib<<20, resource.BinarySI)
}

// SmallestHardware returns the smallest number of cores, memory and pod limit among the fleet's
// instance types. The architecture is that of the first type.
func (f Fleet) SmallestHardware() (Hardware, error) {
	var smallest Hardware
	for i, t := range f.InstanceTypes {
		h, err := LookupHardware(t)
		if err != nil {
			return Hardware{}, err
		}
		if i == 0 {
			smallest = h
			continue
		}
		smallest.Cores, smallest.Pods = min(smallest.Cores, h.Cores), min(smallest.Pods, h.Pods)
		smallest.Memory = size.Min(smallest.Memory, h.Memory)
	}
	return smallest, nil
}
