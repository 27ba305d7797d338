package main

import (
	"io"
	"runtime/trace"
	"time"
)

// restart starts and stops tracing three times, 40 units apart. In each
// recording main spins for 5 units and sleeps for 5; a ticker goroutine lives
// through all of them, and one goroutine ends between the first and the second.
func restart(w io.Writer) {
	done := make(chan bool)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(unit):
			}
		}
	}()
	go func() { time.Sleep(25 * unit) }()
	for range 3 {
		check(trace.Start(w))
		for start := time.Now(); time.Since(start) < 5*unit; {
		}
		time.Sleep(5 * unit)
		trace.Stop()
		time.Sleep(40 * unit)
	}
	close(done)
}
