package main

import (
	"sync"
	"time"
)

// convoy: one goroutine holds a mutex for 10 ms; six more come within its
// first 6 ms, queue up, and then hold it for 2 ms each.
func convoy() {
	var mu sync.Mutex
	var all sync.WaitGroup
	held := make(chan struct{})
	all.Add(1)
	go convoyHead(&mu, &all, held)
	<-held
	for i := 0; i < 6; i++ {
		all.Add(1)
		go convoyFollower(&mu, &all)
		time.Sleep(unit)
	}
	all.Wait()
}

func convoyHead(mu *sync.Mutex, all *sync.WaitGroup, held chan<- struct{}) {
	defer all.Done()
	mu.Lock()
	close(held)
	time.Sleep(10 * unit)
	mu.Unlock()
}

func convoyFollower(mu *sync.Mutex, all *sync.WaitGroup) {
	defer all.Done()
	mu.Lock()
	time.Sleep(2 * unit)
	mu.Unlock()
}

// starved: a hog takes a mutex again as soon as it has released it. A victim
// wants it ten times. It is woken at a release, but finds the mutex taken again,
// until it has waited for 1 ms; then the hog must hand it over, and yields.
func starved() {
	var mu sync.Mutex
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go hog(&mu, stop, stopped)
	fed := make(chan struct{})
	go victim(&mu, fed)
	<-fed
	close(stop)
	<-stopped
}

func hog(mu *sync.Mutex, stop <-chan struct{}, stopped chan<- struct{}) {
	for {
		select {
		case <-stop:
			close(stopped)
			return
		default:
		}
		mu.Lock()
		spin(unit * 3 / 10)
		mu.Unlock()
	}
}

func victim(mu *sync.Mutex, fed chan<- struct{}) {
	for i := 0; i < 10; i++ {
		mu.Lock()
		mu.Unlock()
		time.Sleep(unit)
	}
	close(fed)
}

// spin keeps a P busy.
func spin(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}
