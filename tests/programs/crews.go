package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// crew: main starts a goroutine for each of twenty pieces of work, three at a
// time: it takes a slot before it starts one, which gives it back at its end,
// as errgroup.SetLimit does it.
func crew() {
	slots := make(chan struct{}, 3)
	var done sync.WaitGroup
	for i := 0; i < 20; i++ {
		slots <- struct{}{}
		done.Add(1)
		go crewMember(slots, &done)
	}
	done.Wait()
}

func crewMember(slots chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	time.Sleep(4 * unit)
	<-slots
}

// once: twelve goroutines wait for the slow initialisation that the first of
// them does.
func once() {
	var first sync.Once
	var done sync.WaitGroup
	for i := 0; i < 12; i++ {
		done.Add(1)
		go onceUser(&first, &done)
	}
	done.Wait()
}

func onceUser(first *sync.Once, done *sync.WaitGroup) {
	defer done.Done()
	first.Do(func() { time.Sleep(30 * unit) })
}

// contexts: each of ten goroutines waits for a context of its own. Four have
// deadlines that pass after some 10 units; main cancels the others at once
// after 20.
func contexts() {
	root, cancel := context.WithCancel(context.Background())
	defer cancel()
	var done sync.WaitGroup
	for i := 0; i < 10; i++ {
		after := time.Hour
		if i < 4 {
			after = time.Duration(10+i) * unit
		}
		c, stop := context.WithTimeout(root, after)
		defer stop()
		done.Add(1)
		go contextWaiter(c, &done)
	}
	time.Sleep(20 * unit)
	cancel()
	done.Wait()
}

func contextWaiter(c context.Context, done *sync.WaitGroup) {
	defer done.Done()
	<-c.Done()
}

// pipewriters: three goroutines write through a net.Pipe to one that takes two
// units for each piece.
func pipewriters() {
	a, b := net.Pipe()
	var done sync.WaitGroup
	for i := 0; i < 3; i++ {
		done.Add(1)
		go fastPipeWriter(a, &done)
	}
	go slowPipeReader(b)
	done.Wait()
}

func fastPipeWriter(c net.Conn, done *sync.WaitGroup) {
	defer done.Done()
	for i := 0; i < 6; i++ {
		c.Write([]byte("x"))
	}
}

func slowPipeReader(c net.Conn) {
	piece := make([]byte, 16)
	for {
		if _, err := c.Read(piece); err != nil {
			return
		}
		time.Sleep(2 * unit)
	}
}

// condstorm: main wakes thirty goroutines at once, five times; they have to
// take the lock again one after the other, inside Wait.
func condstorm() {
	var mu sync.Mutex
	told, n := sync.NewCond(&mu), 0
	var done sync.WaitGroup
	for i := 0; i < 30; i++ {
		done.Add(1)
		go condWaiter(told, &n, &done)
	}
	for i := 0; i < 5; i++ {
		time.Sleep(4 * unit)
		mu.Lock()
		n++
		told.Broadcast()
		mu.Unlock()
	}
	done.Wait()
}

func condWaiter(told *sync.Cond, n *int, done *sync.WaitGroup) {
	defer done.Done()
	told.L.Lock()
	for *n < 5 {
		told.Wait()
		for t := time.Now(); time.Since(t) < unit/20; {
		}
	}
	told.L.Unlock()
}

// exhausted: six clients share the two connections that the transport may
// open, each for two answers that take eight units.
func exhausted() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(8 * unit)
		io.WriteString(w, "ok")
	}))
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 2}}
	var done sync.WaitGroup
	for i := 0; i < 6; i++ {
		done.Add(1)
		go exhaustedClient(client, server.URL, &done)
	}
	done.Wait()
}

func exhaustedClient(client *http.Client, url string, done *sync.WaitGroup) {
	defer done.Done()
	for i := 0; i < 2; i++ {
		answer, err := client.Get(url)
		check(err)
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

// roles: all goroutines start in one function. Two of them ask and answer, over
// and over; two others pass values on, one way.
func roles() {
	var done sync.WaitGroup
	questions, answers, values := make(chan int), make(chan int), make(chan int)
	inRole(&done, func() { asking(questions, answers) })
	inRole(&done, func() { answering(questions, answers) })
	inRole(&done, func() { feeding(values) })
	inRole(&done, func() { sinking(values) })
	done.Wait()
}

func inRole(done *sync.WaitGroup, f func()) {
	done.Add(1)
	go func() {
		defer done.Done()
		f()
	}()
}

func asking(questions, answers chan int) {
	for i := 0; i < 40; i++ {
		questions <- i
		<-answers
		time.Sleep(unit / 2)
	}
	close(questions)
}

func answering(questions, answers chan int) {
	for q := range questions {
		time.Sleep(unit / 2)
		answers <- q
	}
}

func feeding(values chan int) {
	for i := 0; i < 40; i++ {
		time.Sleep(unit / 2)
		values <- i
	}
	close(values)
}

func sinking(values chan int) {
	for range values {
	}
}

type runner interface{ Run(until chan int) }

type dozer struct{}

func (dozer) Run(until chan int) { <-until }

func attend(until chan int) { <-until }

// wrapped: goroutines whose go statement calls a method of an interface, a
// variable, and a function: of the first two the trace names the compiler's
// wrapper. A fourth does not run before the trace ends.
func wrapped() {
	until := make(chan int)
	var r runner = dozer{}
	f := attend
	if until == nil {
		r, f = nil, nil
	}
	for i := 0; i < 2; i++ {
		go r.Run(until)
	}
	go f(until)
	go attend(until)
	time.Sleep(3 * unit)
	close(until)
	time.Sleep(unit)
	go r.Run(until)
}

// dismissed: main starts eight goroutines, sends each of them a word to end,
// and then waits for what each has to say at its end. Nothing is a pool,
// although each ends one wait of who started it, at its end.
func dismissed() {
	end, said := make(chan bool), make(chan int)
	for i := 0; i < 8; i++ {
		go dismissible(end, said, i)
	}
	for i := 0; i < 8; i++ {
		end <- true
	}
	for i := 0; i < 8; i++ {
		<-said
	}
}

func dismissible(end chan bool, said chan int, i int) {
	time.Sleep(time.Duration(2*i+2) * unit)
	<-end
	time.Sleep(16 * unit)
	said <- i
}
