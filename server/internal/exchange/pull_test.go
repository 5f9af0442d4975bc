package exchange_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// fill writes n visits of a family and syncs.
func (d *tablet) fill(family syncproto.FamilyID, n int) {
	d.w.t.Helper()
	for range n {
		d.write(edit{family: family, record: newID[syncproto.RecordID](d.w), ops: place("HOME")})
	}
	d.sync()
}

// count is how many changes of a family the tablet holds.
func (d *tablet) count(family syncproto.FamilyID) int {
	n := 0
	for _, c := range d.changes {
		if c.Body.Family == family {
			n++
		}
	}
	return n
}

// pages pulls in small pages, doing something after the first, and returns how
// many there were.
func (d *tablet) pages(size uint64, after func()) int {
	d.w.t.Helper()
	for n := 1; ; n++ {
		q := d.request()
		q.PageSize = size
		reply := d.mustAsk(q)
		if n == 1 && after != nil {
			after()
		}
		if !reply.More {
			return n
		}
		if n > 10_000 {
			d.w.t.Fatal("a pull does not end")
		}
	}
}

func TestFreshDeviceGetsEverythingInPages(t *testing.T) {
	w, family, ada := case1(t)
	other := newID[syncproto.FamilyID](w)
	w.relate(ada.user, other, "CO")
	for range 5 {
		ada.fill(family, 7)
		ada.fill(other, 3)
	}
	for _, size := range []uint64{0, 1, 300, 2_000, 1 << 20} {
		fresh := w.tablet(ada.user)
		n := fresh.pages(size, nil)
		if fresh.count(family) != 35 || fresh.count(other) != 15 {
			t.Errorf("page size %d: got %d and %d changes", size, fresh.count(family), fresh.count(other))
		}
		if size == 1 && n < 50 {
			t.Errorf("pages of one row: got %d pages", n)
		}
	}
}

func TestItemsComeInJournalOrder(t *testing.T) {
	w, family, ada := case1(t)
	other := newID[syncproto.FamilyID](w)
	w.relate(ada.user, other, "CO")
	for range 4 {
		ada.fill(family, 2)
		ada.fill(other, 2)
	}
	fresh := w.tablet(ada.user)
	last := uint64(0)
	for _, it := range fresh.mustAsk(fresh.request()).Items {
		if it.Type != syncproto.ItemChange {
			continue
		}
		if it.Position <= last {
			t.Fatalf("position %d after %d", it.Position, last)
		}
		last = it.Position
	}
	if last == 0 {
		t.Fatal("no changes")
	}
}

func TestGrantBringsTheWholeHistory(t *testing.T) {
	for _, size := range []uint64{0, 1, 500} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w, family, ada := case1(t)
			bea := w.coworker(newID[syncproto.FamilyID](w))
			ada.fill(family, 20)
			bea.sync()
			if bea.count(family) != 0 {
				t.Fatal("a stranger holds the family")
			}
			w.relate(bea.user, family, "CO")
			// News arrives while the back-fill is on its way.
			bea.pages(size, func() { ada.fill(family, 5) })
			bea.sync()
			if got := bea.count(family); got != 25 || bea.families[family] != "CO" {
				t.Errorf("got %d changes on basis %q, want 25", got, bea.families[family])
			}
		})
	}
}

func TestSecondGrantDuringABackfill(t *testing.T) {
	w, family, ada := case1(t)
	other := newID[syncproto.FamilyID](w)
	w.relate(ada.user, other, "CO")
	ada.fill(family, 10)
	ada.fill(other, 10)
	bea := w.coworker(newID[syncproto.FamilyID](w))
	bea.sync()
	w.relate(bea.user, family, "CO")
	bea.pages(1, func() { w.relate(bea.user, other, "LEAD") })
	if bea.count(family) != 10 || bea.count(other) != 10 {
		t.Errorf("got %d and %d changes, want 10 each", bea.count(family), bea.count(other))
	}
}

