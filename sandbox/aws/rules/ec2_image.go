package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// machineImage is an AMI from which the account may start instances.
type machineImage struct {
	name, architecture, ownerID, ownerAlias, created string
	public, deprecated                               bool
	// rootDevice is the name of the root device. rootGiB is the size of its snapshot.
	rootDevice string
	rootGiB    int
}

// accountImages are images that are not Amazon's, by id. They exist in every region, although on
// AWS each region has its own ids. The first two belong to the account. Another account shares the
// third one, and has deprecated it.
var accountImages = map[string]machineImage{
	"ami-0123456789abcdef0": {name: "nodes-x86_64", architecture: "x86_64", created: "2026-06-25T00:00:00.000Z", rootDevice: eksRootDevice, rootGiB: eksRootGiB},
	"ami-0123456789abcdef1": {name: "nodes-arm64", architecture: "arm64", created: "2026-06-25T00:00:00.000Z", rootDevice: eksRootDevice, rootGiB: eksRootGiB},
	"ami-0123456789abcdef2": {
		name: "shared-x86_64", architecture: "x86_64", ownerID: "210987654321", created: "2026-01-29T00:00:00.000Z", deprecated: true,
		rootDevice: "/dev/sda1", rootGiB: 100,
	},
}

// imageReleases are the dates of releases of EKS's AMIs, from public programs and
// records. AWS publishes more; add a release here to use it.
var imageReleases = []string{"20260129", "20260209", "20260224", "20260304", "20260311", "20260318", "20260625", "20260923"}

// The root device of EKS's AMIs of Amazon Linux 2023: public outputs of describe-images
// (terraform-aws-modules/terraform-aws-eks#3180), and "Root volume size" of amazon-eks-ami.
const (
	eksRootDevice = "/dev/xvda"
	eksRootGiB    = 20
)

// eksImageOwner is the account of EKS's AMIs in most regions (terraform-provider-aws#5996). A few
// regions have another one.
const eksImageOwner = "602401143452"

// eksImageName returns the name of EKS's AMI of a release.
func eksImageName(version, architecture, date string) string {
	return fmt.Sprintf("amazon-eks-node-al2023-%s-standard-%s-v%s", architecture, version, date)
}

// eksImageID returns the id of EKS's AMI of a release. The id is generated. It depends only on the
// region and the name of the release's parameter.
func eksImageID(region, version, architecture, date string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/aws/service/eks/optimized-ami/%s/amazon-linux-2023/%s/standard/%s/image_id",
		region, version, architecture, eksImageName(version, architecture, date)))
	return "ami-" + hex.EncodeToString(sum[:])[:17]
}

// findImage returns the image with an id. It knows accountImages, and the images whose ids
// getParameter returns.
func (c *Cloud) findImage(id string) (machineImage, bool) {
	if image, ok := accountImages[id]; ok {
		if image.ownerID == "" {
			image.ownerID = c.Account
		}
		return image, true
	}
	for _, version := range eksVersions {
		for _, architecture := range []string{"x86_64", "arm64"} {
			for _, date := range imageReleases {
				if eksImageID(c.Region, version, architecture, date) == id {
					return machineImage{
						name: eksImageName(version, architecture, date), architecture: architecture, ownerID: eksImageOwner, ownerAlias: "amazon",
						created: date[:4] + "-" + date[4:6] + "-" + date[6:] + "T00:00:00.000Z", public: true, rootDevice: eksRootDevice, rootGiB: eksRootGiB,
					}, true
				}
			}
		}
	}
	return machineImage{}, false
}

