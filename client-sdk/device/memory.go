package device

import (
	"bytes"
	"sync"

	"doorstep/client-sdk/engine"
)

// Memory is a Store that lives as long as the process: for tests, simulations
// and programs that record nothing.
type Memory struct {
	mu     sync.Mutex
	rows   map[string][]byte // guarded by mu
	closed bool              // guarded by mu
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{rows: map[string][]byte{}} }

// Apply implements Store.
func (m *Memory) Apply(rows []engine.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for _, r := range rows {
		if r.Value == nil {
			delete(m.rows, string(r.Key))
		} else {
			m.rows[string(r.Key)] = append([]byte{}, r.Value...)
		}
	}
	return nil
}

// Load implements Store.
func (m *Memory) Load(fn func(key, value []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for key, value := range m.rows {
		if err := fn([]byte(key), bytes.Clone(value)); err != nil {
			return err
		}
	}
	return nil
}

// Close implements Store. The rows stay, so that Reopen gives them back.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Reopen returns a store with the rows of m, as a new process finds them.
func (m *Memory) Reopen() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := NewMemory()
	for key, value := range m.rows {
		n.rows[key] = bytes.Clone(value)
	}
	return n
}