func TestRevocationDuringABackfill(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 10)
	bea := w.coworker(newID[syncproto.FamilyID](w))
	bea.sync()
	w.relate(bea.user, family, "CO")
	bea.pages(1, func() { w.part(bea.user, family, "CO") })
	if bea.count(family) != 0 || bea.families[family] != "" {
		t.Errorf("after the revocation: %d changes, basis %q", bea.count(family), bea.families[family])
	}
}

// TestManyGrantsAtOnce gives more families than a cursor can name.
func TestManyGrantsAtOnce(t *testing.T) {
	w, family, ada := case1(t)
	team := store.TeamID{9}
	var families []syncproto.FamilyID
	for range 150 {
		f := newID[syncproto.FamilyID](w)
		families = append(families, f)
		w.commit(store.FamilyTeamEntry{Family: f, Team: team}, store.RelationEntry{User: ada.user, Family: f, Basis: "CO", Grant: true})
	}
	for _, f := range families {
		ada.write(edit{family: f, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	}
	ada.sync()
	manager := w.tablet(w.person("manager"))
	w.commit(store.FamilyTeamEntry{Family: family, Team: store.TeamID{8}}, store.TeamEntry{User: manager.user, Team: store.TeamID{8}, Basis: "MANAGER", Grant: true})
	ada.fill(family, 3)
	manager.sync()
	w.commit(store.TeamEntry{User: manager.user, Team: team, Basis: "MANAGER", Grant: true})
	manager.pages(1, nil)
	if len(manager.cursor) > syncproto.MaxCursorBytes {
		t.Errorf("a cursor of %d bytes", len(manager.cursor))
	}
	if len(manager.families) != 151 || len(manager.changes) != 153 {
		t.Errorf("got %d families, %d changes; want 151 and 153", len(manager.families), len(manager.changes))
	}
	w.commit(store.TeamEntry{User: manager.user, Team: team, Basis: "MANAGER"})
	manager.sync()
	if len(manager.families) != 1 || len(manager.changes) != 3 {
		t.Errorf("after leaving the team: %d families, %d changes; want 1 and 3", len(manager.families), len(manager.changes))
	}
}

func TestTeamChangesOfAFamilyAreGrantsAndRevocations(t *testing.T) {
	w, family, ada := case1(t)
	coordinator := w.tablet(w.person("coordinator"))
	w.commit(store.TeamEntry{User: coordinator.user, Team: store.TeamID{1}, Basis: "COORD", Grant: true})
	ada.fill(family, 4)
	coordinator.sync()
	if coordinator.count(family) != 0 {
		t.Fatal("another team's family was handed out")
	}
	w.commit(store.FamilyTeamEntry{Family: family, Team: store.TeamID{1}})
	coordinator.sync()
	if coordinator.count(family) != 4 || coordinator.families[family] != "COORD" {
		t.Errorf("after the family joined the team: %d changes, basis %q", coordinator.count(family), coordinator.families[family])
	}
	w.commit(store.FamilyTeamEntry{Family: family, Team: store.TeamID{2}})
	coordinator.sync()
	if coordinator.count(family) != 0 {
		t.Error("the family stayed after it left the team")
	}
}

func TestDenialAndLostRoleEndAccess(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 3)
	w.relate(ada.user, family, "DENIED")
	ada.sync()
	if ada.count(family) != 0 {
		t.Error("somebody kept out of the family kept it")
	}
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ada.sync()
	ada.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
	w.part(ada.user, family, "DENIED")
	ada.sync()
	if ada.count(family) != 3+1 {
		t.Errorf("after the denial ended: %d changes", ada.count(family))
	}
	person, _ := w.b.Store.State().User(ada.user)
	person.Role = "it"
	w.commit(person)
	ada.sync()
	if ada.count(family) != 0 {
		t.Error("IT staff hold content")
	}
	person.Role = "practitioner"
	w.commit(person)
	ada.sync()
	if ada.count(family) != 3 {
		t.Errorf("back as a practitioner: %d changes, want 3", ada.count(family))
	}
}

func TestRevocationNeverLetsContentThrough(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 3)
	stranger := w.tablet(w.person("practitioner"))
	it := w.tablet(w.person("it"))
	w.relate(it.user, family, "LEAD")
	for _, d := range []*tablet{stranger, it} {
		if reply := d.sync(); len(reply.Items) != 0 {
			t.Errorf("got %d items, want none", len(reply.Items))
		}
	}
}

