package payment

import (
	"context"
	"runtime/trace"
	"sync/atomic"
	"time"
)

// FraudCheck scores orders. Every sixteenth gets a second look, which takes a
// while; an order does not wait for it longer than its patience.
type FraudCheck struct {
	seen atomic.Int64
}

const (
	secondLook = 3 * time.Millisecond
	patience   = 2 * time.Millisecond
)

// Check returns ErrFraud if an order must be refused.
func (f *FraudCheck) Check(ctx context.Context, o *Order) error {
	if score(o) > 1<<62 {
		return ErrFraud
	}
	if f.seen.Add(1)%16 != 0 {
		return nil
	}
	verdict := make(chan bool, 1)
	go review(ctx, o, verdict)
	select {
	case guilty := <-verdict:
		if guilty {
			return ErrFraud
		}
	case <-time.After(patience):
		trace.Log(ctx, "fraud", "no verdict in time, order goes on")
	}
	return nil
}

// review is the second look: it asks a slow model.
func review(ctx context.Context, o *Order, verdict chan<- bool) {
	defer trace.StartRegion(ctx, "second look").End()
	time.Sleep(secondLook)
	verdict <- len(o.Transfers) == 0
}

// score mixes amounts and payees into one number, cheaply.
func score(o *Order) uint64 {
	h := uint64(14695981039346656037)
	for _, t := range o.Transfers {
		for i := 0; i < len(t.ID); i++ {
			h = (h ^ uint64(t.ID[i])) * 1099511628211
		}
		h ^= uint64(t.Cents)
	}
	return h >> 2
}
