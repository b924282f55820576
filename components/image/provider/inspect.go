package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// inputError is a fault of one input, with its mend; Check reports it as a
// failure of that property.
type inputError struct {
	property, reason string
}

func (e *inputError) Error() string { return e.property + ": " + e.reason }

// inspect checks that the import path names a main package. The go tool alone
// would not say: it builds a library into an archive without a word.
func (r recipe) inspect(ctx context.Context) error {
	if r.Dir != "" {
		if info, err := os.Stat(r.Dir); err != nil || !info.IsDir() {
			return &inputError{"dir", fmt.Sprintf("%q is not a folder; give one inside the module, relative to the program", r.Dir)}
		}
	}
	raw, err := goTool(ctx, r.Dir, "list", "-e", "-find", "-json=Name,Error", "--", r.ImportPath)
	if err != nil {
		return err
	}
	var found struct {
		Name  string
		Error *struct{ Err string }
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return fmt.Errorf("go list %s: %w", r.ImportPath, err)
	}
	switch {
	case found.Name == "main":
		return nil // any other fault is the compiler's to tell
	case found.Name != "":
		return &inputError{"importPath", fmt.Sprintf(
			"%s is package %s, and only package main makes an image; name the folder that holds func main", r.ImportPath, found.Name)}
	case found.Error != nil:
		return &inputError{"importPath", fmt.Sprintf("the go tool finds no package %s in %s: %s; correct the path, or the dir input",
			r.ImportPath, r.where(), strings.TrimSpace(found.Error.Err))}
	default:
		return &inputError{"importPath", fmt.Sprintf("the go tool finds no package %s in %s; correct the path, or the dir input",
			r.ImportPath, r.where())}
	}
}

// where names the folder that the go tool runs in.
func (r recipe) where() string {
	if r.Dir == "" {
		return "the program's folder"
	}
	return r.Dir
}
