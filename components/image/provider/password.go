package provider

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Password implements ko:index:Password: a random value that stays in the stack's state. So a
// server can accept the value before a secret of Secrets Manager contains it. AWS's own generator
// returns a different value in each run of the program. Password is in this plugin, because every
// stack already has the plugin.
type Password struct{}

// Annotate names the resource.
func (p *Password) Annotate(a infer.Annotator) {
	a.SetToken("index", "Password")
	a.Describe(&p, "A random value of letters and digits. It stays the same until the resource is replaced.")
}

// PasswordInputs are the inputs of the resource ko:index:Password.
type PasswordInputs struct {
	Length int `pulumi:"length"`
}

// Annotate documents the inputs in the schema.
func (in *PasswordInputs) Annotate(a infer.Annotator) {
	a.Describe(&in.Length, "The number of letters and digits, 16 to 4096. A change replaces the value.")
}

// PasswordState is the resource's part of the stack's state. Pulumi encrypts Value.
type PasswordState struct {
	PasswordInputs
	Value string `pulumi:"value" provider:"secret"`
}

// Annotate documents the outputs in the schema.
func (s *PasswordState) Annotate(a infer.Annotator) {
	a.Describe(&s.Value, "The value.")
}

// passwordCharacters are the characters of a value. HTTP headers, URLs and AUTH commands of Redis
// can contain all of them.
const passwordCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Create generates the value. In a preview the value is unknown.
func (p *Password) Create(_ context.Context, req infer.CreateRequest[PasswordInputs]) (infer.CreateResponse[PasswordState], error) {
	resp := infer.CreateResponse[PasswordState]{ID: req.Name, Output: PasswordState{PasswordInputs: req.Inputs}}
	if req.DryRun {
		return resp, nil
	}
	if n := req.Inputs.Length; n < 16 || n > 4096 {
		return resp, fmt.Errorf("length is %d; must be 16 to 4096", n)
	}
	value := make([]byte, req.Inputs.Length)
	for i := range value {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(passwordCharacters))))
		if err != nil {
			return resp, fmt.Errorf("random value: %w", err)
		}
		value[i] = passwordCharacters[n.Int64()]
	}
	resp.Output.Value = string(value)
	return resp, nil
}
