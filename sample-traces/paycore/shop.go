package main

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// load lets every shop send orders for a while and returns how many were paid.
func load(addr string, length, pace time.Duration) int64 {
	var paid atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(length)
	for n := 0; n < shops; n++ {
		all.Add(1)
		go shop(addr, n, end, pace, &paid, &all)
	}
	all.Wait()
	return paid.Load()
}

// shop sends an order every pace, or as soon as the last one is answered if
// that took longer.
func shop(addr string, n int, end time.Time, pace time.Duration, paid *atomic.Int64, all *sync.WaitGroup) {
	defer all.Done()
	conn, err := net.Dial("tcp", addr)
	check(err)
	defer conn.Close()
	answer := bufio.NewReader(conn)
	next := time.Now()
	for i := 0; time.Now().Before(end); i++ {
		_, err := fmt.Fprintf(conn, "PAY order-%d-%d %d\n", n, i%orderIDs, transfers)
		check(err)
		line, err := answer.ReadString('\n')
		check(err)
		if line == "OK\n" {
			paid.Add(1)
		}
		if next = next.Add(pace); time.Until(next) > 0 {
			time.Sleep(time.Until(next))
		} else {
			next = time.Now()
		}
	}
}
