package main

import (
	"context"
	"runtime/trace"
	"time"
)

// annotations: a task "order" with two tasks below it. "charge" begins and ends
// in another goroutine; "ship" begins in one goroutine and is ended by another.
// "audit" is never ended, and one region in it is still open at the end.
func annotations() {
	ctx, order := trace.NewTask(context.Background(), "order")
	trace.Log(ctx, "state", "begun")
	charged, shipped := make(chan struct{}), make(chan struct{})
	go charge(ctx, charged)
	shipCtx, ship := trace.NewTask(ctx, "ship")
	go finishShip(shipCtx, ship, shipped)
	trace.WithRegion(ctx, "wait for both", func() {
		trace.WithRegion(ctx, "wait for charge", func() { <-charged })
		trace.WithRegion(ctx, "wait for ship", func() { <-shipped })
	})
	trace.Logf(ctx, "state", "ended after %d parts", 2)
	order.End()

	opened := make(chan struct{})
	go audit(opened)
	<-opened
}

func charge(ctx context.Context, charged chan<- struct{}) {
	ctx, task := trace.NewTask(ctx, "charge")
	defer close(charged)
	defer task.End()
	outer := trace.StartRegion(ctx, "outer")
	time.Sleep(unit)
	inner := trace.StartRegion(ctx, "inner")
	time.Sleep(2 * unit)
	trace.Log(ctx, "state", "charged")
	inner.End()
	time.Sleep(unit)
	outer.End()
}

func finishShip(ctx context.Context, task *trace.Task, shipped chan<- struct{}) {
	trace.WithRegion(ctx, "pack", func() { time.Sleep(6 * unit) })
	task.End()
	close(shipped)
}

func audit(opened chan<- struct{}) {
	ctx, _ := trace.NewTask(context.Background(), "audit")
	trace.Log(ctx, "", "a log without a category")
	trace.StartRegion(ctx, "never closed")
	close(opened)
	select {}
}
