package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// Domain is the public zone that the account has before any stack is created:
// the `edge.zone` of the stacks staging and prod.
const Domain = "progressive-framework.example"

// CreateDirect creates an object outside of every stack, by the same rules as in a
// stack, and returns its id.
func (c *Cloud) CreateDirect(ctx context.Context, token string, list []Assignment) (id string, err error) {
	in := Object{}
	for _, a := range list {
		put(in, strings.Split(a.Path, "."), a.Value)
	}
	if in, err = c.checkInputs(token, in); err != nil {
		return "", err
	}
	id, _, err = c.Create(ctx, token, in)
	return id, err
}

// EnsureAccount creates the hosted zone of Domain, unless it exists. The zone's owner
// is the account. So the zone belongs to no stack, and `list` shows it only with
// --owned.
func (c *Cloud) EnsureAccount(ctx context.Context) error {
	in, err := c.checkInputs(zoneType, Object{"name": Domain})
	if err != nil {
		return err
	}
	// One transaction looks for the zone and creates it. So two commands at the same
	// time do not create two zones.
	return c.Store.Update(ctx, func(tx *store.Tx) error {
		call, err := c.call(ctx, tx, zoneType)
		if err != nil {
			return err
		}
		exists := false
		tx.Each(c.scope(call.Row), zoneType, func(o store.Object) bool {
			exists = sameDomain(Object(o.State).String("name"), Domain)
			return !exists
		})
		if exists {
			return nil
		}
		if err := call.create(in); err != nil {
			return call.wrapError(creating, err)
		}
		zone, _ := tx.Get(call.key())
		zone.Owner = c.Account
		tx.Put(zone)
		return nil
	})
}

// checkInputs completes the inputs of an object that no program declares. If AWS
// would refuse them, the error has every reason.
func (c *Cloud) checkInputs(token string, in Object) (Object, error) {
	name := token[strings.LastIndex(token, ":")+1:]
	in, failures, err := c.Check(CheckRequest{Token: token, Name: strings.ToLower(name), News: in})
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, f := range failures {
		failed = append(failed, fmt.Errorf("%s: %s", f.Path, f.Reason))
	}
	return in, errors.Join(failed...)
}
