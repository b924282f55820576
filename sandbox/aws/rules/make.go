package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Make creates an object outside of every stack, by the same rules as in one,
// and returns its id.
func (c *Cloud) Make(ctx context.Context, token string, list []Assignment) (id string, err error) {
	in := Object{}
	for _, a := range list {
		put(in, strings.Split(a.Path, "."), a.Value)
	}
	name := token[strings.LastIndex(token, ":")+1:]
	in, failures, err := c.Check(CheckRequest{Token: token, Name: strings.ToLower(name), News: in})
	if err != nil {
		return "", err
	}
	var failed []error
	for _, f := range failures {
		failed = append(failed, fmt.Errorf("%s: %s", f.Path, f.Reason))
	}
	if len(failed) > 0 {
		return "", errors.Join(failed...)
	}
	id, _, err = c.Create(ctx, token, in)
	return id, err
}
