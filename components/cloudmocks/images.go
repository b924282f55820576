package cloudmocks

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// AMIs that the account may use, as in the AWS stand-in. AMD64Image and ARM64Image have the root
// device /dev/xvda of 20 GiB. SharedImage is for amd64, with the root device /dev/sda1 of 100 GiB.
const (
	AMD64Image  = "ami-0123456789abcdef0"
	ARM64Image  = "ami-0123456789abcdef1"
	SharedImage = "ami-0123456789abcdef2"
)

// imageResult returns the result of getAmi for a filter by the image's id.
func imageResult(args resource.PropertyMap) (resource.PropertyMap, error) {
	id := args["filters"].ArrayValue()[0].ObjectValue()["values"].ArrayValue()[0].StringValue()
	image, known := map[string]object{
		AMD64Image:  {"architecture": "x86_64", "device": "/dev/xvda", "gib": "20"},
		ARM64Image:  {"architecture": "arm64", "device": "/dev/xvda", "gib": "20"},
		SharedImage: {"architecture": "x86_64", "device": "/dev/sda1", "gib": "100"},
	}[id]
	if !known {
		return nil, errors.New("Your query returned no results. Please change your search criteria and try again.")
	}
	return resource.NewPropertyMapFromMap(object{
		"id": id, "architecture": image["architecture"], "state": "available", "virtualizationType": "hvm", "enaSupport": true,
		"rootDeviceType": "ebs", "rootDeviceName": image["device"],
		"blockDeviceMappings": []any{object{"deviceName": image["device"], "ebs": object{"volume_size": image["gib"]}}},
	}), nil
}
