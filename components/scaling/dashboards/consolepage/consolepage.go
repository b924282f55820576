// Package consolepage renders dashboards as one HTML file that Prometheus itself serves as a
// console template (prometheus/prometheus, docs/visualization/consoles). The page needs no
// other process and loads nothing from other servers. A hundred lines of JavaScript draw the
// charts, because a chart library alone would be larger than MaxBytes.
package consolepage

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/components/scaling/dashboards"
)

// Name is the name of the file: the page is /consoles/index.html of Prometheus.
const Name = "index.html"

// MaxBytes is the largest size of the page. The page must be small, because it is stored in
// a ConfigMap, and people read it through a port-forward.
const MaxBytes = 60_000

//go:embed page.html
var pageTemplate string

// placeholder is the text in page.html that Render replaces with the panels.
const placeholder = `{"dashboards":[]}`

// Render returns the page with the panels of the dashboards. It returns an error if the page is
// larger than MaxBytes.
func Render(all []dashboards.Dashboard) (string, error) {
	data, err := json.Marshal(map[string]any{"dashboards": all})
	if err != nil {
		return "", fmt.Errorf("page of the dashboards: %w", err)
	}
	// The file is a Go template, in which two braces begin an action. Legends also have
	// two braces. In JSON the second brace can be written as \u007b.
	escaped := strings.ReplaceAll(string(data), "{{", `{\u007b`)
	page := strings.Replace(pageTemplate, placeholder, escaped, 1)
	if len(page) > MaxBytes {
		return "", fmt.Errorf("page of the dashboards: %d bytes, must be at most %d: remove panels", len(page), MaxBytes)
	}
	return page, nil
}
