package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// Domain is the name of the public hosted zone that the account has before any stack is
// created. The stacks staging and prod set it as `edge.zone`.
const Domain = "progressive-framework.example"

// CreateDirect creates an object outside of every stack, and returns its id. The rules are the
// same as for an object of a stack.
func (c *Cloud) CreateDirect(ctx context.Context, token string, assignments []Assignment) (id string, err error) {
	in := Object{}
	for _, a := range assignments {
		setAtPath(in, strings.Split(a.Path, "."), a.Value)
	}
	if in, err = c.checkInputs(token, in); err != nil {
		return "", err
	}
	id, _, err = c.Create(ctx, token, in)
	return id, err
}

// The roles that the account has before any stack is created.
const (
	// OperatorsRole is the role of the clusters' administrators. The stacks set it as
	// `cluster.admins`.
	OperatorsRole = "platform-operators"
	// DeployerRole is the role that `pulumi up` assumes if a stack sets `aws:assumeRole`.
	DeployerRole = "platform-deployer"
)

// accountTrust is the trust policy of OperatorsRole and DeployerRole: every identity of
// the account may assume them.
const accountTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::` + Account + `:root"}}]}`

// EnsureAccount creates the hosted zone of Domain and the roles, unless they exist. The account
// is the owner of these objects, because they belong to no stack. So `sandbox aws list` shows
// these objects only with --owned.
func (c *Cloud) EnsureAccount(ctx context.Context) error {
	for _, o := range []struct {
		token string
		in    Object
	}{
		{zoneType, Object{"name": Domain}},
		{roleType, Object{"name": OperatorsRole, "assumeRolePolicy": accountTrust}},
		{roleType, Object{"name": DeployerRole, "assumeRolePolicy": accountTrust}},
	} {
		if err := c.ensureObject(ctx, o.token, o.in); err != nil {
			return err
		}
	}
	return nil
}

// ensureObject creates an object of the account, unless an object of the same type and name
// exists.
func (c *Cloud) ensureObject(ctx context.Context, token string, in Object) error {
	in, err := c.checkInputs(token, in)
	if err != nil {
		return err
	}
	// The search and the creation are in one transaction. Otherwise two commands at the
	// same time could create two objects.
	return c.Store.Update(ctx, func(tx *store.Tx) error {
		call, err := c.newCall(ctx, tx, token)
		if err != nil {
			return err
		}
		exists := false
		tx.Each(c.scope(call.Row), token, func(o store.Object) bool {
			exists = sameDomain(Object(o.State).String("name"), in.String("name"))
			return !exists
		})
		if exists {
			return nil
		}
		if err := call.create(in); err != nil {
			return call.wrapError(creating, err)
		}
		created, _ := tx.Get(call.key())
		created.Owner = c.Account
		tx.Put(created)
		return nil
	})
}

// checkInputs checks the inputs of an object that no Pulumi program declares, and
// returns the completed inputs. The error lists every refused property.
func (c *Cloud) checkInputs(token string, in Object) (Object, error) {
	name := token[strings.LastIndex(token, ":")+1:]
	in, failures, err := c.Check(CheckRequest{Token: token, Name: strings.ToLower(name), News: in})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, f := range failures {
		errs = append(errs, fmt.Errorf("%s: %s", f.Path, f.Reason))
	}
	return in, errors.Join(errs...)
}
