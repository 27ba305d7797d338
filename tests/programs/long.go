package main

import (
	"sync"
	"time"
)

// long: three workers that sleep and count for as long as the recording goes
// on, which is many generations of few events each; goroutines that come and go
// meanwhile; and one that waits throughout.
func long() {
	stop, never := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for range 3 {
		all.Add(1)
		go func() {
			defer all.Done()
			longWorker(stop)
		}()
	}
	go longWaiter(never)
	for range 20 {
		go longVisitor()
		time.Sleep(20 * unit)
	}
	close(stop)
	all.Wait()
}

func longWorker(stop <-chan struct{}) {
	for n := 0; ; {
		select {
		case <-stop:
			return
		case <-time.After(5 * unit):
			for range 100_000 {
				n++
			}
		}
	}
}

func longWaiter(never <-chan struct{}) { <-never }

func longVisitor() { time.Sleep(30 * unit) }
