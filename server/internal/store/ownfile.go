package store

import (
	"slices"

	"doorstep/syncproto"
)

// A worker has a file of their own, for what is about them as a worker: the personal
// part of supervision, their time. It has the worker's id for a family's. Once there is
// something in it, it comes to the worker's tablets like a family that was allocated
// (package exchange); who supervises them writes in it anywhere, and reads it online.

// Footings with a worker's own file, and by which posts and roles one supervises
// (domain rules (c), "Supervision personal": a manager the team, who coordinates a
// programme its volunteers, the Head of Clinical Practice the clinicians).
const (
	basisSelf       = "SELF"
	basisSupervisor = "SUPERVISOR"

	basisManager   = "MANAGER"
	basisProgramme = "PROGRAMME"
	basisVolunteer = "VOL"

	roleHeadOfPractice = "head_of_practice"
	roleClinician      = "clinician"
)

// OwnFile is a worker's own file.
func OwnFile(worker syncproto.UserID) syncproto.FamilyID { return syncproto.FamilyID(worker) }

// ownFile is the footing that a person has with a family's id if that is a worker's own
// file; empty if it is not, or if they have none. mu is held.
func (s *State) ownFile(user syncproto.UserID, family syncproto.FamilyID, atMS int64) string {
	worker, ok := s.users[syncproto.UserID(family)]
	switch {
	case !ok:
		return ""
	case worker.ID == user:
		return basisSelf
	case s.supervises(s.users[user], worker, atMS):
		return basisSupervisor
	}
	return ""
}

func (s *State) supervises(by, worker UserEntry, atMS int64) bool {
	if by.Role == roleHeadOfPractice {
		return worker.Role == roleClinician
	}
	for p := range s.relations.posts[by.ID] {
		if p.basis == basisManager && s.relations.staff[p.team][worker.ID] > 0 && !s.relations.posts[worker.ID][p] {
			return true
		}
	}
	for family, with := range s.relations.stays[worker.ID] {
		if on(with, basisVolunteer, atMS) && on(s.relations.stays[by.ID][family], basisProgramme, atMS) {
			return true
		}
	}
	return false
}

// on reports whether a person stands on a footing with a family at a time.
func on(f *familyStays, basis string, atMS int64) bool {
	if f == nil {
		return false
	}
	bases, denied := f.bases(atMS)
	return !denied && slices.Contains(bases, basis)
}

// OwnFiles lists the own files that a person may have to do with at a time: their own,
// and those of whom they supervise, in no order.
func (s *State) OwnFiles(user syncproto.UserID, atMS int64) []syncproto.FamilyID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []syncproto.FamilyID
	for worker := range s.users {
		if s.ownFile(user, OwnFile(worker), atMS) != "" {
			out = append(out, OwnFile(worker))
		}
	}
	return out
}
