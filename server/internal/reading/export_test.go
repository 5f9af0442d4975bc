package reading

import "doorstep/server/internal/search"

// Remembered reports whether a word is in the memory of searches, of whatever family,
// without anything being looked up anew.
func (r *Room) Remembered(word string) bool {
	r.shelves.mu.Lock()
	defer r.shelves.mu.Unlock()
	for _, s := range r.shelves.families {
		if len(s.words.Find(search.Query(word, 1), func(int) bool { return true })) > 0 {
			return true
		}
	}
	return false
}
