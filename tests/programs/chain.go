package main

import "time"

// chain: five goroutines, each of which waits for the one before it, is 10 ms
// late, and lets the next one go. The last one lets main go.
func chain() {
	var done [5]chan struct{}
	for i := range done {
		done[i] = make(chan struct{})
	}
	go link1(done[0])
	go link2(done[0], done[1])
	go link3(done[1], done[2])
	go link4(done[2], done[3])
	go link5(done[3], done[4])
	<-done[4]
}

const late = 10 * unit

func link1(done chan<- struct{}) {
	time.Sleep(late)
	close(done)
}

func link2(before <-chan struct{}, done chan<- struct{}) {
	<-before
	time.Sleep(late)
	close(done)
}

func link3(before <-chan struct{}, done chan<- struct{}) {
	<-before
	time.Sleep(late)
	close(done)
}

func link4(before <-chan struct{}, done chan<- struct{}) {
	<-before
	time.Sleep(late)
	close(done)
}

func link5(before <-chan struct{}, done chan<- struct{}) {
	<-before
	time.Sleep(late)
	close(done)
}
