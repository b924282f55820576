package coordination

import "runtime/debug"

// Build is the build information of the binary. Revision and Time are the commit and its
// time. Modified is true if the sources had uncommitted changes. In images these three are
// empty. An image's digest must depend on its sources only, so images are built without the
// data of version control.
type Build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
}

// readBuild returns the build information of the running executable. It is empty if the
// executable has none.
func readBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Build{}
	}
	build := Build{Version: info.Main.Version, Go: info.GoVersion}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			build.Revision = s.Value
		case "vcs.time":
			build.Time = s.Value
		case "vcs.modified":
			build.Modified = s.Value == "true"
		}
	}
	return build
}
