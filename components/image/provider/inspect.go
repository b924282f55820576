package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// inputError is an error of one input, with its fix. Check reports it as a failure
// of that property.
type inputError struct {
	property, reason string
}

func (e *inputError) Error() string { return e.property + ": " + e.reason }

// checkMainPackage checks that Dir is a folder, and that the import path is a main package. The go
// tool would build a library into an archive and report no error.
func (r recipe) checkMainPackage(ctx context.Context) error {
	if r.Dir != "" {
		if info, err := os.Stat(r.Dir); err != nil || !info.IsDir() {
			return &inputError{"dir", fmt.Sprintf("%q is not a folder: use a folder of the module, relative to the program", r.Dir)}
		}
	}
	output, err := runGo(ctx, r.Dir, "list", "-e", "-find", "-json=Name,Error", "--", r.ImportPath)
	if err != nil {
		return err
	}
	var mainPackage struct {
		Name  string
		Error *struct{ Err string }
	}
	if err := json.Unmarshal(output, &mainPackage); err != nil {
		return fmt.Errorf("go list %s: %w", r.ImportPath, err)
	}
	switch {
	case mainPackage.Name == "main":
		return nil // the compiler reports all other errors
	case mainPackage.Name != "":
		return &inputError{"importPath", fmt.Sprintf(
			"%s is package %s: must be a package main, so use the folder with func main", r.ImportPath, mainPackage.Name)}
	case mainPackage.Error != nil:
		return &inputError{"importPath", fmt.Sprintf("the go tool finds no package %s in %s: %s; correct importPath or dir",
			r.ImportPath, r.dirName(), strings.TrimSpace(mainPackage.Error.Err))}
	default:
		return &inputError{"importPath", fmt.Sprintf("the go tool finds no package %s in %s; correct importPath or dir",
			r.ImportPath, r.dirName())}
	}
}

// dirName describes the folder in which the go tool runs, for errors.
func (r recipe) dirName() string {
	if r.Dir == "" {
		return "the program's folder"
	}
	return r.Dir
}
