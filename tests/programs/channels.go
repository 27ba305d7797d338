package main

import "time"

// receiver: a producer fills a channel with room for four; the consumer needs
// 2 ms for each of the twenty values. The producer is always the one to wait.
func receiver() {
	values := make(chan int, 4)
	done := make(chan struct{})
	go consumer(values, done)
	go producer(values)
	<-done
}

func producer(values chan<- int) {
	for i := 0; i < 20; i++ {
		values <- i
	}
	close(values)
}

func consumer(values <-chan int, done chan<- struct{}) {
	for range values {
		time.Sleep(2 * unit)
	}
	close(done)
}

// leak: leaked waits for a value that nobody sends; dependent waits for leaked;
// main gives up after 5 ms. Both are still waiting when the trace ends.
func leak() {
	never := make(chan int)
	result := make(chan int)
	go leaked(never, result)
	go dependent(result)
	time.Sleep(5 * unit)
}

func leaked(never <-chan int, result chan<- int) { result <- <-never }

func dependent(result <-chan int) { <-result }

// knot: two pools of two that need each other. Every asker waits for its
// answer, every answerer for the next question, a hundred times each.
func knot() {
	questions, answers := make(chan int), make(chan int)
	done := make(chan struct{})
	for i := 0; i < 2; i++ {
		go asker(questions, answers, done)
		go answerer(questions, answers)
	}
	<-done
	<-done
	close(questions)
}

func asker(questions chan<- int, answers <-chan int, done chan<- struct{}) {
	for i := 0; i < 100; i++ {
		spin(unit / 50)
		questions <- i
		<-answers
	}
	done <- struct{}{}
}

func answerer(questions <-chan int, answers chan<- int) {
	for q := range questions {
		spin(unit / 50)
		answers <- q
	}
}
