package localaddons

import "github.com/progressive-framework/platform/sandbox/goimage"

const (
	corednsName       = "coredns"
	metricsServerName = "metrics-server"
)

// pauseImage is the image of the first container of every pod. Its repository and tag must be
// equal to those of localcluster.PauseImage.
var pauseImage = newImage("pause", "pause", "sandbox")

// images are all images, in the order in which they are built.
var images = []goimage.Image{
	pauseImage,
	newImage(corednsName, "addons/coredns"),
	newImage(metricsServerName, "addons/metrics-server"),
}

// modulePath is the path of this Go module.
const modulePath = "github.com/progressive-framework/platform/sandbox"

// newImage returns the image of the command in the subfolder name of this package.
func newImage(name, repository string, tags ...string) goimage.Image {
	folder := "localaddons/" + name
	return goimage.Image{
		Name: name, ImportPath: modulePath + "/" + folder, Module: "sandbox", Sources: folder,
		Repository: repository, Tags: tags,
	}
}
