package endtoend

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v2"
)

// alerts are the expressions of the alerts that are deployed, by name.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../../deploy/prometheus/doorstep.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range file.Groups[0].Rules {
		out[r.Alert] = r.Expr
	}
	if len(out) < 10 {
		t.Fatalf("only %d alerts were found", len(out))
	}
	return out
}

// series are the values of one scrape, by name and labels as they are written.
type series map[string]float64

// question evaluates a rule over the first and the last scrape: the part of PromQL
// that our rules use, for one server. It knows no more, and says so.
type question struct {
	rest        string
	first, last series
	now         time.Time
}

// value is a number, or its absence.
type value struct {
	v  float64
	ok bool
}

// fires reports whether a rule has a result.
func fires(t *testing.T, expr string, first, last series, now time.Time) bool {
	t.Helper()
	q := &question{rest: expr, first: first, last: last, now: now}
	got, err := q.all()
	if err == nil && strings.TrimSpace(q.rest) != "" {
		err = fmt.Errorf("%q is left over", q.rest)
	}
	if err != nil {
		t.Fatalf("the rule %q is more than this test understands: %v", expr, err)
	}
	return got.ok
}

// take removes a token from the front, if it is there.
func (q *question) take(token string) bool {
	rest, found := strings.CutPrefix(strings.TrimSpace(q.rest), token)
	if found {
		q.rest = rest
	}
	return found
}

// all is what "and" joins: the first side, if the other has a result too.
func (q *question) all() (value, error) {
	left, err := q.compared()
	for err == nil && q.take("and ") {
		var right value
		right, err = q.compared()
		left.ok = left.ok && right.ok
	}
	return left, err
}

func (q *question) compared() (value, error) {
	left, err := q.sum()
	for _, op := range []string{"==", "<", ">"} {
		if err != nil || !q.take(op) {
			continue
		}
		right, err := q.sum()
		holds := op == "==" && left.v == right.v || op == "<" && left.v < right.v || op == ">" && left.v > right.v
		return value{left.v, left.ok && right.ok && holds}, err
	}
	return left, err
}

func (q *question) sum() (value, error) {
	left, err := q.product()
	for err == nil {
		sign := 1.0
		if q.take("-") {
			sign = -1
		} else if !q.take("+") {
			break
		}
		var right value
		right, err = q.product()
		left = value{left.v + sign*right.v, left.ok && right.ok}
	}
	return left, err
}

func (q *question) product() (value, error) {
	left, err := q.factor()
	for err == nil && q.take("*") {
		var right value
		right, err = q.factor()
		left = value{left.v * right.v, left.ok && right.ok}
	}
	return left, err
}

var (
	number   = regexp.MustCompile(`^[0-9.]+`)
	selector = regexp.MustCompile(`^([a-z_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`^([a-z]+)(=~?)"([^"]*)"$`)
	window   = regexp.MustCompile(`^\[[0-9]+[mhd]\]\)`)
)

func (q *question) factor() (value, error) {
	switch {
	case q.take("time()"):
		return value{float64(q.now.UnixMilli()) / 1000, true}, nil
	case q.take("sum by (instance) ("):
		return q.closed(q.factor())
	case q.take("increase("), q.take("delta("):
		return q.grown()
	}
	q.rest = strings.TrimSpace(q.rest)
	if n := number.FindString(q.rest); n != "" {
		q.rest = q.rest[len(n):]
		v, err := strconv.ParseFloat(n, 64)
		return value{v, true}, err
	}
	found, err := q.selected()
	var out value
	for _, s := range found {
		out = value{out.v + q.last[s], true}
	}
	return out, err
}

func (q *question) closed(v value, err error) (value, error) {
	if err == nil && !q.take(")") {
		err = fmt.Errorf("no ) before %q", q.rest)
	}
	return v, err
}

// grown is by how much series grew from the first scrape to the last. As in
// Prometheus, one that was not there before has not grown.
func (q *question) grown() (value, error) {
	found, err := q.selected()
	if err != nil {
		return value{}, err
	}
	w := window.FindString(q.rest)
	if w == "" {
		return value{}, fmt.Errorf("no window before %q", q.rest)
	}
	q.rest = q.rest[len(w):]
	var out value
	for _, s := range found {
		if before, there := q.first[s]; there {
			out = value{out.v + q.last[s] - before, true}
		}
	}
	return out, nil
}

// selected are the series of the last scrape that a selector means.
func (q *question) selected() (found []string, err error) {
	q.rest = strings.TrimSpace(q.rest)
	p := selector.FindStringSubmatch(q.rest)
	if p == nil {
		return nil, fmt.Errorf("no metric in front of %q", q.rest)
	}
	q.rest = q.rest[len(p[0]):]
	for s := range q.last {
		name, labels, _ := strings.Cut(strings.TrimSuffix(s, "}"), "{")
		ok := name == p[1]
		if ok && p[2] != "" {
			ok, err = labelled(labels, p[2])
		}
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, s)
		}
	}
	return found, nil
}

// labelled reports whether the labels of a series are as a matcher wants them.
func labelled(labels, want string) (bool, error) {
	m := matcher.FindStringSubmatch(want)
	if m == nil {
		return false, fmt.Errorf("the matcher %q", want)
	}
	pattern := regexp.QuoteMeta(m[3])
	if m[2] == "=~" {
		pattern = m[3]
	}
	return regexp.MatchString(`(^|,)`+m[1]+`="`+pattern+`"`, labels)
}

func TestRulesAreUnderstood(t *testing.T) {
	first := series{"a": 1, `b{x="1"}`: 5, `b{x="2"}`: 5}
	last := series{"a": 3, `b{x="1"}`: 6, `b{x="2"}`: 9, `b{x="3"}`: 100}
	for expr, want := range map[string]bool{
		"a == 3": true, "a == 2": false, "a > 2 * 1": true, "a + 4 > 7": false, "missing < 5": false, "a > 1 and missing > 0": false,
		`b{x="2"} > 8`: true, `b{x=~"[13]"} > 105`: true, `b{x="1"} > 6`: false, "increase(a[10m]) > 1": true, "delta(a[1d]) > 2": false,
		"sum by (instance) (increase(b[10m])) > 4": true, "sum by (instance) (increase(b[10m])) > 5": false,
		"time() - a > 96": true, "time() - a > 97": false, "a > 2 and time() - a > 96": true,
	} {
		if got := fires(t, expr, first, last, time.Unix(100, 0)); got != want {
			t.Errorf("%s: got %v, want %v", expr, got, want)
		}
	}
}
