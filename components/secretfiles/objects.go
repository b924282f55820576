package secretfiles

import (
	"encoding/json"
	"fmt"
)

// wholeName is the file that holds all of a JSON value; the provider writes it
// alongside the fields that the list names.
const wholeName = "secret.json"

// object and field are what the provider's list has (aws/
// secrets-store-csi-driver-provider-aws, README, "SecretProviderClass
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

// objects is the provider's parameter of that name: it mounts one secret, by its
// ARN, as FileName. The file holds the field of that name of a JSON value, or
// the whole value where no field is named.
func objects(arn, name string) (string, error) {
	o := object{Name: arn, Alias: FileName}
	if name != "" {
		o.Alias, o.Fields = wholeName, []field{{Path: name, Alias: FileName}}
	}
	list, err := json.Marshal([]object{o}) // the provider reads YAML, of which JSON is a part
	if err != nil {
		return "", fmt.Errorf("objects of %s: %w", arn, err)
	}
	return string(list), nil
}
