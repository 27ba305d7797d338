package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

// retries: six clients give a server 3 units for an answer that takes 20,
// and ask again at once, fifteen times each. The server finishes what nobody
// waits for any more.
func retries() {
	requests := make(chan chan<- int, 1024)
	go answerLate(requests)
	var all sync.WaitGroup
	for range 6 {
		all.Add(1)
		go retry(requests, &all)
	}
	all.Wait()
}

func retry(requests chan<- chan<- int, all *sync.WaitGroup) {
	defer all.Done()
	for range 15 {
		if ask(requests) {
			return
		}
	}
}

func ask(requests chan<- chan<- int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 3*unit)
	defer cancel()
	answer := make(chan int, 1)
	requests <- answer
	select {
	case <-answer:
		return true
	case <-ctx.Done():
		return false
	}
}

func answerLate(requests <-chan chan<- int) {
	for answer := range requests {
		time.Sleep(20 * unit)
		answer <- 1
	}
}

// behind: twelve producers wait for two that store, which wait for the one
// connection of a database themselves.
func behind() {
	records, queries := make(chan int), make(chan chan<- int)
	go database(queries)
	for range 2 {
		go storeRecords(records, queries)
	}
	var all sync.WaitGroup
	for range 12 {
		all.Add(1)
		go produceRecords(records, &all)
	}
	all.Wait()
}

func produceRecords(records chan<- int, all *sync.WaitGroup) {
	defer all.Done()
	for i := range 8 {
		records <- i
	}
}

func storeRecords(records <-chan int, queries chan<- chan<- int) {
	for range records {
		written := make(chan int)
		queries <- written
		<-written
	}
}

func database(queries <-chan chan<- int) {
	for written := range queries {
		time.Sleep(2 * unit)
		written <- 1
	}
}

// exchange: two goroutines hand a value to and fro over two channels, a hundred
// times; each works while the other waits.
func exchange() {
	there, back := make(chan int), make(chan int)
	done := make(chan struct{})
	go ping(there, back, done)
	go pong(there, back)
	<-done
}

func ping(there chan<- int, back <-chan int, done chan<- struct{}) {
	for i := range 100 {
		spin(unit / 50)
		there <- i
		<-back
	}
	close(there)
	close(done)
}

func pong(there <-chan int, back chan<- int) {
	for v := range there {
		spin(unit / 50)
		back <- v
	}
}

// dumped: the stacks of a thousand goroutines are written while the world is
// stopped for it, three times.
func dumped() {
	stop := make(chan struct{})
	var deep atomic.Int64
	for range 1000 {
		go recurse(40, &deep, stop)
	}
	for deep.Load() < 1000 {
		time.Sleep(unit)
	}
	buf := make([]byte, 32<<20)
	for range 3 {
		runtime.Stack(buf, true)
		time.Sleep(2 * unit)
	}
	close(stop)
}

func recurse(n int, deep *atomic.Int64, stop <-chan struct{}) {
	if n > 0 {
		recurse(n-1, deep, stop)
		return
	}
	deep.Add(1)
	<-stop
}

// keepalive: four clients, each with a connection of its own, compute for much
// longer than their requests take. The goroutines of the idle connections wait.
func keepalive() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "ok")
	}))
	defer server.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go computeAndAsk(server.URL, &all)
	}
	all.Wait()
}

func computeAndAsk(url string, all *sync.WaitGroup) {
	defer all.Done()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 6 {
		spin(8 * unit)
		if r, err := client.Get(url); err == nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	}
}

// patience: forty tasks start a goroutine that fetches something and wait for it,
// for 30 units at most. Every tenth fetch waits for 60 units at a line of its own,
// so that its task gives up.
func patience() {
	for i := range 40 {
		ctx, task := trace.NewTask(context.Background(), "fetch")
		waitForFetch(ctx, i%10 == 9)
		task.End()
	}
}

func waitForFetch(ctx context.Context, slow bool) {
	ctx, cancel := context.WithTimeout(ctx, 30*unit)
	defer cancel()
	fetched := make(chan int, 1)
	go fetchLate(fetched, slow)
	select {
	case <-fetched:
	case <-ctx.Done():
	}
}

func fetchLate(fetched chan<- int, slow bool) {
	answer := make(chan int)
	go func() {
		time.Sleep(unit)
		if slow {
			time.Sleep(59 * unit)
		}
		answer <- 1
	}()
	fetched <- <-answer
}
