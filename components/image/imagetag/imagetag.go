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
// OWNER-DIGEST. It returns "" if the tag has another form.
func OwnerPrefix(tag string) string {
	digestStart := len(tag) - Digits
	if digestStart < 2 || tag[digestStart-1] != '-' {
		return ""
	}
	return tag[:digestStart]
}
