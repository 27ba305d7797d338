package main

import (
	"context"
	"runtime/trace"
	"time"
)

// nilChannels: three that send to a channel that nobody made, in a task that
// never ends. Nothing can end their waits.
func nilChannels() {
	trace.NewTask(context.Background(), "send")
	for i := 0; i < 3; i++ {
		go sendToNil(nil)
		time.Sleep(unit)
	}
	time.Sleep(2 * unit)
}

func sendToNil(to chan<- int) { to <- 1 }
