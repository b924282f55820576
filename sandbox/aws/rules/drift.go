package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// FindToken returns the type whose token is name or ends in it, such as Subnet or
// ec2/subnet:Subnet. The types in retained are included.
func FindToken(name string) (string, error) {
	var found []string
	for _, token := range append(Tokens(), retained...) {
		if token == name || strings.HasSuffix(token, ":"+name) || token == "aws:"+name {
			found = append(found, token)
		}
	}
	switch len(found) {
	case 0:
		return "", &UnknownTypeError{name}
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s may be %s", name, strings.Join(found, " or "))
}

// FindObject returns the object of a type with an id, in any region.
func FindObject(tx *store.Tx, token, id string) (store.Object, error) {
	var found []store.Object
	var ids []string
	for _, o := range tx.All() {
		if o.Type != token {
			continue
		}
		ids = append(ids, o.ID)
		if o.ID == id {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return store.Object{}, fmt.Errorf("no %s has the id %q; there are: %s", token, id, strings.Join(ids, ", "))
	case 1:
		object, _ := tx.Get(found[0].Key)
		return object, nil
	}
	return store.Object{}, fmt.Errorf("%s %s is in %s and in %s", token, id, found[0].Region, found[1].Region)
}

// Assignment is a property, by path, and its new value.
type Assignment struct {
	Path  string
	Value any
}

// Drift changes properties of an object outside of Pulumi, as a user of the AWS
// console would. Values must fit the type and its rules; nothing else is checked.
func Drift(ctx context.Context, st *store.Store, token, id string, list []Assignment) error {
	s, row, err := schemaAndRow(token)
	if err != nil {
		return err
	}
	return st.Update(ctx, func(tx *store.Tx) error {
		object, err := FindObject(tx, token, id)
		if err != nil {
			return err
		}
		for _, a := range list {
			if err := assign(s, row, object.State, a); err != nil {
				return fmt.Errorf("%s %s: %w", token, id, err)
			}
		}
		tx.Put(object)
		return nil
	})
}

// assign sets a property in a state. It returns an error if the value does not fit the
// property's type and rules.
func assign(s *schema.Resource, row *Row, state Object, a Assignment) error {
	parts := strings.Split(a.Path, ".")
	if _, ok := s.Outputs[parts[0]]; !ok {
		return fmt.Errorf("no property %q; there are %s", parts[0], strings.Join(s.Outputs.Names(), ", "))
	}
	put(state, parts, a.Value)
	if parts[0] == "tags" && tagged(s) {
		put(state, append([]string{"tagsAll"}, parts[1:]...), a.Value)
	}
	top := Object{parts[0]: state[parts[0]]}
	if a.Value == nil && len(parts) == 1 {
		return nil
	}
	fields := schema.Fields{parts[0]: s.Outputs[parts[0]] + "?"}
	for _, problem := range schema.Inputs(fields, s.Object, top) {
		return fmt.Errorf("%s: %s", problem.Path, problem.Reason)
	}
	p, hasRule := row.Props[parts[0]]
	if !hasRule || strings.HasPrefix(fields[parts[0]], "@") || strings.HasPrefix(fields[parts[0]], "[@") {
		return nil
	}
	var failure error
	v := validator{s: s, row: row, fail: func(path, reason string, args ...any) {
		failure = fmt.Errorf("%s: %s", path, fmt.Sprintf(reason, args...))
	}}
	v.checkValue(fields[parts[0]], p, top[parts[0]], parts[0], parts[0])
	return failure
}

// put sets the value at a path and creates the maps above it. The value nil removes the
// property.
func put(o map[string]any, parts []string, value any) {
	for _, name := range parts[:len(parts)-1] {
		next, ok := o[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			o[name] = next
		}
		o = next
	}
	last := parts[len(parts)-1]
	if value == nil {
		delete(o, last)
		return
	}
	o[last] = wire.Clone(value)
}

// Vanish removes an object outside of Pulumi. It checks nothing, so other objects may
// refer to an object that no longer exists.
func Vanish(ctx context.Context, st *store.Store, token, id string) error {
	return st.Update(ctx, func(tx *store.Tx) error {
		object, err := FindObject(tx, token, id)
		if err != nil {
			return err
		}
		if slices.Contains(retained, token) {
			tx.Delete(object.Key)
			return nil
		}
		row, ok := RowOf(token)
		if !ok {
			return &UnknownTypeError{token}
		}
		c := &Call{Cloud: &Cloud{Account: object.Account, Region: object.Region}, Row: row, Tx: tx, ID: id}
		c.drop(object.Key)
		return nil
	})
}

// Orphans returns the objects that a program or a user created and that are not in
// known. known is a set of "TYPE ID", such as of the resources of a Pulumi state.
func Orphans(tx *store.Tx, known map[string]bool) []store.Object {
	return slices.DeleteFunc(tx.All(), func(o store.Object) bool { return o.Owner != "" || known[o.Type+" "+o.ID] })
}

// hiddenValue replaces a secret in output for users.
const hiddenValue = "[secret]"

// Redacted returns an object without the values that pulumi-aws marks as secret, at any
// depth.
func Redacted(o store.Object) (store.Object, error) {
	s, ok, err := schema.ResourceOf(o.Type)
	if err != nil || !ok || len(s.Secrets) == 0 {
		return o, err
	}
	o.State = wire.CloneMap(o.State)
	hide(o.State, s.Secrets)
	return o, nil
}

// hide replaces the values of the named properties, at any depth.
func hide(o map[string]any, names []string) {
	for name, v := range o {
		if slices.Contains(names, name) {
			o[name] = hiddenValue
		} else if inner, ok := v.(map[string]any); ok {
			hide(inner, names)
		}
	}
}
