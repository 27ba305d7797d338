package main

import (
	"context"
	"runtime/trace"
	"sync"
	"time"
)

// path: a task of four regions whose lengths have known causes. "compute" runs
// for 4 ms; "lock" waits for a mutex whose owner sleeps for another 6 ms;
// "helper" waits for a goroutine that runs for 3 ms; "sleep" sleeps for 2 ms.
func path() {
	var mu sync.Mutex
	locked, free := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go owner(&mu, locked, free)
	<-locked
	go worker(&mu, free, done)
	<-done
}

func owner(mu *sync.Mutex, locked chan<- struct{}, free <-chan struct{}) {
	mu.Lock()
	close(locked)
	<-free
	time.Sleep(6 * unit)
	mu.Unlock()
}

func worker(mu *sync.Mutex, free chan<- struct{}, done chan<- struct{}) {
	ctx, task := trace.NewTask(context.Background(), "job")
	trace.WithRegion(ctx, "compute", func() { spin(4 * unit) })
	close(free)
	trace.WithRegion(ctx, "lock", func() { mu.Lock() })
	mu.Unlock()
	trace.WithRegion(ctx, "helper", func() {
		helped := make(chan struct{})
		go helper(helped)
		<-helped
	})
	trace.WithRegion(ctx, "sleep", func() { time.Sleep(2 * unit) })
	task.End()
	close(done)
}

func helper(helped chan<- struct{}) {
	spin(3 * unit)
	close(helped)
}
