package reading

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// InCustody is one change that waits for a reviewer, or that one keeps locked away:
// where it came from, how large it is and why it is there. Its words are in Words
// alone, for who may review it.
type InCustody struct {
	Change     syncproto.ChangeID
	Family     syncproto.FamilyID // whose file it belongs to
	Record     syncproto.RecordID
	Kind       string
	Author     syncproto.UserID
	Device     syncproto.DeviceID
	Code       syncproto.Code // why it is there; CodeKeptAway: a reviewer keeps it so
	ReceivedMS int64
	Bytes      uint64 // as it is stored
	MayReview  bool   // the person may read it, admit it and keep it away
	ReviewedBy syncproto.UserID
	ReviewedMS int64
}

// Words is what a change in custody says, and why it was kept away.
type Words struct {
	InCustody
	Ops    []syncproto.Op // nil: it was erased
	Reason string         // of who keeps it away
}

// Custody lists what is in quarantine: for managers of the families that they
// manage, and for information governance where nobody else is there to review it.
// What waits comes first, the oldest first, and then what was kept away.
func (r *Room) Custody(_ context.Context, user syncproto.UserID) ([]InCustody, error) {
	var out []InCustody
	err := r.store.Read(func(rd *store.Reader) error {
		refs, err := r.custodyOf(rd, user)
		for _, ref := range refs {
			out = append(out, r.inCustody(user, ref))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing what is in custody: %w", err)
	}
	sortCustody(out)
	return out, nil
}

// AllCustody lists everything in quarantine, for whoever runs the server: MayReview
// says whether anybody is there to review it.
func (r *Room) AllCustody() ([]InCustody, error) {
	var out []InCustody
	err := r.store.Read(func(rd *store.Reader) error {
		refs, err := rd.AllQuarantined()
		for _, ref := range refs {
			c := r.inCustody(syncproto.UserID{}, ref)
			c.MayReview = r.hasReviewer(ref)
			out = append(out, c)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing what is in custody: %w", err)
	}
	sortCustody(out)
	return out, nil
}

func sortCustody(list []InCustody) {
	slices.SortStableFunc(list, func(a, b InCustody) int {
		return cmp.Or(cmp.Compare(keptLast(a), keptLast(b)), cmp.Compare(a.ReceivedMS, b.ReceivedMS))
	})
}

func keptLast(c InCustody) int {
	if c.Code == syncproto.CodeKeptAway {
		return 1
	}
	return 0
}

// custodyOf returns what a person may know of that is in quarantine.
func (r *Room) custodyOf(rd *store.Reader, user syncproto.UserID) ([]store.ChangeRef, error) {
	var out []store.ChangeRef
	for _, h := range r.store.State().Access(user, r.now().UnixMilli()).Holdings {
		if !slices.Contains(h.Bases, string(access.BasisManager)) {
			continue
		}
		refs, err := r.custodyOfFile(rd, h.Family)
		if err != nil {
			return nil, err
		}
		out = append(out, refs...)
	}
	if !r.standsIn(user) {
		return out, nil
	}
	all, err := rd.AllQuarantined()
	for _, ref := range all {
		if !r.hasReviewer(ref) {
			out = append(out, ref)
		}
	}
	return out, err
}

// custodyOfFile returns what is in quarantine of a family's file: of the family's records,
// but for those that were moved to another file, and of those that were moved to this one.
func (r *Room) custodyOfFile(rd *store.Reader, family syncproto.FamilyID) ([]store.ChangeRef, error) {
	from := []syncproto.FamilyID{family}
	for _, e := range r.store.State().Misfiles() {
		if !slices.Contains(from, e.Family) && r.store.State().FileOf(e.Family, e.Record) == family {
			from = append(from, e.Family)
		}
	}
	var out []store.ChangeRef
	for _, f := range from {
		refs, err := rd.Quarantined(f)
		if err != nil {
			return nil, err
		}
		out = append(out, slices.DeleteFunc(refs, func(ref store.ChangeRef) bool {
			return r.store.State().FileOf(ref.Family, ref.Record) != family
		})...)
	}
	return out, nil
}

// CustodyWords returns a change in custody with its words. It fails with
// CodeNotFound for one that is not there, or that the person may not review.
func (r *Room) CustodyWords(_ context.Context, user syncproto.UserID, id syncproto.ChangeID) (Words, error) {
	var out Words
	err := r.store.Read(func(rd *store.Reader) error {
		ref, err := rd.Change(id)
		if errors.Is(err, store.ErrNotFound) {
			return syncproto.CodeNotFound
		}
		if err != nil {
			return err
		}
		out.InCustody = r.inCustody(user, ref)
		if ref.Status != syncproto.StatusQuarantined || ref.Placed > 0 || !out.MayReview {
			return syncproto.CodeNotFound
		}
		return r.unseal(rd, ref, &out)
	})
	if err != nil {
		return Words{}, fmt.Errorf("reading a change in custody: %w", err)
	}
	return out, nil
}

// unseal unseals the words of a change and why it was kept away, unless they are gone.
func (r *Room) unseal(rd *store.Reader, ref store.ChangeRef, out *Words) error {
	entry, err := rd.ChangeEntry(ref.Position)
	if err != nil {
		return err
	}
	ofRecord := entry.KeyPair() == store.KeyPair{Family: ref.Family, Record: ref.Record}
	if ofRecord && r.store.State().IsErased(ref.Family, ref.Record) {
		return nil
	}
	c, err := rd.Content(ref.Position)
	if err != nil {
		return err
	}
	out.Ops = append([]syncproto.Op{}, c.Body.Ops...)
	if review, ok := r.store.State().Review(ref.ID); ok && ref.Code == syncproto.CodeKeptAway {
		out.Reason, err = rd.Reason(entry, review)
	}
	return err
}

func (r *Room) inCustody(user syncproto.UserID, ref store.ChangeRef) InCustody {
	family := r.store.State().FileOf(ref.Family, ref.Record)
	c := InCustody{
		Change: ref.ID, Family: family, Record: ref.Record, Kind: ref.Kind, Author: ref.Author, Device: ref.Device, Code: ref.Code,
		ReceivedMS: ref.AtMS, Bytes: ref.Size, MayReview: user != ref.Author && r.asker(user, family).MayReview(ref.Kind),
	}
	if review, ok := r.store.State().Review(ref.ID); ok && ref.Code == syncproto.CodeKeptAway {
		c.ReviewedBy, c.ReviewedMS = review.By, review.AtMS
	}
	return c
}

// standsIn reports whether a person looks after what has no reviewer.
func (r *Room) standsIn(user syncproto.UserID) bool {
	u, known := r.store.State().User(user)
	return known && !u.Disabled && access.MayStandIn(access.Role(u.Role))
}

func (r *Room) hasReviewer(ref store.ChangeRef) bool {
	return r.store.State().Anybody(r.store.State().FileOf(ref.Family, ref.Record), r.now().UnixMilli(), func(user syncproto.UserID, s store.Standing) bool {
		return user != ref.Author && access.AskerOf(access.Standing(s)).MayReview(ref.Kind)
	})
}
