package store

import (
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Tx is a transaction of the store. It is valid only inside the function that View or
// Update calls.
type Tx struct {
	store *Store
	ops   []op // the changes so far
}

// Get returns a copy of one object, with the changes of this transaction. exists is false if there
// is no such object.
func (tx *Tx) Get(key Key) (object Object, exists bool) {
	for _, o := range slices.Backward(tx.ops) {
		if o.Put != nil && o.Put.Key == key {
			return clone(*o.Put), true
		}
		if o.Delete != nil && *o.Delete == key {
			return Object{}, false
		}
	}
	object, exists = tx.store.objects[key.Scope][key.Type][key.ID]
	if !exists {
		return Object{}, false
	}
	return clone(object), true
}

// Each calls visit with every object of a type in a scope, in any order, until visit
// returns false. The objects are shared and must not be changed. Changes of this
// transaction are not included.
func (tx *Tx) Each(scope Scope, typ string, visit func(Object) bool) {
	for _, object := range tx.store.objects[scope][typ] {
		if !visit(object) {
			return
		}
	}
}

// EachOwned calls visit with every object of a scope that belongs to an owner, in any order.
// owner is the id of the owner. The objects are shared and must not be changed. Changes of this
// transaction are not included.
func (tx *Tx) EachOwned(scope Scope, owner string, visit func(Object)) {
	for _, ids := range tx.store.objects[scope] {
		for _, object := range ids {
			if object.Owner == owner {
				visit(object)
			}
		}
	}
}

// All returns all objects, sorted by account, region, type and id. The objects are shared
// and must not be changed. Changes of this transaction are not included.
func (tx *Tx) All() []Object {
	out := make([]Object, 0, tx.store.objectCount())
	for _, types := range tx.store.objects {
		for _, ids := range types {
			for _, object := range ids {
				out = append(out, object)
			}
		}
	}
	slices.SortFunc(out, func(a, b Object) int {
		return strings.Compare(
			a.Account+"\x00"+a.Region+"\x00"+a.Type+"\x00"+a.ID,
			b.Account+"\x00"+b.Region+"\x00"+b.Type+"\x00"+b.ID)
	})
	return out
}

// Put writes an object when the transaction ends.
func (tx *Tx) Put(object Object) { tx.ops = append(tx.ops, op{Put: &object}) }

// Delete removes an object when the transaction ends.
func (tx *Tx) Delete(key Key) { tx.ops = append(tx.ops, op{Delete: &key}) }

// clone returns a copy of an object. The copy shares no value of the state with the object.
func clone(o Object) Object {
	o.State = wire.CloneMap(o.State)
	return o
}
