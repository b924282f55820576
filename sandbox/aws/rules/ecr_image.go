package rules

import (
	"fmt"
	"net/http"
)

// getImage implements the Pulumi function aws:ecr/getImage: it finds an image by its tag.
// Its source is ecr/image_data_source.go of terraform-provider-aws. The function finds all
// images of the sandbox's registry, also the images that the sandbox itself pushed.
func getImage(c *Call, in Object) (Object, error) {
	name, tag := in.String("repositoryName"), in.String("imageTag")
	if name == "" || tag == "" || in.Has("imageDigest") || in.Has("mostRecent") || in.Has("registryId") {
		return nil, refuse("InvalidParameterException", "the stand-in finds an image only by repositoryName and imageTag")
	}
	status, header, err := registryClient{c.Layout}.do(c.Context, http.MethodHead, "/v2/"+name+"/manifests/"+tag, nil)
	digest := header.Get("Docker-Content-Digest")
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNotFound:
		return nil, refuse("ImageNotFoundException", "The image with imageId {imageTag:'%s'} does not exist within the repository with name '%s'", tag, name)
	case status != http.StatusOK || digest == "":
		return nil, fmt.Errorf("the sandbox's registry responded with status %d and the digest %q", status, digest)
	}
	return Object{
		"id": digest, "imageDigest": digest, "imageTag": tag, "imageTags": []any{tag}, "registryId": c.Account, "repositoryName": name,
		"imageUri": fmt.Sprintf("%s/%s@%s", c.Layout.RegistryAddress(), name, digest),
	}, nil
}
