package keyring

import (
	"container/list"
	"crypto/cipher"
	"sync"
)

// cache keeps the keys that were used last, ready for use, up to a number.
type cache struct {
	limit int

	mu    sync.Mutex // guards what follows
	order *list.List // of *cached, used last in front
	at    map[ID]*list.Element
}

type cached struct {
	id  ID
	key cipher.AEAD
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), at: map[ID]*list.Element{}}
}

func (c *cache) get(id ID) (cipher.AEAD, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.at[id]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*cached).key, true
}

func (c *cache) put(id ID, key cipher.AEAD) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.at[id]; ok {
		return
	}
	c.at[id] = c.order.PushFront(&cached{id: id, key: key})
	if c.order.Len() > c.limit {
		delete(c.at, c.order.Remove(c.order.Back()).(*cached).id)
	}
}

func (c *cache) drop(id ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.at[id]; ok {
		c.order.Remove(element)
		delete(c.at, id)
	}
}
