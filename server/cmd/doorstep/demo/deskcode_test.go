package demo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sourceOf reads the code of a package without its tests.
func sourceOf(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("there is no code in %s: %v", folder, err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// reasonsInCode are all the reasons that package finalise gives for not doing something:
// the name of the code, and the words beside it as far as they are always the same.
func reasonsInCode(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	add := func(code, plain ast.Expr) {
		if name, ok := code.(*ast.SelectorExpr); ok { // else it is handed on from where it is named
			out[name.Sel.Name+": "+strings.Join(literals(plain), "…")] = true
		}
	}
	for _, f := range sourceOf(t, "../../../internal/finalise") {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name := ""
				switch fun := n.Fun.(type) {
				case *ast.Ident:
					name = fun.Name
				case *ast.SelectorExpr:
					name = fun.Sel.Name
				}
				if last := len(n.Args) - 1; (name == "because" || name == "detail") && last > 1 {
					add(n.Args[last-1], n.Args[last])
				}
			case *ast.CompositeLit:
				if named, ok := n.Type.(*ast.Ident); ok && named.Name == "Detail" {
					add(valueOf(n, "Code"), valueOf(n, "Plain"))
				}
			}
			return true
		})
	}
	return out
}

func valueOf(n *ast.CompositeLit, key string) ast.Expr {
	for _, e := range n.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			if name, ok := pair.Key.(*ast.Ident); ok && name.Name == key {
				return pair.Value
			}
		}
	}
	return nil
}

func literals(e ast.Expr) (out []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if words, err := strconv.Unquote(lit.Value); err == nil && words != "" {
				out = append(out, words)
			}
		}
		return true
	})
	return out
}

// statesInCode are the constants of finalise.State.
func statesInCode(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, f := range sourceOf(t, "../../../internal/finalise") {
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
				if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "State" {
					out[literals(spec.Values[0])[0]] = true
				}
			}
			return true
		})
	}
	return out
}

// actsInCode are the last parts of the addresses of all forms about a record.
func actsInCode(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, f := range sourceOf(t, "../../../internal/pages") {
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok {
				if named, ok := lit.Type.(*ast.Ident); ok && named.Name == "act" {
					out[literals(valueOf(lit, "path"))[0]] = true
				}
			}
			return true
		})
	}
	return out
}

// same reports what one list has and the other has not.
func same(t *testing.T, what string, code, table map[string]bool) {
	t.Helper()
	if len(code) < 3 {
		t.Fatalf("the code has only these %s: %v", what, code)
	}
	for c := range code {
		if !table[c] {
			t.Errorf("no row of the table covers this of the %s: %q", what, c)
		}
	}
	for c := range table {
		if !code[c] {
			t.Errorf("the table has this, but not the code's %s: %q", what, c)
		}
	}
}
