// Package storetest says what is asked of a device.Store, as a suite of tests
// that every implementation runs.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
)

// Opener opens the store of a test. Called again, after Close, it opens the same
// store again, as a new process would.
type Opener func(t *testing.T) device.Store

// Run runs the suite. begin is called once a test, and returns that test's Opener.
func Run(t *testing.T, begin func(t *testing.T) Opener) {
	tests := []struct {
		name string
		run  func(t *testing.T, open Opener)
	}{
		{"an empty store has no rows", testEmpty},
		{"rows are there after reopening", testReopen},
		{"the last write of a key counts", testOverwrite},
		{"an empty value is a value", testEmptyValue},
		{"keys and values are any bytes", testAnyBytes},
		{"slices may be used again after Apply", testAliasing},
		{"a large batch is one write", testLarge},
		{"Load stops at an error and returns it", testLoadError},
		{"a closed store says so", testClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, begin(t)) })
	}
}

func testEmpty(t *testing.T, open Opener) {
	s := open(t)
	defer closing(t, s)
	want(t, s, map[string]string{})
}

func testReopen(t *testing.T, open Opener) {
	s := open(t)
	apply(t, s, row("a", "1"), row("b", "2"))
	apply(t, s, row("c", "3"), engine.Row{Key: []byte("a")})
	rows := map[string]string{"b": "2", "c": "3"}
	want(t, s, rows)
	closing(t, s)
	s = open(t)
	defer closing(t, s)
	want(t, s, rows)
}

func testOverwrite(t *testing.T, open Opener) {
	s := open(t)
	defer closing(t, s)
	for i := range 50 {
		apply(t, s, row("draft", fmt.Sprint(i)))
	}
	want(t, s, map[string]string{"draft": "49"})
	apply(t, s, engine.Row{Key: []byte("draft")}, engine.Row{Key: []byte("never there")})
	want(t, s, map[string]string{})
}

func testEmptyValue(t *testing.T, open Opener) {
	s := open(t)
	defer closing(t, s)
	apply(t, s, engine.Row{Key: []byte("k"), Value: []byte{}})
	want(t, s, map[string]string{"k": ""})
}

func testAnyBytes(t *testing.T, open Opener) {
	s := open(t)
	rows := map[string]string{}
	var batch []engine.Row
	for i := range 256 {
		key, value := string([]byte{byte(i), 0, 255, '!'}), string(bytes.Repeat([]byte{byte(i)}, i*5))
		rows[key] = value
		batch = append(batch, row(key, value))
	}
	apply(t, s, batch...)
	closing(t, s)
	s = open(t)
	defer closing(t, s)
	want(t, s, rows)
}

func testAliasing(t *testing.T, open Opener) {
	s := open(t)
	defer closing(t, s)
	key, value := []byte("k"), []byte("value")
	apply(t, s, engine.Row{Key: key, Value: value})
	key[0], value[0] = 'x', 'x'
	err := s.Load(func(k, v []byte) error {
		k[0], v[0] = 'y', 'y'
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, map[string]string{"k": "value"})
}

func testLarge(t *testing.T, open Opener) {
	s := open(t)
	rows := map[string]string{}
	var batch []engine.Row
	for i := range 10_000 {
		key, value := fmt.Sprintf("%065d", i), fmt.Sprintf("%0270d", i)
		rows[key] = value
		batch = append(batch, row(key, value))
	}
	rows["long"] = string(bytes.Repeat([]byte("x"), 256<<10))
	batch = append(batch[:9_999], row("long", rows["long"]))
	delete(rows, fmt.Sprintf("%065d", 9_999))
	apply(t, s, batch...)
	closing(t, s)
	s = open(t)
	defer closing(t, s)
	want(t, s, rows)
}

func testLoadError(t *testing.T, open Opener) {
	s := open(t)
	defer closing(t, s)
	apply(t, s, row("a", "1"), row("b", "2"))
	stop, calls := errors.New("stop"), 0
	err := s.Load(func(_, _ []byte) error {
		calls++
		return stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("Load: got %v after %d calls, want %v after 1", err, calls, stop)
	}
}

func testClosed(t *testing.T, open Opener) {
	s := open(t)
	closing(t, s)
	if err := s.Apply([]engine.Row{row("a", "1")}); !errors.Is(err, device.ErrClosed) {
		t.Errorf("Apply: got %v, want %v", err, device.ErrClosed)
	}
	if err := s.Load(func(_, _ []byte) error { return nil }); !errors.Is(err, device.ErrClosed) {
		t.Errorf("Load: got %v, want %v", err, device.ErrClosed)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func row(key, value string) engine.Row {
	return engine.Row{Key: []byte(key), Value: []byte(value)}
}

func apply(t *testing.T, s device.Store, rows ...engine.Row) {
	t.Helper()
	if err := s.Apply(rows); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

func closing(t *testing.T, s device.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func want(t *testing.T, s device.Store, rows map[string]string) {
	t.Helper()
	got := map[string]string{}
	err := s.Load(func(key, value []byte) error {
		got[string(key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if !maps.Equal(got, rows) {
		t.Errorf("Load: got %d rows, want %d, or their content differs", len(got), len(rows))
	}
}
