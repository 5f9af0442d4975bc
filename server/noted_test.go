package server

import (
	"context"
	"reflect"
	"testing"

	"doorstep/server/internal/audit"
)

// TestEveryCommandOfAnOperatorIsALeaf calls every method of Operator, as it comes
// over the admin socket and on the data itself, with nothing in it: done or refused,
// each leaves one leaf that names it. A new method has to be noted as well.
func TestEveryCommandOfAnOperatorIsALeaf(t *testing.T) {
	b := begun(t)
	var op Operator = notedOperator{localOperator{b}}
	kind := reflect.TypeFor[Operator]()
	words := map[string]bool{}
	for i := range kind.NumMethod() {
		method := kind.Method(i)
		if method.Name == "Close" {
			continue
		}
		before := b.accesses.Tree().Size()
		in := []reflect.Value{reflect.ValueOf(context.Background())}
		for n := 1; n < method.Type.NumIn(); n++ {
			in = append(in, reflect.Zero(method.Type.In(n)))
		}
		out := reflect.ValueOf(op).MethodByName(method.Name).Call(in)
		refused := !out[len(out)-1].IsNil()
		if err := b.accesses.Flush(); err != nil {
			t.Fatal(err)
		}
		if grown := b.accesses.Tree().Size() - before; grown != 1 {
			t.Errorf("%s: %d leaves, want 1", method.Name, grown)
			continue
		}
		e, err := b.accesses.Read(before + 1)
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != audit.TypeOperator || e.Word == "" || words[e.Word] || (e.Code != 0) != refused {
			t.Errorf("%s, refused %v: noted as %+v", method.Name, refused, e)
		}
		words[e.Word] = true
	}
	if len(words) != kind.NumMethod()-1 {
		t.Errorf("%d words for %d methods", len(words), kind.NumMethod()-1)
	}
}
