// Package sorting sorts in little code. The standard library's sort functions for
// any type come as a copy of some 13 KB for each type of element; in what a tablet
// downloads that was an eighth of our own code. Here only what touches elements is
// copied: the algorithm is one, and sorts their places.
package sorting

// shortRun is how many places are put in order one by one.
const shortRun = 12

// By sorts s by compare, which is negative where a comes before b. Equal elements
// stay in their order. It takes O(n log n) comparisons, n-1 where s is in order
// already, and room for a copy of s where it is not.
func By[T any](s []T, compare func(a, b *T) int) {
	places := sorted(len(s), func(i, j int) bool { return compare(&s[i], &s[j]) > 0 })
	if places == nil {
		return
	}
	from := append([]T{}, s...)
	for i, place := range places {
		s[i] = from[place]
	}
}

// Ascending sorts whole numbers. It takes O(n log n) steps, fewer where s is nearly in
// order, and room for a copy of s.
func Ascending[T ~int32](s []T) {
	for from := 0; from < len(s); from += shortRun {
		ascend(s[from:min(from+shortRun, len(s))])
	}
	if len(s) <= shortRun {
		return
	}
	sorted, into := s, make([]T, len(s))
	for run := shortRun; run < len(s); run *= 2 {
		for from := 0; from < len(s); from += 2 * run {
			middle, end := min(from+run, len(s)), min(from+2*run, len(s))
			mergeAscending(into[from:end], sorted[from:middle], sorted[middle:end])
		}
		sorted, into = into, sorted
	}
	copy(s, sorted)
}

// ascend sorts few numbers.
func ascend[T ~int32](s []T) {
	for i := 1; i < len(s); i++ {
		v, j := s[i], i
		for ; j > 0 && s[j-1] > v; j-- {
			s[j] = s[j-1]
		}
		s[j] = v
	}
}

// mergeAscending merges two sorted stretches into one.
func mergeAscending[T ~int32](into, a, b []T) {
	if len(b) == 0 || a[len(a)-1] <= b[0] {
		copy(into[copy(into, a):], b)
		return
	}
	for i := range into {
		if len(b) == 0 || len(a) > 0 && a[0] <= b[0] {
			into[i], a = a[0], a[1:]
		} else {
			into[i], b = b[0], b[1:]
		}
	}
}

// Insert puts v into s before the element at i, and returns the longer slice, as
// slices.Insert does for any number of elements, in a tenth of the code.
//
//go:noinline
func Insert[T any](s []T, i int, v T) []T {
	s = append(s, v)
	copy(s[i+1:], s[i:])
	s[i] = v
	return s
}

// sorted returns the places of n elements in the order that they belong in, nil if
// they are in it; after says whether the element at i belongs after that at j.
func sorted(n int, after func(i, j int) bool) []int {
	if inOrder(n, after) {
		return nil
	}
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	for from := 0; from < n; from += shortRun {
		insertion(places[from:min(from+shortRun, n)], after)
	}
	into := make([]int, n)
	for run := shortRun; run < n; run *= 2 {
		for from := 0; from < n; from += 2 * run {
			middle, end := min(from+run, n), min(from+2*run, n)
			merge(into[from:end], places[from:middle], places[middle:end], after)
		}
		places, into = into, places
	}
	return places
}

func inOrder(n int, after func(i, j int) bool) bool {
	for i := 1; i < n; i++ {
		if after(i-1, i) {
			return false
		}
	}
	return true
}

func insertion(places []int, after func(i, j int) bool) {
	for i := 1; i < len(places); i++ {
		for j := i; j > 0 && after(places[j-1], places[j]); j-- {
			places[j-1], places[j] = places[j], places[j-1]
		}
	}
}

// merge puts two runs into one; of equals those of a come first.
func merge(into, a, b []int, after func(i, j int) bool) {
	for i := range into {
		if len(b) == 0 || len(a) > 0 && !after(a[0], b[0]) {
			into[i], a = a[0], a[1:]
		} else {
			into[i], b = b[0], b[1:]
		}
	}
}
