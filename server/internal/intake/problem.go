package intake

import (
	"slices"
	"strings"
)

// Problem codes: why a line, or a whole file, was not taken.
const (
	ProblemUnknownFile   = "unknown_file" // a CSV file that is not of the set
	ProblemNoFiles       = "no_files"     // none of the set's files is there
	ProblemUnreadable    = "unreadable"   // the file cannot be read
	ProblemTooLarge      = "too_large"    // over a limit of size or count
	ProblemBadCSV        = "bad_csv"      // quotes that RFC 4180 does not allow
	ProblemBadText       = "bad_text"     // not UTF-8, or a NUL
	ProblemBadHeader     = "bad_header"   // columns missing, unknown or named twice
	ProblemBadCount      = "bad_count"    // a line with too many or too few cells
	ProblemMissing       = "missing"      // a cell that must be filled is empty
	ProblemBadRef        = "bad_ref"      // not a reference
	ProblemBadDate       = "bad_date"     // not a date of the form 2026-11-21
	ProblemBadCode       = "bad_code"     // not one of the column's codes
	ProblemBadNumber     = "bad_number"   // not a whole number, or out of range
	ProblemBadValue      = "bad_value"    // anything else that the record kind refuses
	ProblemBadCheckDigit = "bad_check"    // UPN or NHS number that cannot be right
	ProblemDuplicate     = "duplicate"    // the same thing said on two lines
	ProblemUnknownRef    = "unknown_ref"  // a reference to nothing
	ProblemWrongFamily   = "wrong_family" // a person of another family
	ProblemRule          = "rule"         // a rule between cells or lines is broken
	ProblemMoved         = "moved"        // a line that says what an earlier run contradicts
	ProblemTaken         = "taken"        // a login or identifier that somebody else has
	ProblemChanged       = "changed_role" // a worker's role or login cannot be changed by a file
)

// Problem is one reason why nothing was imported. Column is the column's name
// in the header; empty when the problem is the line's or the file's. Plain never
// repeats what a cell says: reports are mailed about, and cells are about people.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // 1 is the header; 0: the whole file
	Column string `json:"column,omitempty"`
	Code   string `json:"code"`
	Plain  string `json:"plain"`
}

// problems gathers what is wrong with a run.
type problems struct {
	list []Problem
}

// maxProblems bounds a report: whoever fixes the first thousand runs it again.
const maxProblems = 1000

func (p *problems) add(file string, line int, column, code, plain string) {
	if len(p.list) < maxProblems {
		p.list = append(p.list, Problem{File: file, Line: line, Column: column, Code: code, Plain: plain})
	}
}

// sorted returns the problems by file, line and column.
func (p *problems) sorted() []Problem {
	out := slices.Clone(p.list)
	slices.SortStableFunc(out, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Column, b.Column)
	})
	return out
}
