// Command gen generates the stand-in's property tables (schema/data/*.json) from the
// source of the program's pulumi-aws SDK. A table has the inputs and outputs of each type
// with their types, the secret outputs, and the nested types.
//
// The tables contain the resources and functions with a token in the source of package
// rules. The command parses that source and imports only the standard library, so it also
// works if the stand-in does not compile.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// sdkModule is the module of the pulumi-aws SDK. The go.mod of the Pulumi program defines its
// version.
const sdkModule = "github.com/pulumi/pulumi-aws/sdk/v6"

// programModule is the first line of the Pulumi program's go.mod. findProgramRoot uses it to find
// the program.
const programModule = "module github.com/progressive-framework/platform\n"

func main() {
	out := flag.String("out", "data", "folder that the tables are written to")
	rowsDir := flag.String("rows", filepath.Join("..", "rules"), "folder of the rows")
	flag.Parse()
	if err := writeTables(*rowsDir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// writeTables generates the tables in the folder out, and removes tables of services without a
// row. rowsDir is the folder of package rules.
func writeTables(rowsDir, out string) error {
	files, err := generateTables(rowsDir)
	if err != nil {
		return err
	}
	existing, err := filepath.Glob(filepath.Join(out, "*.json"))
	if err != nil {
		return err
	}
	for _, name := range existing {
		if _, ok := files[filepath.Base(name)]; ok {
			continue
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("removing a stale table: %w", err)
		}
	}
	for name, raw := range files {
		if err := os.WriteFile(filepath.Join(out, name), raw, 0o644); err != nil {
			return fmt.Errorf("writing a table: %w", err)
		}
	}
	return nil
}

// generateTables returns the content of each table, by file name. rowsDir is the folder of
// package rules.
func generateTables(rowsDir string) (map[string][]byte, error) {
	tokens, err := findTokens(rowsDir)
	if err != nil {
		return nil, err
	}
	programDir, err := findProgramRoot(rowsDir)
	if err != nil {
		return nil, err
	}
	sdkDir, version, err := locateSDK(programDir)
	if err != nil {
		return nil, err
	}
	sdk := newSDK(filepath.Join(sdkDir, "go", "aws"))
	tables := map[string]*table{}
	// ensureTable returns the table of a module. It creates the table at the first call.
	ensureTable := func(module string) *table {
		t, ok := tables[module]
		if !ok {
			t = &table{
				SDK: sdkModule + "@" + version, Resources: map[string]resource{},
				Functions: map[string]function{}, Types: map[string]fields{},
			}
			tables[module] = t
		}
		return t
	}
	if err := sdk.addProvider(ensureTable("index")); err != nil {
		return nil, err
	}
	for _, token := range tokens {
		module, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
		if err := sdk.addToken(ensureTable(module), module, token); err != nil {
			return nil, fmt.Errorf("%s: %w", token, err)
		}
	}
	files := map[string][]byte{}
	for module, t := range tables {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		if err := enc.Encode(t); err != nil {
			return nil, err
		}
		files[module+".json"] = buf.Bytes()
	}
	return files, nil
}

// findProgramRoot returns the folder with the go.mod of the Pulumi program. The result is dir or
// a folder above dir.
func findProgramRoot(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for folder := abs; ; folder = filepath.Dir(folder) {
		raw, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && bytes.HasPrefix(raw, []byte(programModule)) {
			return folder, nil
		}
		if folder == filepath.Dir(folder) { // the root of the file system
			return "", fmt.Errorf("no folder above %s has the program's go.mod (%s)", abs, strings.TrimSpace(programModule))
		}
	}
}

// locateSDK returns the folder and the version of the SDK that the program in dir requires. It
// downloads the SDK if the module cache does not have it.
func locateSDK(dir string) (sdkDir, version string, err error) {
	runGo := func(args ...string) ([]byte, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		// GOFLAGS may have -modfile with another module file. The program's go.mod must
		// be used.
		cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GOFLAGS=") })
		out, err := cmd.Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(exit.Stderr))
			}
			return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
		}
		return out, nil
	}
	var mod struct{ Dir, Version string }
	raw, err := runGo("list", "-m", "-json", sdkModule)
	if err != nil {
		return "", "", err
	}
	if err := json.Unmarshal(raw, &mod); err != nil {
		return "", "", fmt.Errorf("go list -m %s: %w", sdkModule, err)
	}
	if mod.Dir == "" {
		raw, err := runGo("mod", "download", "-json", sdkModule)
		if err != nil {
			return "", "", err
		}
		if err := json.Unmarshal(raw, &mod); err != nil {
			return "", "", fmt.Errorf("go mod download %s: %w", sdkModule, err)
		}
	}
	return mod.Dir, mod.Version, nil
}
