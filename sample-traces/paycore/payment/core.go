// Package payment is the core of a small payment service: orders come in over
// the network, are checked for fraud, remembered in the order cache, settled
// with a bank and written to the ledger.
package payment

import (
	"context"
	"errors"
	"runtime/trace"
	"strconv"
)

// Order is a payout: one payer, many transfers.
type Order struct {
	ID        string
	Payer     string
	Transfers []Transfer

	settled chan error
}

// Transfer is one line of an order.
type Transfer struct {
	ID       string
	Payee    string
	Bank     string
	Currency string
	Ref      string
	Cents    int64
}

// ErrFraud says that an order was refused by the fraud check.
var ErrFraud = errors.New("refused: fraud suspected")

// Core ties the parts together.
type Core struct {
	Store  Store
	fraud  *FraudCheck
	ledger *Ledger
	queue  chan job
}

type job struct {
	ctx   context.Context
	order *Order
}

// NewCore starts the settlement workers and the ledger writer.
func NewCore(store Store, bank string, workers int, ledger *Ledger) (*Core, error) {
	c := &Core{Store: store, fraud: &FraudCheck{}, ledger: ledger, queue: make(chan job, workers)}
	for i := 0; i < workers; i++ {
		conn, err := dialBank(bank)
		if err != nil {
			return nil, err
		}
		go c.settle(conn)
	}
	go ledger.write()
	return c, nil
}

// NewOrder makes the order that a request asks for.
func NewOrder(id string, transfers int) *Order {
	o := &Order{ID: id, Payer: "mill", Transfers: make([]Transfer, transfers), settled: make(chan error, 1)}
	for i := range o.Transfers {
		o.Transfers[i] = Transfer{
			ID:       id + "/" + strconv.Itoa(i),
			Payee:    payees[i%len(payees)],
			Bank:     "savings",
			Currency: "EUR",
			Ref:      "invoice",
			Cents:    int64(100 + 37*i%9900),
		}
	}
	return o
}

var payees = [...]string{"baker", "butcher", "carrier", "grocer", "joiner", "mason", "potter", "weaver"}

// Pay takes an order through the core, as one user task.
func (c *Core) Pay(ctx context.Context, o *Order) error {
	ctx, task := trace.NewTask(ctx, "payment")
	defer task.End()
	trace.Log(ctx, "order", o.ID)

	var err error
	trace.WithRegion(ctx, "fraud check", func() { err = c.fraud.Check(ctx, o) })
	if err != nil {
		trace.Log(ctx, "refused", err.Error())
		return err
	}
	trace.WithRegion(ctx, "remember order", func() {
		trace.Log(ctx, "map", "before_write")
		c.Store.Update(o, "pending")
		trace.Log(ctx, "map", "after_write")
	})
	trace.WithRegion(ctx, "await settlement", func() {
		c.queue <- job{ctx, o}
		err = <-o.settled
	})
	return err
}
