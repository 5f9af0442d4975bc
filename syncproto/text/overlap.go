package text

// An Overlap is a stretch of the merged text, from code point Start up to but
// not including End, in which two concurrent changes touch the same sentence.
// A and B are the first events of the two changes, that with the smaller
// author (agent, then sequence number) first.
type Overlap struct {
	Start, End int
	A, B       LV
}

// Overlaps returns the sentences that two concurrent changes both touch,
// ordered by place and authors.
func (l *Log) Overlaps() []Overlap { return nil }
