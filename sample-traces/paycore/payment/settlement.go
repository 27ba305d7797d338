package payment

import (
	"bufio"
	"fmt"
	"net"
	"runtime/trace"
)

// settle is one settlement worker. It has a connection to the bank of its own.
func (c *Core) settle(bank *bankConn) {
	for j := range c.queue {
		ctx, task := trace.NewTask(j.ctx, "settlement")
		var err error
		trace.WithRegion(ctx, "authorise", func() { err = bank.authorise(j.order) })
		state := "settled"
		if err != nil {
			state = "failed"
			trace.Log(ctx, "bank", err.Error())
		}
		trace.WithRegion(ctx, "remember state", func() { c.Store.Update(j.order, state) })
		c.ledger.Post(j.order)
		j.order.settled <- err
		task.End()
	}
}

// bankConn speaks the bank's protocol: one line of request, one of answer.
type bankConn struct {
	conn   net.Conn
	answer *bufio.Reader
}

func dialBank(addr string) (*bankConn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &bankConn{conn, bufio.NewReader(conn)}, nil
}

func (b *bankConn) authorise(o *Order) error {
	var sum int64
	for _, t := range o.Transfers {
		sum += t.Cents
	}
	if _, err := fmt.Fprintf(b.conn, "AUTH %s %d\n", o.ID, sum); err != nil {
		return err
	}
	line, err := b.answer.ReadString('\n')
	if err == nil && line != "OK\n" {
		err = fmt.Errorf("bank says %q", line)
	}
	return err
}
