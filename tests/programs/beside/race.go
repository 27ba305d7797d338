package main

import (
	"sync"
	"sync/atomic"
	"time"
)

type counter struct{ n int }

//go:noinline
func (c *counter) add() { c.n++ }

//go:noinline
func (c *counter) get() int { return c.n }

// Two goroutines that are alike add, one reads, and none of them knows of the others. The adders are made on another P,
// which has numbers of its own to give, so that those of the race detector and of the runtime differ.
func race() {
	traced("race.trace", func() {
		var wg sync.WaitGroup
		for range 20 {
			wg.Add(1)
			go func() { wg.Done() }()
		}
		wg.Wait()
		c := &counter{}
		wg.Add(3)
		var made atomic.Bool
		go func() {
			for range 2 {
				go adder(c, &wg)
			}
			made.Store(true)
		}()
		for !made.Load() {
		}
		go reader(c, &wg)
		wg.Wait()
		time.Sleep(5 * time.Millisecond)
	})
}

func adder(c *counter, wg *sync.WaitGroup) {
	for range 10 {
		c.add()
		time.Sleep(2 * time.Millisecond)
	}
	wg.Done()
}

func reader(c *counter, wg *sync.WaitGroup) {
	for range 5 {
		c.get()
		time.Sleep(time.Millisecond)
	}
	wg.Done()
}

type cache struct{ m map[int]int }

//go:noinline
func (c *cache) put(i int) { c.m[i] = i }

// Goroutines that write into one map until the runtime notices.
func mapWrites() {
	c := &cache{m: map[int]int{}}
	traced("mapwrites.trace", func() {
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					c.put(i % 1000)
				}
			}()
		}
		time.Sleep(10 * time.Second)
	})
}
