package main

import (
	"sync"
	"time"
)

// sweep: a map under an RWMutex. A janitor holds it for 12 ms four times over,
// while four readers look things up all the time and two writers put things in,
// each in no time at all. Nearly all that readers and writers wait, they wait
// for the janitor, though it releases the lock but four times.
func sweep() { swept(4, 12*unit, 4*unit) }

// sweeplight: the same, but each of twelve sweeps takes 2 ms only.
func sweeplight() { swept(12, 2*unit, 3*unit) }

// table is a map with a lock; release says when users are to stop.
type table struct {
	mu   sync.RWMutex
	m    map[int]int
	done chan struct{}
}

func swept(sweeps int, holding, between time.Duration) {
	t := &table{m: map[int]int{}, done: make(chan struct{})}
	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go reader(t, &all)
	}
	for i := 0; i < 2; i++ {
		all.Add(1)
		go writer(t, i, &all)
	}
	swept := make(chan struct{})
	go janitor(t, sweeps, holding, between, swept)
	<-swept
	close(t.done)
	all.Wait()
}

func janitor(t *table, sweeps int, holding, between time.Duration, swept chan<- struct{}) {
	for i := 0; i < sweeps; i++ {
		time.Sleep(between)
		t.sweep(holding)
	}
	close(swept)
}

// sweep sleeps for most of the time, so that the machine may be as busy as it likes.
func (t *table) sweep(holding time.Duration) {
	t.mu.Lock()
	time.Sleep(holding)
	clear(t.m)
	t.mu.Unlock()
}

func (t *table) get(k int) int {
	t.mu.RLock()
	v := t.m[k]
	t.mu.RUnlock()
	return v
}

func (t *table) put(k int) {
	t.mu.Lock()
	t.m[k]++
	t.mu.Unlock()
}

func (t *table) stopped() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

func reader(t *table, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; !t.stopped(); i++ {
		t.get(i % 10)
		time.Sleep(unit / 2)
	}
}

func writer(t *table, k int, all *sync.WaitGroup) {
	defer all.Done()
	for !t.stopped() {
		t.put(k)
		time.Sleep(unit / 2)
	}
}

// pool: two connections in a channel, eight clients. A checkout holds its
// connection over a call that takes 9 ms, an order for 1 ms. Every other client
// only makes checkouts. While clients wait, at least one connection, and most of
// the time both, are held by checkouts.
func pool() {
	p := &connections{free: make(chan int, 2)}
	p.free <- 1
	p.free <- 2
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go shopper(p, i%2 == 0, &all)
	}
	all.Wait()
}

type connections struct{ free chan int }

func (p *connections) get() int  { return <-p.free }
func (p *connections) put(c int) { p.free <- c }

func query() { time.Sleep(unit) }
func call()  { time.Sleep(9 * unit) }

func shopper(p *connections, checkouts bool, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < 3; i++ {
		if checkouts {
			checkout(p)
		} else {
			order(p)
		}
	}
}

func checkout(p *connections) {
	c := p.get()
	defer p.put(c)
	call()
}

func order(p *connections) {
	c := p.get()
	defer p.put(c)
	query()
}

// limit: a semaphore made of a channel lets two of six work at a time; each
// works for 5 ms, twice.
func limit() {
	sem := make(chan struct{}, 2)
	var all sync.WaitGroup
	for i := 0; i < 6; i++ {
		all.Add(1)
		go limited(sem, &all)
	}
	all.Wait()
}

func limited(sem chan struct{}, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < 2; i++ {
		sem <- struct{}{}
		time.Sleep(5 * unit)
		<-sem
	}
}

// pipeline: two stages at the same lines, one behind the other, wait for what
// comes in every millisecond. All is passed on, and nothing is held.
func pipeline() {
	in, mid, out := make(chan int, 4), make(chan int, 4), make(chan int, 4)
	go stage(in, mid)
	go stage(mid, out)
	go func() {
		for i := 0; i < 40; i++ {
			in <- i
			time.Sleep(unit)
		}
		close(in)
	}()
	for range out {
	}
}

func stage(from, to chan int) {
	for v := range from {
		to <- v
	}
	close(to)
}

// readers: a writer has to wait until the last of three readers is done, and
// hardly a reader ever for the writer.
func readers() {
	var mu sync.RWMutex
	var all sync.WaitGroup
	for i := 0; i < 3; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for k := 0; k < 10; k++ {
				mu.RLock()
				time.Sleep(5 * unit)
				mu.RUnlock()
				time.Sleep(unit)
			}
		}()
	}
	for k := 0; k < 10; k++ {
		time.Sleep(2 * unit)
		mu.Lock()
		mu.Unlock()
	}
	all.Wait()
}

// idle: three workers wait for work, of which there is a piece every 4 ms.
// Nothing is slow: they are idle.
func idle() {
	work := make(chan int)
	var all sync.WaitGroup
	for i := 0; i < 3; i++ {
		all.Add(1)
		go idler(work, &all)
	}
	for i := 0; i < 8; i++ {
		time.Sleep(4 * unit)
		work <- i
	}
	close(work)
	all.Wait()
}

func idler(work <-chan int, all *sync.WaitGroup) {
	defer all.Done()
	for range work {
	}
}

// makers: a consumer takes what a producer computes, each piece in 3 ms. The
// consumer waits nearly all the time: sending is the bottleneck.
func makers() {
	made := make(chan int)
	go maker(made)
	for range made {
	}
}

func maker(made chan<- int) {
	for i := 0; i < 8; i++ {
		spin(3 * unit)
		made <- i
	}
	close(made)
}

// gone: five answers are sent to one who takes the first and goes away.
func gone() {
	answers := make(chan int)
	for i := 0; i < 5; i++ {
		go answer(answers, i)
	}
	<-answers
	time.Sleep(5 * unit)
}

func answer(answers chan<- int, i int) {
	time.Sleep(unit)
	answers <- i
}

// picker: a worker selects between work and the end; it is handed twelve pieces
// of 2 ms each by two who would both rather go on.
func picker() {
	work, end := make(chan int), make(chan struct{})
	var all sync.WaitGroup
	for i := 0; i < 2; i++ {
		all.Add(1)
		go handing(work, &all)
	}
	picked := make(chan struct{})
	go picking(work, end, picked)
	all.Wait()
	time.Sleep(3 * unit)
	close(end)
	<-picked
}

func handing(work chan<- int, all *sync.WaitGroup) {
	defer all.Done()
	for i := 0; i < 6; i++ {
		work <- i
	}
}

func picking(work <-chan int, end <-chan struct{}, picked chan<- struct{}) {
	defer close(picked)
	for {
		select {
		case <-work:
			time.Sleep(2 * unit)
		case <-end:
			return
		}
	}
}

// reload: eight readers of a map, of which one, an export, holds the RWMutex for
// 10 units at a time; a writer wants it every 4 units, for no time at all, and
// all further readers wait behind the writer. It is the export's doing.
func reload() {
	t := &table{m: map[int]int{}, done: make(chan struct{})}
	var all sync.WaitGroup
	start := func(f func(), every time.Duration) {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				select {
				case <-t.done:
					return
				case <-time.After(every):
					f()
				}
			}
		}()
	}
	for range 8 {
		start(func() { t.get(1) }, unit)
	}
	start(t.export, 2*unit)
	start(t.reload, 4*unit)
	time.Sleep(100 * unit)
	close(t.done)
	all.Wait()
}

func (t *table) export() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	time.Sleep(10 * unit)
}

func (t *table) reload() {
	t.mu.Lock()
	t.m = map[int]int{}
	t.mu.Unlock()
}
