// Package imagetag owns the form of the tags of images: OWNER-DIGEST. The image provider sets
// them, and the lifecycle policy of a repository selects images by them.
package imagetag

const (
	// Promoted begins the tag of a promoted image.
	Promoted = "promoted-"
	// Digits is the number of digits of the digest in a tag. They are enough to
	// distinguish the tags of one image.
	Digits = 12
)

// OwnerPrefix returns the beginning of a tag that all images of one resource have: OWNER- of
// OWNER-DIGEST. It is empty if the tag has another form.
func OwnerPrefix(tag string) string {
	digest := len(tag) - Digits
	if digest < 2 || tag[digest-1] != '-' {
		return ""
	}
	return tag[:digest]
}
