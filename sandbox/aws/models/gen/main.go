// Command gen generates the table of AWS's constraints (models/models.json). It reads
// AWS's API models from the Go modules of the folder sdk, and the property paths from
// package rules. operations.go maps each type to the shapes of a model.
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
	"regexp"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/models"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

const (
	// module has the models, in its folder models/apis.
	module = "github.com/aws/aws-sdk-go"
	// newerModule has the current instance types, in types/enums.go.
	newerModule = "github.com/aws/aws-sdk-go-v2/service/ec2"
)

// instanceTypesKey is the key of the instance types in Table.Enums.
const instanceTypesKey = "ec2.InstanceType"

// instanceTypePattern matches the declaration of an instance type in the source of newerModule.
var instanceTypePattern = regexp.MustCompile(`(?m)^\s+InstanceType\w+\s+InstanceType = "([^"]+)"$`)

func main() {
	sdkDir := flag.String("sdk", "sdk", "folder of the go.mod that requires the models")
	out := flag.String("out", "models.json", "file that the table is written to")
	unmatched := flag.Bool("unmatched", false, "print the properties that no model describes")
	flag.Parse()
	if err := writeTable(*sdkDir, *out, *unmatched); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// writeTable generates the table and writes the table to the file out. sdkDir is the folder of
// the go.mod that requires the models. If unmatched is true, writeTable prints the properties
// that no model describes.
func writeTable(sdkDir, out string, unmatched bool) error {
	dir, version, err := downloadModule(sdkDir, module)
	if err != nil {
		return err
	}
	newerDir, newerVersion, err := downloadModule(sdkDir, newerModule)
	if err != nil {
		return err
	}
	table, missing, err := generateTable(filepath.Join(dir, "models", "apis"))
	if err != nil {
		return err
	}
	if unmatched {
		fmt.Println(strings.Join(missing, "\n"))
	}
	table.Module = module + "@" + version + ", " + newerModule + "@" + newerVersion
	types, err := os.ReadFile(filepath.Join(newerDir, "types", "enums.go"))
	if err != nil {
		return fmt.Errorf("the instance types of %s: %w", newerModule, err)
	}
	table.Enums[instanceTypesKey] = nil
	for _, match := range instanceTypePattern.FindAllSubmatch(types, -1) {
		table.Enums[instanceTypesKey] = append(table.Enums[instanceTypesKey], string(match[1]))
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(table); err != nil {
		return fmt.Errorf("encoding the table: %w", err)
	}
	if err := os.WriteFile(out, buf.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// downloadModule returns the folder and the version of a module that the go.mod in sdkDir
// requires. It downloads the module if the module cache does not have it.
func downloadModule(sdkDir, module string) (dir, version string, err error) {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = sdkDir
	raw, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", "", fmt.Errorf("go mod download %s: %w: %s", module, err, bytes.TrimSpace(exit.Stderr))
		}
		return "", "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	var downloaded struct{ Dir, Version string }
	if err := json.Unmarshal(raw, &downloaded); err != nil {
		return "", "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	return downloaded.Dir, downloaded.Version, nil
}

// generateTable returns the table, and the properties that no model describes. apis is the folder
// with all models.
func generateTable(apis string) (*models.Table, []string, error) {
	table := &models.Table{SourcesDigest: models.Digest(propertyPaths(), Mapping()), Enums: map[string][]string{}, Limits: map[string]map[string]models.Limit{}}
	var missing []string
	for _, token := range rules.Tokens() {
		d, ok := descriptions[token]
		if !ok {
			if _, ok := undescribed[token]; !ok {
				return nil, nil, fmt.Errorf("%s: no shape in operations.go describes the type, and undescribed has no reason", token)
			}
			continue
		}
		api, err := readAPI(apis, d.api)
		if err != nil {
			return nil, nil, err
		}
		for _, path := range rules.AcceptedPaths(token) {
			described, found := api.findMember(d, path)
			if !found {
				missing = append(missing, token+" "+path)
				continue
			}
			limit, constrained := api.readLimit(described, table.Enums)
			if !constrained {
				continue
			}
			if table.Limits[token] == nil {
				table.Limits[token] = map[string]models.Limit{}
			}
			table.Limits[token][path] = limit
		}
	}
	slices.Sort(missing)
	return table, missing, nil
}

// propertyPaths returns the property paths of every type in package rules, by token.
func propertyPaths() map[string][]string {
	out := map[string][]string{}
	for _, token := range rules.Tokens() {
		out[token] = rules.AcceptedPaths(token)
	}
	return out
}
