package localaddons

import "github.com/progressive-framework/platform/sandbox/goimage"

// addon is an addon of the cluster. name is also the name of the image in its manifest.
type addon struct {
	name, manifest string
	images         []goimage.Image // in the order in which they are built
}

// pauseImage is the image of the first container of every pod. Its repository and tag must be
// equal to those of localcluster.PauseImage.
var pauseImage = newImage("pause", "pause", "sandbox")

var (
	dns     = addon{"coredns", "coredns.yaml", []goimage.Image{pauseImage, newImage("coredns", "addons/coredns")}}
	metrics = addon{"metrics-server", "metrics-server.yaml", []goimage.Image{newImage("metrics-server", "addons/metrics-server")}}
)

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
