// Package plan is what the Secrets Store CSI driver is told to mount, as its
// AWS provider reads it. It is pure and knows nothing of resources.
package plan

import (
	"encoding/json"
	"fmt"
)

const (
	// FileName is the file that holds the password, the same as in a Secret of
	// a store in the cluster.
	FileName = "password"
	// wholeName is the file that holds all of a JSON value; the provider writes
	// it beside the fields that it is asked for.
	wholeName = "secret.json"
)

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

// Objects is the parameter "objects" that mounts one secret, by its ARN, as
// FileName: the field of that name of a JSON value, or the whole value where
// no field is named.
func Objects(arn, name string) (string, error) {
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
