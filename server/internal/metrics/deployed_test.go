package metrics

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"
)

var update = flag.Bool("update", false, "write deploy's dashboard and list of metrics anew from the table")

const deploy = "../../../deploy"

// The dashboard and the list that are deployed are those of the metrics that exist.
func TestDeployedFilesFollowTheTable(t *testing.T) {
	for name, want := range map[string][]byte{"grafana/doorstep.json": dashboard(t), "METRICS.md": document()} {
		path := filepath.Join(deploy, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the table of metrics makes: go test ./server/internal/metrics -update", name)
		}
	}
}

func document() []byte {
	var b strings.Builder
	b.WriteString("# Metrics\n\nWhat `metrics.address` shows at `/metrics`, besides Prometheus's own `go_*` and `process_*`. No label names anybody.\n\n| metric | kind | labels | what it says |\n| --- | --- | --- | --- |\n")
	for _, m := range List() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, strings.Join(m.Label, ", "), m.Help)
	}
	return []byte(b.String())
}

// panel is what Grafana draws of one metric.
type panel struct {
	Type        string         `json:"type"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Datasource  map[string]any `json:"datasource"`
	GridPos     map[string]int `json:"gridPos"`
	Targets     []target       `json:"targets"`
	FieldConfig map[string]any `json:"fieldConfig"`
}

type target struct {
	RefID  string `json:"refId"`
	Expr   string `json:"expr"`
	Legend string `json:"legendFormat"`
}

// dashboard has one panel for each metric.
func dashboard(t *testing.T) []byte {
	t.Helper()
	source := map[string]any{"type": "prometheus", "uid": "${datasource}"}
	var panels []panel
	for i, m := range List() {
		expr, unit := query(m)
		panels = append(panels, panel{
			Type: "timeseries", Title: strings.ReplaceAll(strings.TrimPrefix(m.Name, prefix), "_", " "), Description: m.Help, Datasource: source,
			GridPos:     map[string]int{"x": i % 3 * 8, "y": i / 3 * 7, "w": 8, "h": 7},
			Targets:     []target{{RefID: "A", Expr: expr, Legend: legend(m)}},
			FieldConfig: map[string]any{"defaults": map[string]any{"unit": unit, "min": 0}, "overrides": []any{}},
		})
	}
	b, err := json.MarshalIndent(map[string]any{
		"title": "Doorstep", "uid": "doorstep", "schemaVersion": 39, "timezone": "browser", "refresh": "1m",
		"time": map[string]string{"from": "now-24h", "to": "now"}, "panels": panels,
		"templating": map[string]any{"list": []any{
			map[string]any{"name": "datasource", "type": "datasource", "query": "prometheus"},
			map[string]any{"name": "instance", "type": "query", "datasource": source, "query": "label_values(doorstep_ready, instance)"},
		}},
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// query is how a metric is best drawn, and in which unit.
func query(m Metric) (expr, unit string) {
	const of = `{instance="$instance"}`
	by := strings.Join(m.Label, ", ")
	switch {
	case m.Kind == "histogram":
		return fmt.Sprintf("histogram_quantile(0.95, sum by (%s) (rate(%s_bucket%s[5m])))", strings.Join(append([]string{"le"}, m.Label...), ", "), m.Name, of), "s"
	case m.Kind == "counter" && by != "":
		return fmt.Sprintf("sum by (%s) (rate(%s%s[5m]))", by, m.Name, of), "ops"
	case m.Kind == "counter":
		return fmt.Sprintf("rate(%s%s[5m])", m.Name, of), "ops"
	case strings.HasSuffix(m.Name, "_timestamp_seconds"):
		return "time() - " + m.Name + of, "s"
	case strings.HasSuffix(m.Name, "_bytes"):
		return m.Name + of, "bytes"
	case strings.HasSuffix(m.Name, "_seconds"):
		return m.Name + of, "s"
	}
	return m.Name + of, "none"
}

func legend(m Metric) string {
	var parts []string
	for _, l := range m.Label {
		parts = append(parts, "{{"+l+"}}")
	}
	return strings.Join(parts, " ")
}

// rules is a file of alerts, as far as it matters here.
type rules struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

// Every alert looks at metrics that exist and has a page, and every page an alert.
func TestEveryAlertHasAPage(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(deploy, "prometheus/doorstep.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var all rules
	if err := yaml.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	pages := map[string]bool{}
	for _, r := range all.Groups[0].Rules {
		pages[r.Alert+".md"] = true
		for _, name := range regexp.MustCompile(prefix+`[a-z_]+`).FindAllString(r.Expr, -1) {
			if !slices.ContainsFunc(List(), func(m Metric) bool { return name == m.Name || m.Kind == "histogram" && name == m.Name+"_count" }) {
				t.Errorf("%s looks at %s, which is no metric", r.Alert, name)
			}
		}
		if s := r.Labels["severity"]; s != "page" && s != "day" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if want := "deploy/runbook/" + r.Alert + ".md"; r.Annotations["runbook"] != want || r.Annotations["summary"] == "" {
			t.Errorf("%s: got %v, want a summary and the page %s", r.Alert, r.Annotations, want)
		}
		page, err := os.ReadFile(filepath.Join(deploy, "runbook", r.Alert+".md"))
		if err != nil {
			t.Error(err)
		}
		for _, want := range []string{"Alert `" + r.Alert + "`.", "## What it means for practitioners\n\n", "## First\n\n    ", "## Then\n\n"} {
			if !bytes.Contains(page, []byte(want)) {
				t.Errorf("the page of %s lacks %q", r.Alert, want)
			}
		}
	}
	found, err := filepath.Glob(filepath.Join(deploy, "runbook/Doorstep*.md"))
	if err != nil || len(found) != len(pages) || len(pages) == 0 {
		t.Errorf("%d pages for %d alerts, %v", len(found), len(pages), err)
	}
}

// Prometheus's own tool takes the rules, where it is installed.
func TestPromtoolTakesTheRules(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian's package prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "doorstep.rules.yml"}, {"check", "config", "prometheus.yml"}} {
		cmd := exec.Command(tool, args...)
		cmd.Dir = filepath.Join(deploy, "prometheus")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
