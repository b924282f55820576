package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// amiParameter matches the parameters of EKS's images:
// eks/latest/userguide/retrieve-ami-id.html.
var amiParameter = regexp.MustCompile(`^/aws/service/eks/optimized-ami/([\d.]+)/amazon-linux-2023/(x86_64|arm64)/standard/recommended/image_id$`)

// publicParameter implements getParameter: ssm/parameter_data_source.go. The image id is
// generated. It is always the same for a region, a version and an architecture.
func publicParameter(c *Call, in Object) (Object, error) {
	name := in.String("name")
	match := amiParameter.FindStringSubmatch(name)
	if match == nil {
		return nil, fmt.Errorf("parameter %q: the stand-in knows /aws/service/eks/optimized-ami/VERSION/amazon-linux-2023/ARCHITECTURE/standard/recommended/image_id, "+
			"with x86_64 and arm64", name)
	}
	if !slices.Contains(eksVersions, match[1]) {
		return nil, refuse("ParameterNotFound", "%s: EKS has images for %s", name, strings.Join(eksVersions, ", "))
	}
	sum := sha256.Sum256([]byte(c.Region + name))
	image := "ami-" + hex.EncodeToString(sum[:])[:17]
	out := Object{
		"id": name, "name": name, "type": "String", "version": 1.0, "arn": fmt.Sprintf("arn:%s:ssm:%s::parameter%s", c.Partition, c.Region, name),
		"insecureValue": image, "value": wire.Secret{Value: image},
	}
	return out, nil
}
