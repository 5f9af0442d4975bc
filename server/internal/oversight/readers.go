package oversight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/syncproto"
)

// Reader is somebody who got to see a record.
type Reader struct {
	User    syncproto.UserID
	FirstMS int64
	LastMS  int64
	Carried bool // it went to a device of theirs
}

// maxReaders bounds how much of the access log Readers looks through, in events: the
// borough's reads of about three weeks.
const maxReaders = 200_000

// Readers lists who got to see any of some records since a time, the first first. whole is
// false if the log since then is longer than is looked through. It fails with CodeForbidden
// for somebody who may not see who read these records.
func (s *Service) Readers(ctx context.Context, user syncproto.UserID, records []syncproto.RecordID, sinceMS int64) (list []Reader, whole bool, err error) {
	marks, err := s.marksFor(user, records)
	if err != nil {
		return nil, false, err
	}
	if err := s.cfg.Accesses.Flush(); err != nil {
		return nil, false, fmt.Errorf("writing the access log: %w", err)
	}
	head := s.head(true)
	from, err := s.since(sinceMS, head)
	if err != nil {
		return nil, false, err
	}
	by := map[syncproto.UserID]*Reader{}
	for at := from; at <= head && at < from+maxReaders; at++ {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		e, err := s.cfg.Accesses.Read(at)
		if err != nil {
			return nil, false, fmt.Errorf("reading the access log: %w", err)
		}
		if marks[e.Record] && shows(e.Type) {
			note(by, &e)
		}
	}
	for _, r := range by {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b Reader) int {
		return cmp.Or(cmp.Compare(a.FirstMS, b.FirstMS), slices.Compare(a.User[:], b.User[:]))
	})
	return list, head < from+maxReaders, nil
}

// shows reports whether somebody saw words by an event of a type.
func shows(t audit.Type) bool {
	return t == audit.TypeRead || t == audit.TypeHistory || t == audit.TypeDownload || t == audit.TypeExport
}

func note(by map[syncproto.UserID]*Reader, e *audit.Event) {
	r := by[e.User]
	if r == nil {
		r = &Reader{User: e.User, FirstMS: e.AtMS}
		by[e.User] = r
	}
	r.FirstMS, r.LastMS = min(r.FirstMS, e.AtMS), max(r.LastMS, e.AtMS, e.UntilMS)
	r.Carried = r.Carried || e.Type == audit.TypeDownload
}

// marksFor are what stands for records of which somebody may see who read them.
func (s *Service) marksFor(user syncproto.UserID, records []syncproto.RecordID) (map[audit.Mark]bool, error) {
	u, _ := s.cfg.Store.State().User(user)
	how := access.MayAudit(access.Role(u.Role))
	marks := map[audit.Mark]bool{}
	for _, record := range records {
		info, err := s.cfg.Store.RecordInfo(record)
		if err != nil {
			return nil, syncproto.CodeForbidden
		}
		team := how == access.OversightTeam && slices.Contains(s.cfg.Store.State().BasisOf(user, info.Family, s.cfg.Now().UnixMilli()), string(access.BasisManager))
		if how != access.OversightAll && !team {
			return nil, syncproto.CodeForbidden
		}
		marks[s.cfg.Mark(info.Family, record)] = true
	}
	delete(marks, audit.Mark{})
	return marks, nil
}

// since is the first position of the access log that may tell of a time or what came after
// it. What is gathered is written some seconds after it began.
func (s *Service) since(ms int64, head uint64) (uint64, error) {
	var broken error
	n := sort.Search(int(head), func(i int) bool {
		e, err := s.cfg.Accesses.Read(uint64(i) + 1)
		if err != nil {
			broken = err
			return true
		}
		return max(e.AtMS, e.UntilMS) >= ms
	})
	return uint64(n) + 1, broken
}
