package keyring

import (
	"container/list"
	"crypto/cipher"
	"sync"
)

// cache keeps the keys that were used last, ready for use, up to a number.
type cache[K comparable] struct {
	limit int

	mu    sync.Mutex // guards what follows
	order *list.List // of *cached[K], used last in front
	at    map[K]*list.Element
}

type cached[K comparable] struct {
	id  K
	key cipher.AEAD
}

func newCache[K comparable](limit int) *cache[K] {
	return &cache[K]{limit: limit, order: list.New(), at: map[K]*list.Element{}}
}

func (c *cache[K]) get(id K) (cipher.AEAD, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.at[id]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*cached[K]).key, true
}

func (c *cache[K]) put(id K, key cipher.AEAD) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.at[id]; ok {
		return
	}
	c.at[id] = c.order.PushFront(&cached[K]{id: id, key: key})
	if c.order.Len() > c.limit {
		delete(c.at, c.order.Remove(c.order.Back()).(*cached[K]).id)
	}
}

func (c *cache[K]) drop(id K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.at[id]; ok {
		c.order.Remove(element)
		delete(c.at, id)
	}
}
