package payment

import (
	"io"
	"sort"
	"strconv"
	"time"
)

// Ledger is the append-only book. Entries wait in a channel until the one
// writer takes them; it flushes every few milliseconds.
type Ledger struct {
	entries chan *Order
	book    io.Writer
}

const flushEvery = 20 * time.Millisecond

// NewLedger returns a ledger that writes to book.
func NewLedger(book io.Writer) *Ledger {
	return &Ledger{entries: make(chan *Order, 4), book: book}
}

// Post hands an order to the writer, and waits if that is behind.
func (l *Ledger) Post(o *Order) { l.entries <- o }

func (l *Ledger) write() {
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	totals := make(map[string]int64)
	for {
		select {
		case o := <-l.entries:
			for _, t := range o.Transfers {
				totals[t.Payee] += t.Cents
			}
		case <-flush.C:
			l.flush(totals)
		}
	}
}

func (l *Ledger) flush(totals map[string]int64) {
	names := make([]string, 0, len(totals))
	for payee := range totals {
		names = append(names, payee)
	}
	sort.Strings(names)
	var page []byte
	for _, payee := range names {
		page = append(page, payee...)
		page = append(page, ' ')
		page = strconv.AppendInt(page, totals[payee], 10)
		page = append(page, '\n')
		delete(totals, payee)
	}
	// The book is best effort here: a real ledger would not go on.
	_, _ = l.book.Write(page)
}
