package schema

// ProblemCode says what is wrong with a value or a record; a closed list.
type ProblemCode uint8

const (
	NoProblem   ProblemCode = 0
	WrongType   ProblemCode = 1  // not a value of the field's type
	UnknownCode ProblemCode = 2  // not a member of the code set
	OutOfBounds ProblemCode = 3  // number or time outside its bounds
	TooLong     ProblemCode = 4  // text longer than allowed, in bytes
	BadText     ProblemCode = 5  // ill-formed UTF-8
	BadDate     ProblemCode = 6  // no such day, or not written as 2026-11-21
	BadFormat   ProblemCode = 7  // check digit or letter wrong, malformed identifier
	UnknownPart ProblemCode = 8  // a part that the schema does not have
	MissingPart ProblemCode = 9  // an entry that can never be edited lacks a part
	NotWritable ProblemCode = 10 // derived: computed, never written
	Unfilled    ProblemCode = 11 // needed before finalising
	FailedCheck ProblemCode = 12 // a rule across fields does not hold
)

// Problem says what is wrong and where, never what the value was. The zero
// Problem is none. Only Complete fills in Field; Element is the place of the
// element in its collection, counted from 0, or -1.
type Problem struct {
	Code    ProblemCode
	Field   string
	Element int
	Part    string
	Check   string // FailedCheck: the check's id
	Plain   string // what the worker reads
	Warn    bool   // said, but stops nothing
}

// OK reports that there is no problem.
func (p Problem) OK() bool { return p.Code == NoProblem }

// Error returns the problem's short name and place, without content.
func (p Problem) Error() string {
	s := p.Code.String()
	for _, place := range []string{p.Field, p.Part, p.Check} {
		if place != "" {
			s += " " + place
		}
	}
	return s
}

// problemWords gives each code its short name and its words for the worker.
var problemWords = [...][2]string{
	NoProblem:   {"ok", ""},
	WrongType:   {"wrong_type", "This is not the kind of answer that belongs here."},
	UnknownCode: {"unknown_code", "Choose one of the answers in the list."},
	OutOfBounds: {"out_of_bounds", "This number or time is outside what is possible here."},
	TooLong:     {"too_long", "This text is too long. Shorten it, or put the rest in the notes."},
	BadText:     {"bad_text", "This text contains a character that cannot be kept."},
	BadDate:     {"bad_date", "This is not a real date."},
	BadFormat:   {"bad_format", "This number does not check. Look for a wrong or missing digit."},
	UnknownPart: {"unknown_part", "This form does not know one of the answers."},
	MissingPart: {"missing_part", "Fill in everything this entry needs: it cannot be changed once it is kept."},
	NotWritable: {"not_writable", "This is worked out, and cannot be filled in."},
	Unfilled:    {"unfilled", "This has not been filled in yet."},
	FailedCheck: {"failed_check", ""},
}

// String returns the code's short name.
func (c ProblemCode) String() string {
	if int(c) < len(problemWords) {
		return problemWords[c][0]
	}
	return "unknown"
}

// problem returns a problem with its standard words, of no element.
func problem(c ProblemCode) Problem {
	if c == NoProblem {
		return Problem{}
	}
	return Problem{Code: c, Element: -1, Plain: problemWords[c][1]}
}
