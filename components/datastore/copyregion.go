package datastore

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/key"
)

// CopyRegion is another region, to which the backups of a store are copied. If the store's own
// region is lost, the store can be restored from the copies.
type CopyRegion struct {
	// Account is the stack's account with the other region.
	Account *account.Account
	// InRegion selects the AWS provider of that region.
	InRegion pulumi.ResourceOption
}

// NewKey creates the key of the copies of a store's backups, in the other region. engine is the
// store's engine in the key's description. The key stays when the stack is destroyed, unless
// discard is true.
func (r *CopyRegion) NewKey(ctx *pulumi.Context, name string, engine Engine, discard bool, parent pulumi.ResourceOption) (*key.Key, error) {
	return key.NewKey(ctx, name+"-copy", &key.Args{
		Account: r.Account, Description: "Copies of the backups of " + engine.label + " " + name, Retain: !discard,
	}, parent, r.InRegion)
}
