package main

import (
	"context"
	"sync"
	"time"
)

// selects: five goroutines wait in a select of the same shape; each is let go
// another way, which its name says, 5 ms or more after it began to wait.
func selects() {
	var all sync.WaitGroup
	values, room, gone := make(chan int), make(chan int), make(chan int)
	never := make(chan int)
	ctx, cancel := context.WithCancel(context.Background())

	all.Add(5)
	go selectReceives(&all, values, never)
	go selectSends(&all, room, never)
	go selectClosed(&all, gone, never)
	go selectCancelled(&all, ctx, never)
	go selectTimesOut(&all, never)

	time.Sleep(5 * unit)
	values <- 1
	<-room
	close(gone)
	cancel()
	all.Wait()
}

func selectReceives(all *sync.WaitGroup, values, never <-chan int) {
	select {
	case <-values:
	case <-never:
	}
	all.Done()
}

func selectSends(all *sync.WaitGroup, room chan<- int, never <-chan int) {
	select {
	case room <- 1:
	case <-never:
	}
	all.Done()
}

func selectClosed(all *sync.WaitGroup, gone, never <-chan int) {
	select {
	case <-gone:
	case <-never:
	}
	all.Done()
}

func selectCancelled(all *sync.WaitGroup, ctx context.Context, never <-chan int) {
	select {
	case <-ctx.Done():
	case <-never:
	}
	all.Done()
}

func selectTimesOut(all *sync.WaitGroup, never <-chan int) {
	select {
	case <-time.After(10 * unit):
	case <-never:
	}
	all.Done()
}
