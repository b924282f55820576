package secretfiles

import (
	"encoding/json"
	"fmt"
)

// wholeFileName is the file with the whole JSON value. The provider always writes this
// file in addition to the files of the fields.
const wholeFileName = "secret.json"

// object and field are the elements of the provider's parameter "objects"
// (aws/secrets-store-csi-driver-provider-aws, README, "SecretProviderClass
// options").
type object struct {
	Name   string  `json:"objectName"`
	Alias  string  `json:"objectAlias"`
	Fields []field `json:"jmesPath,omitempty"`
}

type field struct {
	Path  string `json:"path"`
	Alias string `json:"objectAlias"`
}

// objectsParameter returns the provider's parameter "objects" for one secret, which is mounted as
// FileName. The file has the field fieldName of the JSON value, or the whole value if
// fieldName is empty.
func objectsParameter(arn, fieldName string) (string, error) {
	o := object{Name: arn, Alias: FileName}
	if fieldName != "" {
		o.Alias, o.Fields = wholeFileName, []field{{Path: fieldName, Alias: FileName}}
	}
	encoded, err := json.Marshal([]object{o}) // the provider reads YAML, and JSON is valid YAML
	if err != nil {
		return "", fmt.Errorf("objects of %s: %w", arn, err)
	}
	return string(encoded), nil
}
