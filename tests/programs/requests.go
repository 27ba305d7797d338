package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/trace"
	"strings"
	"sync"
	"time"
	_ "unsafe" // for nanotime
)

// nanotime is the clock of traces.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

// served is what a server knows of the requests that it served: who, and from
// when to when. It is written down once all are over, so that the trace shows
// of a handler what it shows of any.
type served struct {
	mu    sync.Mutex
	lines []string
}

func (s *served) add(what string, from, to int64) {
	var b [64]byte
	id, _, _ := strings.Cut(strings.TrimPrefix(string(b[:runtime.Stack(b[:], false)]), "goroutine "), " ")
	s.mu.Lock()
	s.lines = append(s.lines, fmt.Sprint(what, " ", id, " ", from, " ", to))
	s.mu.Unlock()
}

// requests serves HTTP/1, TLS, HTTP/2 and connections that a handler takes
// over, to clients of its own, and says in log messages of
// the category "access" which requests it served.
func requests() {
	s := new(served)
	mux := http.NewServeMux()
	handle := func(path string, f http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			from := nanotime()
			f(w, r)
			s.add("served", from, nanotime())
		})
	}
	handle("/short", short)
	handle("/nap", nap)
	handle("/post", post)
	handle("/take", take)
	for _, mode := range []string{"plain", "tls", "h2"} {
		server := httptest.NewUnstartedServer(mux)
		server.EnableHTTP2 = mode == "h2"
		if mode == "plain" {
			server.Start()
		} else {
			server.StartTLS()
		}
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: mode == "h2"}
		client := &http.Client{Transport: sent{transport, s}}
		for range 6 {
			get(client, http.MethodGet, server.URL+"/short", "")
			get(client, http.MethodGet, server.URL+"/nap", "")
			get(client, http.MethodPost, server.URL+"/post", strings.Repeat("x", 300))
		}
		if mode == "plain" {
			for range 3 {
				get(client, http.MethodGet, server.URL+"/take", "")
			}
		}
		transport.CloseIdleConnections()
		server.Close()
	}
	for _, line := range s.lines {
		trace.Log(context.Background(), "access", line)
	}
}

// sent notes how long round trips take.
type sent struct {
	next http.RoundTripper
	log  *served
}

func (t sent) RoundTrip(r *http.Request) (*http.Response, error) {
	from := nanotime()
	a, err := t.next.RoundTrip(r)
	t.log.add("sent", from, nanotime())
	return a, err
}

func get(client *http.Client, method, url, body string) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	check(err)
	if body == "" {
		r.Body = nil
	}
	answer, err := client.Do(r)
	check(err)
	_, err = io.Copy(io.Discard, answer.Body)
	check(err)
	check(answer.Body.Close())
}

func short(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func nap(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(unit)
	io.WriteString(w, "ok")
}

func post(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	io.WriteString(w, "ok")
}

// take answers by itself on the connection.
func take(w http.ResponseWriter, _ *http.Request) {
	c, _, err := w.(http.Hijacker).Hijack()
	check(err)
	b := bufio.NewWriter(c)
	time.Sleep(unit)
	b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	b.Flush()
	c.Close()
}
