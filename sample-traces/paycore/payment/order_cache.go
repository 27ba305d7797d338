package payment

import "sync"

// Store remembers the state of every transfer of every order.
type Store interface {
	// Update sets the state of all transfers of an order at once.
	Update(o *Order, state string)
	// State returns the state of one transfer.
	State(transferID string) (string, bool)
	// Len is the number of transfers that are remembered.
	Len() int
}

// OrderCache is a Store with one map and one lock, written when an order had
// three transfers at most. A payout today has more than a thousand.
//
// Nobody noticed that a record is a map as well. Every update of a transfer
// makes a new small map, fills it field by field and hangs it into the big
// one, with the lock held all the while. Making the big map larger from the
// start was tried, and did not help: growing is not what it spends its time
// on.
type OrderCache struct {
	mu   sync.Mutex
	byID map[string]map[string]string
}

// NewOrderCache returns an empty cache.
func NewOrderCache() *OrderCache {
	return &OrderCache{byID: make(map[string]map[string]string)}
}

// State returns the state of one transfer.
func (c *OrderCache) State(transferID string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	record, ok := c.byID[transferID]
	return record["state"], ok
}

// Update sets the state of all transfers of an order.
//
// The map write stands on line 47: record.sh counts on it.
func (c *OrderCache) Update(o *Order, state string) {
	c.mu.Lock()
	for _, t := range o.Transfers {
		c.byID[t.ID] = map[string]string{"state": state, "order": o.ID, "from": o.Payer, "to": t.Payee, "bank": t.Bank, "currency": t.Currency, "ref": t.Ref}
	}
	c.mu.Unlock()
}

// Len is the number of transfers in the cache.
func (c *OrderCache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byID)
}
