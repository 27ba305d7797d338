package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/trace"
	"sync"
	"time"
)

// slowserve: four clients send 80 requests each, with a limit of 20 ms on
// each, to a handler that takes a lock for a moment and waits for a millisecond.
// The auditor keeps that lock for 40 ms now and then: what is slow of the
// handler's requests is so for that, and those are given up by their clients.
// How many were answered and how many given up is in a log message.
func slowserve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	b := &book{stop: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(b.servePay)}
	go server.Serve(l)
	var clients, auditing sync.WaitGroup
	auditing.Add(1)
	go b.auditor(&auditing)
	var mu sync.Mutex
	answered, late := 0, 0
	for i := 0; i < 4; i++ {
		clients.Add(1)
		go func() {
			defer clients.Done()
			c := &http.Client{Timeout: 20 * unit, Transport: &http.Transport{}}
			for i := 0; i < 80; i++ {
				resp, err := c.Get("http://" + l.Addr().String())
				mu.Lock()
				if err != nil {
					late++
				} else {
					answered++
				}
				mu.Unlock()
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		}()
	}
	clients.Wait()
	close(b.stop)
	auditing.Wait()
	server.Close()
	trace.Log(context.Background(), "calls", fmt.Sprint(answered, " ", late))
}

type book struct {
	mu   sync.Mutex
	n    int
	stop chan struct{}
}

//go:noinline
func (b *book) servePay(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.n++
	b.mu.Unlock()
	time.Sleep(unit)
	io.WriteString(w, "ok")
}

//go:noinline
func (b *book) audit() {
	b.mu.Lock()
	time.Sleep(40 * unit)
	b.mu.Unlock()
}

func (b *book) auditor(all *sync.WaitGroup) {
	defer all.Done()
	for {
		select {
		case <-b.stop:
			return
		case <-time.After(80 * unit):
			b.audit()
		}
	}
}
