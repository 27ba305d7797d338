package payment

import (
	"hash/maphash"
	"sync"
)

const shards = 32

// record is what OrderCache kept in a map of its own.
type record struct {
	state, order, payer, payee, bank, currency, ref string
}

// ShardedCache is the Store that came after OrderCache: a record is a struct,
// written in place, and a lock guards one part in thirty-two.
type ShardedCache struct {
	seed  maphash.Seed
	parts [shards]struct {
		mu   sync.Mutex
		byID map[string]*record
	}
}

// NewShardedCache returns an empty cache with room for size transfers.
func NewShardedCache(size int) *ShardedCache {
	c := &ShardedCache{seed: maphash.MakeSeed()}
	for i := range c.parts {
		c.parts[i].byID = make(map[string]*record, size/shards+size/shards/4)
	}
	return c
}

// State returns the state of one transfer.
func (c *ShardedCache) State(transferID string) (string, bool) {
	p := &c.parts[c.part(transferID)]
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.byID[transferID]; r != nil {
		return r.state, true
	}
	return "", false
}

// Update sets the state of all transfers of an order.
func (c *ShardedCache) Update(o *Order, state string) {
	for _, t := range o.Transfers {
		p := &c.parts[c.part(t.ID)]
		p.mu.Lock()
		if r := p.byID[t.ID]; r != nil {
			r.state = state
		} else {
			p.byID[t.ID] = &record{state, o.ID, o.Payer, t.Payee, t.Bank, t.Currency, t.Ref}
		}
		p.mu.Unlock()
	}
}

// Len is the number of transfers in the cache.
func (c *ShardedCache) Len() int {
	n := 0
	for i := range c.parts {
		p := &c.parts[i]
		p.mu.Lock()
		n += len(p.byID)
		p.mu.Unlock()
	}
	return n
}

func (c *ShardedCache) part(transferID string) uint64 {
	return maphash.String(c.seed, transferID) % shards
}