// TestRandomRelationsConverge grants, revokes, writes and pulls at random: in the
// end each tablet holds exactly what its user may.
func TestRandomRelationsConverge(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			w := newTown(t)
			writer := w.person("practitioner")
			var families []syncproto.FamilyID
			for range 4 {
				f := newID[syncproto.FamilyID](w)
				families = append(families, f)
				w.relate(writer, f, "LEAD")
				w.commit(store.FamilyTeamEntry{Family: f, Team: store.TeamID{byte(1 + rng.IntN(2))}})
			}
			ada := w.tablet(writer)
			readers := []*tablet{w.tablet(w.person("practitioner")), w.tablet(w.person("manager")), w.tablet(w.person("coordinator"))}
			for range 120 {
				f := families[rng.IntN(len(families))]
				d := readers[rng.IntN(len(readers))]
				grant := rng.IntN(2) == 0
				switch rng.IntN(6) {
				case 0:
					w.commit(store.RelationEntry{User: readers[0].user, Family: f, Basis: []string{"LEAD", "CO"}[rng.IntN(2)], Grant: grant})
				case 1:
					basis := map[*tablet]string{readers[1]: "MANAGER", readers[2]: "COORD", readers[0]: "CO"}[d]
					w.commit(store.TeamEntry{User: d.user, Team: store.TeamID{byte(1 + rng.IntN(2))}, Basis: basis, Grant: grant})
				case 2:
					w.commit(store.FamilyTeamEntry{Family: f, Team: store.TeamID{byte(rng.IntN(3))}})
				case 3, 4:
					ada.fill(f, 1+rng.IntN(3))
				case 5:
					q := d.request()
					q.PageSize = uint64(rng.IntN(1_500))
					if reply, err := d.ask(q); err != nil {
						t.Fatal(err)
					} else if rng.IntN(3) > 0 { // else the reply is lost
						d.take(reply)
					}
				}
			}
			w.restart()
			want := map[syncproto.FamilyID]int{}
			for _, c := range ada.changes {
				want[c.Body.Family]++
			}
			for _, d := range readers {
				d.sync()
				for _, f := range families {
					held := len(w.b.Store.State().BasisOf(d.user, f, w.nowMS)) > 0
					got := d.count(f)
					if held && got != want[f] || !held && got != 0 {
						t.Errorf("held %v: tablet has %d of %d changes", held, got, want[f])
					}
					if _, told := d.families[f]; told != held {
						t.Errorf("held %v, but the tablet was told %v", held, told)
					}
				}
			}
		})
	}
}

func TestRebuiltIndexHandsOutTheSame(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 5)
	bea := w.tablet(ada.user)
	bea.sync()
	w.ledger.Close()
	w.b.Close()
	if err := os.RemoveAll(w.b.Index()); err != nil {
		t.Fatal(err)
	}
	w.restart()
	bea.sync() // its cursor still holds
	again := w.tablet(ada.user)
	again.sync()
	if !maps.EqualFunc(bea.changes, again.changes, func(a, b *syncproto.Change) bool { return bytes.Equal(a.Raw, b.Raw) }) {
		t.Error("another device got another history")
	}
}

// BenchmarkPullOne measures a pull of one new record in stores of several sizes:
// it must not grow with them.
func BenchmarkPullOne(b *testing.B) {
	for _, size := range []int{1_000, 8_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w, family, ada := case1(b)
			bea := w.coworker(family)
			for range size / 500 {
				ada.fill(family, 500)
			}
			bea.sync()
			ada.fill(family, 1)
			q := bea.request()
			b.ResetTimer()
			for range b.N {
				reply, err := w.x.Sync(context.Background(), bea.caller(), q)
				if err != nil || len(reply.Items) != 1 {
					b.Fatalf("got %+v, %v", reply, err)
				}
			}
		})
	}
}
