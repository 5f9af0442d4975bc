package exchange

import (
	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// openOwnFile hands a worker's own file (store.OwnFile) to the worker once there is
// something in it: a relation like an allocation, so that it comes to their tablets and
// they can write their part.
func (o ordering) openOwnFile(c *syncproto.Change) error {
	owner, is := o.tx.State().User(syncproto.UserID(c.Body.Family))
	if !is || len(o.tx.State().RelationsWith(c.Body.Family)) > 0 {
		return nil
	}
	_, err := o.tx.Stage(store.RelationEntry{User: owner.ID, Family: c.Body.Family, Basis: string(access.BasisSelf), Grant: true})
	return err
}
