package text

// pageEvents is how many events a page of the index covers.
const pageEvents = 512

type page [pageEvents]int32

// An index says which leaf the item of an insertion is in. Its pages come into
// being where there are insertions, so that deleting much at little cost does
// not take memory.
type index struct {
	first LV      // the event that page 0 begins with
	pages []*page // nil where nothing was inserted
	spare []*page
}

// reset empties the index. Events before first will not be asked for.
func (x *index) reset(first LV) {
	for _, p := range x.pages {
		if p != nil {
			x.spare = append(x.spare, p)
		}
	}
	x.first, x.pages = first, x.pages[:0]
}

// leaf returns the leaf of an item that was entered.
func (x *index) leaf(id LV) int32 {
	i := id - x.first
	return x.pages[i/pageEvents][i%pageEvents]
}

// enter notes that n items from id on are in a leaf.
func (x *index) enter(id LV, n, leaf int32) {
	for i := id - x.first; n > 0; {
		from := int32(i % pageEvents)
		part := x.page(int(i / pageEvents))[from:min(from+n, pageEvents)]
		for j := range part {
			part[j] = leaf
		}
		i += LV(len(part))
		n -= int32(len(part))
	}
}

func (x *index) page(i int) *page {
	for len(x.pages) <= i {
		x.pages = append(x.pages, nil)
	}
	if x.pages[i] == nil {
		x.pages[i] = x.take()
	}
	return x.pages[i]
}

func (x *index) take() *page {
	n := len(x.spare)
	if n == 0 {
		return new(page)
	}
	p := x.spare[n-1]
	x.spare = x.spare[:n-1]
	return p
}
