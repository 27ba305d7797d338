package main

import (
	"runtime"
	"sync"
	"time"
)

// locked: one goroutine sends sixty values to another that is locked to its
// thread, and waits for each to come back. There is always a P without work:
// what takes time is to hand over from thread to thread.
func locked() {
	to, from := make(chan int), make(chan int)
	go lockedEcho(to, from)
	for i := 0; i < 60; i++ {
		to <- i
		<-from
	}
	close(to)
	<-from
}

func lockedEcho(to <-chan int, from chan<- int) {
	runtime.LockOSThread()
	for x := range to {
		from <- x
	}
	close(from)
}

// holdup: a loop that cannot be preempted (asyncpreemptoff=1) holds a stop of
// the world up, which a goroutine that only wants to sleep has to sit out.
func holdup() {
	var all sync.WaitGroup
	all.Add(2)
	looping := make(chan struct{})
	go loop(&all, looping)
	<-looping
	go victimOfStop(&all)
	runtime.ReadMemStats(&runtime.MemStats{})
	all.Wait()
}

var sum int

func loop(all *sync.WaitGroup, looping chan<- struct{}) {
	defer all.Done()
	close(looping)
	for i := 0; i < 60_000_000; i++ {
		sum += i * i
	}
}

func victimOfStop(all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < 5; i++ {
		time.Sleep(unit)
	}
}
