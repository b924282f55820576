// Package consolepage renders dashboards as one HTML file that Prometheus itself serves as a
// console template (prometheus/prometheus, docs/visualization/consoles). It needs no
// further process and loads nothing from elsewhere. The charts are drawn by a hundred
// lines of JavaScript: a chart library alone would be as large as the page may be.
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

// MaxBytes is how large the page may be: it is read through port-forwards, and stored
// in a ConfigMap.
const MaxBytes = 60_000

//go:embed page.html
var html string

// placeholder is where page.html has the panels.
const placeholder = `{"dashboards":[]}`

// Render returns the page.
func Render(all []dashboards.Dashboard) (string, error) {
	data, err := json.Marshal(map[string]any{"dashboards": all})
	if err != nil {
		return "", fmt.Errorf("page of the dashboards: %w", err)
	}
	// The file is a template of Go, in which two braces begin an action. Legends have
	// them too, but in JSON a brace may be written as its number.
	text := strings.ReplaceAll(string(data), "{{", `{\u007b`)
	page := strings.Replace(html, placeholder, text, 1)
	if len(page) > MaxBytes {
		return "", fmt.Errorf("page of the dashboards: %d bytes, must be at most %d: remove panels", len(page), MaxBytes)
	}
	return page, nil
}
