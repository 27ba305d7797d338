//go:build go1.23

package main

import "iter"

func init() { programs["coroutine"] = coroutine }

// coroutine: takes twenty values out of one pulled iterator to its end and
// three out of another, which is then stopped. Every next is a switch there
// and back.
func coroutine() {
	next, stop := iter.Pull(count(20))
	for {
		if _, ok := next(); !ok {
			break
		}
	}
	stop()
	next, stop = iter.Pull(count(20))
	for i := 0; i < 3; i++ {
		next()
	}
	stop()
}

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}
