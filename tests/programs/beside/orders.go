package main

import (
	"sync"
	"time"
)

// account has its lock eight bytes behind its beginning.
type account struct {
	balance int
	mu      sync.Mutex
}

//go:noinline
func (a *account) transfer(to *account) {
	a.mu.Lock()
	time.Sleep(5 * time.Millisecond)
	to.deposit(1)
	a.balance--
	a.mu.Unlock()
}

//go:noinline
func (a *account) deposit(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += n
}

// orders: two transfers take two accounts in opposite order and wait for each
// other to the end; three deposits wait behind them. Two more queue at a lock
// that is held for long.
func orders() {
	a, b, slow := &account{}, &account{}, &account{}
	traced("orders.trace", func() {
		slow.mu.Lock()
		go a.transfer(b)
		go b.transfer(a)
		time.Sleep(20 * time.Millisecond)
		for range 2 {
			go a.deposit(1)
			go slow.deposit(1)
		}
		go b.deposit(1)
		time.Sleep(200 * time.Millisecond)
		write("orders.txt", "goroutine", 2)
		slow.mu.Unlock()
		time.Sleep(500 * time.Millisecond)
	})
}
