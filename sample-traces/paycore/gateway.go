package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"runtime/pprof"
	"strings"
	"time"

	"paycore/payment"
)

// gateway takes orders from shops, one goroutine a connection:
//
//	PAY <order> <transfers>   ->   OK | NO <why>
func gateway(l net.Listener, core *payment.Core) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go handle(conn, core)
	}
}

func handle(conn net.Conn, core *payment.Core) {
	defer conn.Close()
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("route", "payout"))
	pprof.SetGoroutineLabels(ctx)
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var id string
		var transfers int
		if _, err := fmt.Sscanf(lines.Text(), "PAY %s %d", &id, &transfers); err != nil {
			fmt.Fprintln(conn, "NO what?")
			continue
		}
		if err := core.Pay(ctx, payment.NewOrder(id, transfers)); err != nil {
			fmt.Fprintln(conn, "NO", err)
			continue
		}
		fmt.Fprintln(conn, "OK")
	}
}

// bank answers authorisations after its usual delay.
func bank(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go authorise(conn)
	}
}

func authorise(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		time.Sleep(bankDelay)
		answer := "OK"
		if !strings.HasPrefix(lines.Text(), "AUTH ") {
			answer = "NO"
		}
		fmt.Fprintln(conn, answer)
	}
}

const bankDelay = time.Millisecond
