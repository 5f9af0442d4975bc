package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of the import, each with its reason.
const (
	// maxFileBytes bounds one file: a borough's whole caseload is a few megabytes.
	maxFileBytes = 64 << 20
	// maxRows bounds the lines of one file, for the same reason.
	maxRows = 200_000
	// maxCellBytes bounds one cell: the longest value a change may set whole.
	maxCellBytes = 64 << 10
)

// row is one line of a file, its cells by column name.
type row struct {
	file  string
	line  int
	cells map[string]string
	probs *problems
}

func (r row) problem(column, code, plain string) {
	r.probs.add(r.file, r.line, column, code, plain)
}

// readSheet reads one file strictly: RFC 4180 quoting, UTF-8 with or without a
// byte order mark, exactly the sheet's columns in any order. Bad lines become
// problems and are left out of the result; an absent file gives no rows.
func readSheet(fsys fs.FS, s sheet, probs *problems) []row {
	data, ok := readFile(fsys, s.file, probs)
	if !ok {
		return nil
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1 // counted here, so that each bad line is named
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		probs.add(s.file, 1, "", ProblemBadHeader, "The file is empty: the first line must name the columns.")
		return nil
	}
	if err != nil {
		probs.add(s.file, 1, "", ProblemBadCSV, "The first line is not CSV: its quotes do not match.")
		return nil
	}
	if !checkHeader(s, header, probs) {
		return nil
	}
	return readRows(r, s.file, header, probs)
}

func readFile(fsys fs.FS, name string, probs *problems) ([]byte, bool) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	if err != nil {
		probs.add(name, 0, "", ProblemUnreadable, "The file could not be opened.")
		return nil, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	switch {
	case err != nil:
		probs.add(name, 0, "", ProblemUnreadable, "The file could not be read to its end.")
		return nil, false
	case len(data) > maxFileBytes:
		probs.add(name, 0, "", ProblemTooLarge, "The file is larger than 64 MiB.")
		return nil, false
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		probs.add(name, 0, "", ProblemBadText, "The file is UTF-16: save it as CSV UTF-8.")
		return nil, false
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), true
}

// checkHeader gives one problem that names every missing column. Unknown ones
// are given by their place only: a file without a header has a person there.
func checkHeader(s sheet, header []string, probs *problems) bool {
	seen := make(map[string]bool, len(header))
	var faults []string
	for i, name := range header {
		switch {
		case !s.has(name):
			faults = append(faults, "cell "+strconv.Itoa(i+1)+" is not a column of this file")
		case seen[name]:
			faults = append(faults, "the column "+name+" is named twice")
		}
		seen[name] = true
	}
	for _, c := range s.columns {
		if !seen[c.name] {
			faults = append(faults, "the column "+c.name+" is missing")
		}
	}
	if len(faults) == 0 {
		return true
	}
	probs.add(s.file, 1, "", ProblemBadHeader, "The first line must name the columns: "+strings.Join(faults, "; ")+".")
	return false
}

func readRows(r *csv.Reader, file string, header []string, probs *problems) []row {
	var rows []row
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			probs.add(file, bad.StartLine, "", ProblemBadCSV, "A quote is opened, closed or left over where CSV does not allow it.")
			continue
		}
		if err != nil {
			probs.add(file, 0, "", ProblemUnreadable, "The file could not be read to its end.")
			return rows
		}
		line, _ := r.FieldPos(0)
		if len(rows) == maxRows {
			probs.add(file, line, "", ProblemTooLarge, "The file has more than 200,000 lines.")
			return rows
		}
		if got, ok := makeRow(file, line, header, record, probs); ok {
			rows = append(rows, got)
		}
	}
}

// makeRow checks the text of a line's cells and names them.
func makeRow(file string, line int, header, record []string, probs *problems) (row, bool) {
	r := row{file: file, line: line, cells: make(map[string]string, len(header)), probs: probs}
	if len(record) != len(header) {
		r.problem("", ProblemBadCount, "The line has "+strconv.Itoa(len(record))+" cells, the first line "+strconv.Itoa(len(header))+".")
		return row{}, false
	}
	ok := true
	for i, cell := range record {
		switch {
		case !utf8.ValidString(cell):
			r.problem(header[i], ProblemBadText, "The cell is not UTF-8 text: save the file as CSV UTF-8.")
			ok = false
		case strings.ContainsRune(cell, 0):
			r.problem(header[i], ProblemBadText, "The cell contains a NUL character.")
			ok = false
		case len(cell) > maxCellBytes:
			r.problem(header[i], ProblemTooLarge, "The cell is longer than 64 KiB.")
			ok = false
		}
		r.cells[header[i]] = cell
	}
	return r, ok
}
