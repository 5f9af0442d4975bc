package sorting_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"doorstep/syncproto/sorting"
)

// item has a key to sort by and its place before.
type item struct{ key, was int }

func byKey(a, b *item) int { return cmp.Compare(a.key, b.key) }

func standard(s []item) { slices.SortStableFunc(s, func(a, b item) int { return byKey(&a, &b) }) }

// TestByAgreesWithTheStandardLibrary sorts every length up to some hundreds, with
// many equals and with few, and wants equals in their order.
func TestByAgreesWithTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 400 {
		for _, keys := range []int{2, 10, 1000} {
			s := make([]item, n)
			for i := range s {
				s[i] = item{rng.IntN(keys), i}
			}
			want := slices.Clone(s)
			standard(want)
			if sorting.By(s, byKey); !slices.Equal(s, want) {
				t.Fatalf("%d items of %d keys: got %v, want %v", n, keys, s, want)
			}
		}
	}
}

func TestAscendingAgreesWithTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 400 {
		for _, numbers := range []int32{1, 10, 1 << 30} {
			s := make([]int32, n)
			for i := range s {
				s[i] = rng.Int32N(numbers) - numbers/2
			}
			want := slices.Sorted(slices.Values(s))
			if sorting.Ascending(s); !slices.Equal(s, want) {
				t.Fatalf("%d numbers: got %v, want %v", n, s, want)
			}
		}
	}
}

func TestWhatIsInOrderIsLookedAtOnce(t *testing.T) {
	s := make([]int, 1000)
	calls := 0
	sorting.By(s, func(a, b *int) int { calls++; return cmp.Compare(*a, *b) })
	if calls != len(s)-1 {
		t.Errorf("%d comparisons of %d equal elements, want one less than those", calls, len(s))
	}
}

func TestInsertAgreesWithTheStandardLibrary(t *testing.T) {
	for n := range 5 {
		for i := range n + 1 {
			s := []int{0, 1, 2, 3}[:min(n, 4)]
			if i > len(s) {
				continue
			}
			want := slices.Insert(slices.Clone(s), i, 9)
			if got := sorting.Insert(slices.Clone(s), i, 9); !slices.Equal(got, want) {
				t.Errorf("inserting at %d of %d: got %v, want %v", i, len(s), got, want)
			}
		}
	}
}

func BenchmarkBy(b *testing.B) {
	for _, n := range []int{8, 100, 10_000} {
		rng := rand.New(rand.NewPCG(3, 4))
		random := make([]item, n)
		for i := range random {
			random[i] = item{rng.IntN(n), i}
		}
		for name, sort := range map[string]func([]item){"By": func(s []item) { sorting.By(s, byKey) }, "slices": standard} {
			b.Run(fmt.Sprint(name, " of ", n), func(b *testing.B) {
				for b.Loop() {
					sort(slices.Clone(random))
				}
			})
		}
	}
}
