package intake

import (
	"strconv"
	"strings"
	"time"

	"doorstep/server/internal/access"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// line is a row whose cells were checked one by one. Its values are those of the
// columns that go somewhere and are filled in.
type line struct {
	row
	sheet  sheet
	key    string                // the line's own reference; empty if that is bad
	field  string                // line kinds: the collection it is an element of
	values map[string]cbor.Value // by column name
	good   bool
}

const (
	maxRefBytes  = 40  // family.reference holds as many
	maxNameBytes = 200 // as auth has it
)

// checkLine checks every cell of a row by what its column holds.
func checkLine(s sheet, r row) line {
	l := line{row: r, sheet: s, values: map[string]cbor.Value{}, good: true}
	for _, c := range s.columns { // the kind of line decides what others hold
		if c.holds == holdsLineKind {
			l.checkLineKind(c)
		}
	}
	for _, c := range s.columns {
		l.checkCell(c)
	}
	return l
}

// cell returns what a column says; blanks alone say nothing.
func (r row) cell(name string) string {
	if strings.TrimSpace(r.cells[name]) == "" {
		return ""
	}
	return r.cells[name]
}

// refuse notes a problem with a cell.
func (l *line) refuse(column, code, plain string) {
	l.good = false
	l.problem(column, code, plain)
}

func (l *line) checkLineKind(c column) {
	field, ok := lineKind(l.file, l.cell(c.name))
	if !ok && l.cell(c.name) != "" {
		l.refuse(c.name, ProblemBadCode, "This is not one of the kinds of line that the file has.")
	}
	l.field = field
}

func (l *line) checkCell(c column) {
	cell := l.cell(c.name)
	if cell == "" {
		if c.required {
			l.refuse(c.name, ProblemMissing, "This must be filled in.")
		}
		return
	}
	switch c.holds {
	case holdsKey:
		if l.checkRef(c.name, cell) {
			l.key = cell
			l.checkValue(c, cell)
		}
	case holdsRef:
		l.checkRef(c.name, cell)
		l.checkBelongs(c)
	case holdsRefs:
		for _, ref := range strings.Fields(cell) {
			l.checkRef(c.name, ref)
		}
	case holdsCodes:
		l.checkCodes(c, cell)
	case holdsName:
		if len(cell) > maxNameBytes {
			l.refuse(c.name, ProblemTooLarge, "A name is at most 200 bytes.")
		}
	case holdsRole:
		l.checkOneOf(c.name, cell, roleNames()...)
	case holdsYesNo:
		l.checkOneOf(c.name, cell, "Y", "N")
	case holdsWhyKeptOut:
		l.checkOneOf(c.name, cell, "RELATIVE", "CONFLICT")
	case holdsDay:
		if _, err := time.Parse(time.DateOnly, cell); err != nil {
			l.refuse(c.name, ProblemBadDate, "This must be a day of the calendar, written as 2026-11-21.")
		}
	case holdsValue:
		l.checkValue(c, cell)
	}
}

// checkRef: a reference is short and plain, so that it is safe anywhere.
func (l *line) checkRef(column, ref string) bool {
	if len(ref) <= maxRefBytes && strings.IndexFunc(ref, notInRef) < 0 {
		return true
	}
	l.refuse(column, ProblemBadRef, "A reference is 1 to 40 letters, digits and . _ / - without spaces.")
	return false
}

func notInRef(c rune) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return false
	}
	return !strings.ContainsRune("._/-", c)
}

func (l *line) checkOneOf(column, cell string, allowed ...string) {
	for _, a := range allowed {
		if cell == a {
			return
		}
	}
	l.refuse(column, ProblemBadCode, "This is one of: "+strings.Join(allowed, ", ")+".")
}

// checkValue checks a cell by the field that it goes to.
func (l *line) checkValue(c column, cell string) {
	if c.goes == "" || !l.checkBelongs(c) {
		return
	}
	v, code, plain := parseValue(l.fieldOf(c), cell)
	if code != "" {
		l.refuse(c.name, code, plain)
		return
	}
	l.values[c.name] = v
}

// checkBelongs refuses a cell that a line of this kind does not have. It is
// false as well when the line's kind is not known.
func (l *line) checkBelongs(c column) bool {
	switch {
	case !strings.HasPrefix(c.goes, "."):
		return true
	case l.field == "":
		return false
	case l.fieldOf(c) != nil:
		return true
	}
	l.refuse(c.name, ProblemRule, "A line of this kind leaves this column empty.")
	return false
}

func (l *line) checkCodes(c column, cell string) {
	field := l.fieldOf(c)
	for _, code := range strings.Fields(cell) {
		if _, problem, plain := parseValue(field, code); problem != "" {
			l.refuse(c.name, problem, plain)
			return
		}
	}
}

// place splits where a column goes into field and part.
func (l *line) place(c column) (field, part string) {
	field, part, _ = strings.Cut(c.goes, ".")
	if field == "" {
		field = l.field
	}
	return field, part
}

// fieldOf returns the schema's field of a column; nil if a line of this kind has none.
func (l *line) fieldOf(c column) *schema.Field {
	field, part := l.place(c)
	f, ok := kindOf(l.sheet.kind).At(field, part)
	if !ok {
		return nil
	}
	return f
}

// kindOf returns a kind that the set is written for.
func kindOf(id string) *schema.Kind {
	k, ok := schema.Newest(id)
	if !ok {
		panic("bug: no record kind " + id)
	}
	return k
}

// parseValue reads a cell as the field's type and asks the schema about it. An
// empty code means that all is well.
func parseValue(f *schema.Field, cell string) (v cbor.Value, code, plain string) {
	v = cbor.Text(cell)
	if f.Type == schema.TypeInt {
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil || n > 1<<53-1 || n < -(1<<53-1) {
			return cbor.Value{}, ProblemBadNumber, "This must be a whole number."
		}
		v = cbor.Int(n)
	}
	p := f.CheckValue(v)
	switch p.Code {
	case schema.NoProblem:
		return v, "", ""
	case schema.UnknownCode:
		return v, ProblemBadCode, "This is not a code of the column" + codeList(f) + "."
	case schema.BadDate:
		return v, ProblemBadDate, "This must be a day of the calendar, written as 2026-11-21."
	case schema.TooLong:
		return v, ProblemTooLarge, "At most " + strconv.FormatInt(f.Max, 10) + " bytes fit here."
	case schema.OutOfBounds:
		return v, ProblemBadNumber, "This is from " + strconv.FormatInt(f.Min, 10) + " to " + strconv.FormatInt(f.Max, 10) + "."
	case schema.BadFormat:
		return v, ProblemBadCheckDigit, badFormat(f.Format)
	}
	return v, ProblemBadValue, p.Plain
}

func codeList(f *schema.Field) string {
	names := make([]string, 0, len(f.Codes.All()))
	for _, c := range f.Codes.All() {
		names = append(names, c.Code)
	}
	return ": " + strings.Join(names, ", ")
}

func badFormat(f schema.Format) string {
	switch f {
	case schema.FormatUPN:
		return "This is not a unique pupil number: the check letter does not fit the digits."
	case schema.FormatNHS:
		return "This is not an NHS number: ten digits without spaces, the last of which checks the others."
	case schema.FormatLAChildID:
		return "The council's child number is at most 20 letters and digits."
	}
	return "This is not a language tag such as en, so or zh-Hant."
}

// roleNames lists the roles that a worker can have.
func roleNames() []string {
	var names []string
	for _, r := range access.Roles() {
		names = append(names, string(r))
	}
	return names
}
