package main

import (
	"sync"
	"time"
)

type shard struct {
	mu sync.Mutex
	n  int
}

// shards: a map in four parts, each with a mutex of its own, all taken at one
// line. Part 0 is swept again and again by one goroutine, which holds it for
// three units at a time; three others wait for it nearly all the time. Of each
// other part, two goroutines hold it for a moment in turn, and get in each
// other's way now and then. What is waited for is the sweeper's doing.
func shards() {
	all := make([]shard, 4)
	var done sync.WaitGroup
	start := func(f func(), times int) {
		done.Add(1)
		go func() {
			defer done.Done()
			for i := 0; i < times; i++ {
				f()
			}
		}()
	}
	start(all[0].sweep, 10)
	time.Sleep(unit / 10)
	for i := 0; i < 3; i++ {
		start(all[0].add, 8)
	}
	for i := 1; i < 4; i++ {
		for j := 0; j < 2; j++ {
			start(all[i].addSlowly, 15)
		}
	}
	done.Wait()
}

func (s *shard) lock() { s.mu.Lock() }

func (s *shard) sweep() {
	s.lock()
	time.Sleep(3 * unit)
	s.mu.Unlock()
}

func (s *shard) add() {
	s.lock()
	s.n++
	s.mu.Unlock()
}

func (s *shard) addSlowly() {
	s.lock()
	time.Sleep(unit / 100)
	s.n++
	s.mu.Unlock()
	time.Sleep(unit)
}
