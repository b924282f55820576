package rules

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// amiParameter matches the names of AWS's public parameters with the ids of EKS's AMIs. One
// form is for the recommended AMI (eks/latest/userguide/retrieve-ami-id.html). The other
// form is for one release (aws/karpenter-provider-aws,
// pkg/providers/amifamily/al2023.go).
var amiParameter = regexp.MustCompile(`^/aws/service/eks/optimized-ami/([\d.]+)/amazon-linux-2023/(x86_64|arm64)/standard/` +
	`(?:recommended|amazon-eks-node-al2023-(x86_64|arm64)-standard-([\d.]+)-v(\d{8}))/image_id$`)

// getParameter implements the Pulumi function aws:ssm/getParameter. Its source is
// ssm/parameter_data_source.go of terraform-provider-aws.
func getParameter(c *Call, in Object) (Object, error) {
	name := in.String("name")
	match := amiParameter.FindStringSubmatch(name)
	if match == nil {
		return nil, fmt.Errorf("parameter %q: the stand-in supports /aws/service/eks/optimized-ami/VERSION/amazon-linux-2023/ARCHITECTURE/standard/RELEASE/image_id, "+
			"with x86_64 and arm64, and with recommended or amazon-eks-node-al2023-ARCHITECTURE-standard-VERSION-vDATE", name)
	}
	version, architecture := match[1], match[2]
	if !slices.Contains(eksVersions, version) {
		return nil, refuse("ParameterNotFound", "%s: EKS has images for %s", name, strings.Join(eksVersions, ", "))
	}
	namesMatch := match[3] == architecture && match[4] == version
	date := match[5]
	if date != "" && (!namesMatch || !slices.Contains(imageReleases, date)) {
		return nil, refuse("ParameterNotFound", "%s: the name must repeat %s and %s, and the stand-in supports the releases %s",
			name, architecture, version, strings.Join(imageReleases, ", "))
	}
	imageID := eksImageID(c.Region, version, architecture, cmp.Or(date, slices.Max(imageReleases)))
	out := Object{
		"id": name, "name": name, "type": "String", "version": 1.0, "arn": fmt.Sprintf("arn:%s:ssm:%s::parameter%s", c.Partition, c.Region, name),
		"insecureValue": imageID, "value": wire.Secret{Value: imageID},
	}
	return out, nil
}
