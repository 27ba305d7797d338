package main

import (
	"context"
	"io"
	"runtime/trace"
	"time"
)

// across starts and stops tracing three times, 40 units apart. In each
// recording main begins a task that nobody ends there, and does five short
// ones with a region each. One task of another goroutine goes on beyond the
// first two recordings and ends in the third.
func across(w io.Writer) {
	begun, end, ended := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		<-begun
		_, long := trace.NewTask(context.Background(), "long")
		<-end
		long.End()
		close(ended)
	}()
	for i := range 3 {
		check(trace.Start(w))
		if i == 0 {
			begun <- true
		}
		_, left := trace.NewTask(context.Background(), "left")
		defer left.End()
		for range 5 {
			ctx, task := trace.NewTask(context.Background(), "job")
			trace.WithRegion(ctx, "work", func() { time.Sleep(unit) })
			task.End()
		}
		if i == 2 {
			close(end)
			<-ended
		}
		trace.Stop()
		time.Sleep(40 * unit)
	}
}