// getAMI implements the Pulumi function aws:ec2/getAmi. Its source is
// ec2/ec2_ami_data_source.go of terraform-provider-aws. Without includeDeprecated, EC2 shows a
// deprecated image only to its owner, unless the request names the id (EC2 User Guide, "Deprecate an
// Amazon EC2 AMI"). We assume that a filter by the id is not such a request.
func getAMI(c *Call, in Object) (Object, error) {
	filters := in.Objects("filters")
	isByID := len(filters) == 1 && filters[0].String("name") == "image-id" && len(filters[0].Strings("values")) == 1
	for _, name := range []string{"executableUsers", "mostRecent", "nameRegex", "owners", "tags", "uefiData"} {
		isByID = isByID && !in.Has(name)
	}
	if !isByID {
		return nil, errors.New("the stand-in finds images by the filter image-id with one id, and by includeDeprecated")
	}
	id := filters[0].Strings("values")[0]
	image, ok := c.findImage(id)
	if !ok || image.deprecated && image.ownerID != c.Account && !in.Bool("includeDeprecated") {
		return nil, errors.New("Your query returned no results. Please change your search criteria and try again.")
	}
	deprecation := ""
	if image.deprecated {
		deprecation = image.created
	}
	return Object{
		"id": id, "imageId": id, "arn": fmt.Sprintf("arn:%s:ec2:%s::image/%s", c.Partition, c.Region, id),
		"name": image.name, "description": "", "architecture": image.architecture, "creationDate": image.created, "deprecationTime": deprecation,
		"ownerId": image.ownerID, "imageOwnerAlias": image.ownerAlias, "imageLocation": image.ownerID + "/" + image.name, "public": image.public,
		"state": "available", "stateReason": map[string]any{"code": "UNSET", "message": "UNSET"},
		"imageType": "machine", "hypervisor": "xen", "virtualizationType": "hvm", "enaSupport": true, "sriovNetSupport": "simple", "bootMode": bootModes[image.architecture],
		"rootDeviceName": image.rootDevice, "rootDeviceType": "ebs", "rootSnapshotId": snapshotOf(id),
		"blockDeviceMappings": []any{map[string]any{"deviceName": image.rootDevice, "noDevice": "", "virtualName": "", "ebs": map[string]any{
			"delete_on_termination": "true", "encrypted": "false", "iops": "0", "snapshot_id": snapshotOf(id), "throughput": "0",
			"volume_size": strconv.Itoa(image.rootGiB), "volume_type": "gp3",
		}}},
		"imdsSupport": "v2.0", "kernelId": "", "ramdiskId": "", "lastLaunchedTime": "", "platform": "", "platformDetails": "Linux/UNIX",
		"productCodes": []any{}, "tpmSupport": "", "usageOperation": "RunInstances", "tags": map[string]any{},
	}, nil
}

// bootModes are the boot modes of Amazon Linux 2023 by architecture.
var bootModes = map[string]string{"x86_64": "uefi-preferred", "arm64": "uefi"}

// snapshotOf returns the id of the snapshot of an image's root device. The id is generated.
func snapshotOf(imageID string) string { return "snap-" + strings.TrimPrefix(imageID, "ami-") }

// graviton matches the instance types of AWS's own processors: the letter g is after the generation
// (EC2 User Guide, "Naming conventions"), and the first generation is a1.
var graviton = regexp.MustCompile(`^(?:a1|[a-z]+\d+[a-z]*(?:g|-gb)[a-z0-9-]*)\.`)

// instanceArchitecture returns the architecture of an instance type, as EC2 names it.
func instanceArchitecture(instanceType string) string {
	switch {
	case strings.HasPrefix(instanceType, "mac1."):
		return "x86_64_mac"
	case strings.HasPrefix(instanceType, "mac"):
		return "arm64_mac"
	case graviton.MatchString(instanceType):
		return "arm64"
	}
	return "x86_64"
}

// verifyImage returns an error if instances of the given types can't start with the image and the
// root volume of a launch template. The texts are from public logs of CreateAutoScalingGroup
// (eksctl-io/eksctl#8235, zalando-incubator/kubernetes-on-aws#3817); that of a missing image is
// RunInstances' text of InvalidAMIID.NotFound. The logs are of groups with one instance type. That
// AWS also compares each override of a mixed instances policy is assumed.
func (c *Call) verifyImage(template Object, instanceTypes []string) error {
	id := template.String("imageId")
	if strings.HasPrefix(id, "resolve:") {
		return nil // the id is in a parameter
	}
	image, ok := c.findImage(id)
	if !ok {
		return refuse("ValidationError", incompleteTemplate+"The image id '[%s]' does not exist", id)
	}
	for _, instanceType := range instanceTypes {
		if architecture := instanceArchitecture(instanceType); architecture != image.architecture {
			return refuse("ValidationError", incompleteTemplate+"The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI. "+
				"Specify an instance type and an AMI that have matching architectures, and try again. "+
				"You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI. (%s, %s)",
				architecture, image.architecture, instanceType, id)
		}
	}
	for _, mapping := range template.Objects("blockDeviceMappings") {
		size := mapping.Object("ebs").Int("volumeSize")
		if mapping.String("deviceName") == image.rootDevice && size > 0 && size < image.rootGiB {
			return refuse("ValidationError", incompleteTemplate+"Volume of size %dGB is smaller than snapshot '%s', expect size>= %dGB", size, snapshotOf(id), image.rootGiB)
		}
	}
	return nil
}
