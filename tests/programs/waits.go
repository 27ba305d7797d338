package main

import (
	"sync"
	"time"
)

// waits: every way in which package sync and the language can make a
// goroutine wait, each once, and each ended 5 ms after it began: by main, except
// that waitOnce is let go by onceHolder. The function's name says which. Two
// more wait for what can never come.
func waits() {
	var (
		mu    sync.Mutex
		read  sync.RWMutex // main reads: a writer must wait
		write sync.RWMutex // main writes: a reader must wait
		group sync.WaitGroup
		once  sync.Once
		all   sync.WaitGroup
	)
	cond := sync.NewCond(new(sync.Mutex))
	values, room, idle := make(chan int), make(chan int), make(chan int)
	begun, finish := make(chan struct{}), make(chan struct{})

	mu.Lock()
	read.RLock()
	write.Lock()
	group.Add(1)
	go onceHolder(&once, begun, finish)
	<-begun

	all.Add(9)
	go waitMutex(&all, &mu)
	go waitRWMutexWrite(&all, &read)
	go waitRWMutexRead(&all, &write)
	go waitWaitGroup(&all, &group)
	go waitOnce(&all, &once)
	go waitCond(&all, cond)
	go waitReceive(&all, values)
	go waitSend(&all, room)
	go waitSelect(&all, values, idle)
	go waitSelectForever()
	go waitNilChannel()

	time.Sleep(5 * unit)
	mu.Unlock()
	read.RUnlock()
	write.Unlock()
	group.Done()
	close(finish)
	cond.Broadcast()
	<-room
	close(values)
	all.Wait()
}

func onceHolder(once *sync.Once, begun chan<- struct{}, finish <-chan struct{}) {
	once.Do(func() {
		close(begun)
		<-finish
	})
}

func waitMutex(all *sync.WaitGroup, mu *sync.Mutex) {
	mu.Lock()
	all.Done()
}

func waitRWMutexWrite(all *sync.WaitGroup, mu *sync.RWMutex) {
	mu.Lock()
	all.Done()
}

func waitRWMutexRead(all *sync.WaitGroup, mu *sync.RWMutex) {
	mu.RLock()
	all.Done()
}

func waitWaitGroup(all, group *sync.WaitGroup) {
	group.Wait()
	all.Done()
}

func waitOnce(all *sync.WaitGroup, once *sync.Once) {
	once.Do(func() {})
	all.Done()
}

func waitCond(all *sync.WaitGroup, cond *sync.Cond) {
	cond.L.Lock()
	cond.Wait()
	cond.L.Unlock()
	all.Done()
}

func waitReceive(all *sync.WaitGroup, values <-chan int) {
	<-values
	all.Done()
}

func waitSend(all *sync.WaitGroup, room chan<- int) {
	room <- 1
	all.Done()
}

func waitSelect(all *sync.WaitGroup, values, idle <-chan int) {
	select {
	case <-values:
	case <-idle:
	}
	all.Done()
}

func waitSelectForever() { select {} }

func waitNilChannel() {
	var nowhere chan int
	<-nowhere
}
