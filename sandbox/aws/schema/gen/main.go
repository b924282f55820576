// Command gen writes the stand-in's property tables (schema/data/*.json) from
// the source of the pulumi-aws SDK that the program is built with: every
// input with its type and whether it is required, every output, every secret
// output, and the nested types below them. Nothing in those tables is typed
// by hand.
//
// Which resources and functions are written is decided in one place: the rows
// in package rules. The command reads their tokens from the Go source.
//
// It imports the standard library alone, so that it also runs where the
// stand-in itself does not compile.
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

// sdkModule is the module whose source is read; the version is the one that
// the program's go.mod asks for.
const sdkModule = "github.com/pulumi/pulumi-aws/sdk/v6"

// programModule is the first line of the program's go.mod, by which its folder
// is found.
const programModule = "module github.com/progressive-framework/platform\n"

func main() {
	out := flag.String("out", "data", "folder that the tables are written to")
	rows := flag.String("rows", filepath.Join("..", "rules"), "folder of the rows")
	flag.Parse()
	if err := write(*rows, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write generates the tables and puts them into out; tables of services that
// have no row any more are removed.
func write(rows, out string) error {
	files, err := generate(rows)
	if err != nil {
		return err
	}
	stale, err := filepath.Glob(filepath.Join(out, "*.json"))
	if err != nil {
		return err
	}
	for _, name := range stale {
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

// generate returns the tables by file name.
func generate(rows string) (map[string][]byte, error) {
	tokens, err := tokensIn(rows)
	if err != nil {
		return nil, err
	}
	program, err := programRoot(rows)
	if err != nil {
		return nil, err
	}
	root, version, err := sdkRoot(program)
	if err != nil {
		return nil, err
	}
	sdk := newSDK(filepath.Join(root, "go", "aws"))
	tables := map[string]*table{}
	in := func(module string) *table {
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
	if err := sdk.provider(in("index")); err != nil {
		return nil, err
	}
	for _, token := range tokens {
		module, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
		if err := sdk.add(in(module), module, token); err != nil {
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

// programRoot walks up from dir to the folder of the program's go.mod.
func programRoot(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := abs; ; at = filepath.Dir(at) {
		raw, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && bytes.HasPrefix(raw, []byte(programModule)) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no folder above %s holds the program's go.mod (%s)", abs, strings.TrimSpace(programModule))
		}
	}
}

// sdkRoot returns the folder and version of the SDK that the program in dir
// asks for; where the module cache lacks it, it is downloaded.
func sdkRoot(dir string) (root, version string, err error) {
	list := func(args ...string) ([]byte, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		// The sandbox is built with other flags than the program; only the
		// program's own go.mod counts here.
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
	raw, err := list("list", "-m", "-json", sdkModule)
	if err != nil {
		return "", "", err
	}
	if err := json.Unmarshal(raw, &mod); err != nil {
		return "", "", fmt.Errorf("go list -m %s: %w", sdkModule, err)
	}
	if mod.Dir == "" {
		raw, err := list("mod", "download", "-json", sdkModule)
		if err != nil {
			return "", "", err
		}
		if err := json.Unmarshal(raw, &mod); err != nil {
			return "", "", fmt.Errorf("go mod download %s: %w", sdkModule, err)
		}
	}
	return mod.Dir, mod.Version, nil
}
