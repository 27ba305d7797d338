package main

import (
	"context"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

// Three goroutines that nothing can wake, forty of which the channel is still known to the program, and a pool of a
// hundred.
var (
	keep []chan int
	jobs = make(chan func())
	mu   sync.Mutex
	held [][]byte
)

//go:noinline
func forget() {
	ch := make(chan int)
	go func() { ch <- 1 }()
}

//go:noinline
func ask(i int) {
	ch := make(chan int)
	keep = append(keep, ch)
	endpoint := []string{"/pay", "/refund"}[i%4/3]
	pprof.Do(context.Background(), pprof.Labels("endpoint", endpoint), func(context.Context) { go answer(ch) })
}

func answer(ch chan int) {
	b := make([]byte, 64<<10)
	mu.Lock()
	held = append(held, b)
	mu.Unlock()
	<-ch
}

func worker() {
	for f := range jobs {
		f()
	}
}

func leaks() {
	runtime.MemProfileRate = 4096
	traced("leaks.trace", func() {
		for range 100 {
			go worker()
		}
		for i := range 40 {
			ask(i)
			if i%10 == 5 && i > 10 {
				forget()
			}
			if i == 20 {
				write("before.txt", "goroutine", 2)
			}
			var wg sync.WaitGroup
			wg.Add(1)
			jobs <- wg.Done
			wg.Wait()
			time.Sleep(3 * time.Millisecond)
		}
	})
	write("goroutineleak.pb.gz", "goroutineleak", 0)
	write("after.txt", "goroutineleak", 2)
	write("heap.pb.gz", "heap", 0)
}
