package main

import (
	"sync"
	"time"
)

type account struct {
	mu      sync.Mutex
	balance int
}

// transfer holds one account while it waits for the other.
func transfer(from, to *account) {
	from.mu.Lock()
	time.Sleep(3 * unit)
	to.mu.Lock()
	from.balance, to.balance = from.balance-1, to.balance+1
	to.mu.Unlock()
	from.mu.Unlock()
}

// deadlock: two transfers take the same two accounts in opposite order and wait
// for each other to the end; a third goroutine waits for one of the accounts.
// Transfers between other accounts go on at the same lines all the time.
// The trace lasts for some 400 units.
func deadlock() {
	a, b := &account{}, &account{}
	go transfer(a, b)
	go transfer(b, a)
	time.Sleep(10 * unit)
	go a.report()
	for i := 0; i < 60; i++ {
		c, d, e := &account{}, &account{}, &account{}
		go transfer(c, d)
		transfer(c, e)
		time.Sleep(2 * unit)
	}
}

func (a *account) report() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.balance
}
