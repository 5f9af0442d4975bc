package pages

import (
	"regexp"
	"testing"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// Whoever reviews words in custody is not spoken to as their author: every reason whose own
// text begins with what became of "your words" in custody has another for reviewers.
func TestReviewersAreNotSpokenToAsAuthors(t *testing.T) {
	author, reviewer := &speaker{user: syncproto.UserID{1}}, &speaker{user: syncproto.UserID{2}}
	toAuthor := regexp.MustCompile(`(?i)\byou`)
	lockedAway := regexp.MustCompile(`(?i)locked away`)
	found := 0
	for code := syncproto.Code(1); code < 1000; code++ {
		if !lockedAway.MatchString(code.Plain()) {
			continue
		}
		found++
		q := &reading.InCustody{Author: author.user, Code: code}
		if got := reviewer.whyInCustody(q); toAuthor.MatchString(got) {
			t.Errorf("%v: a reviewer is told %q", code, got)
		}
		if got := author.whyInCustody(q); got != code.Plain() {
			t.Errorf("%v: the author is told %q, want %q", code, got, code.Plain())
		}
	}
	if found != len(reviewerWords) {
		t.Errorf("%d reasons lock words away, %d have words for reviewers", found, len(reviewerWords))
	}
}
