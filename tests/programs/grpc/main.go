//go:build grpc

// Command grpc serves and sends calls of gRPC, unary ones and streams, and
// records its trace: a server of two workers, which calls that find both busy
// get goroutines beside, and clients in the same program. Log messages of the
// category "access" say who served which, and who sent which of the unary
// ones, from when to when on the trace's clock.
//
// gRPC is none of this module's: with Debian's golang-google-grpc-dev,
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -tags grpc -o grpc .
//	./grpc ../../data/grpc.trace
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/trace"
	"strings"
	"sync"
	"time"
	_ "unsafe" // for nanotime

	"google.golang.org/grpc"
	pb "google.golang.org/grpc/stats/grpc_testing"
)

// nanotime is the clock of traces.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A book has what was served and sent.
type book struct {
	mu    sync.Mutex
	lines []string
}

func (s *book) add(what string, from, to int64) {
	var b [64]byte
	id, _, _ := strings.Cut(strings.TrimPrefix(string(b[:runtime.Stack(b[:], false)]), "goroutine "), " ")
	s.mu.Lock()
	s.lines = append(s.lines, fmt.Sprint(what, " ", id, " ", from, " ", to))
	s.mu.Unlock()
}

type service struct {
	pb.UnimplementedTestServiceServer
	book *book
}

func (s service) served(from int64) { s.book.add("served", from, nanotime()) }

// UnaryCall answers at once, or after a nap.
func (s service) UnaryCall(_ context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	defer s.served(nanotime())
	if r.Id%2 == 1 {
		time.Sleep(300 * time.Microsecond)
	}
	return &pb.SimpleResponse{Id: r.Id}, nil
}

// FullDuplexCall answers each message.
func (s service) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	defer s.served(nanotime())
	for {
		r, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.SimpleResponse{Id: r.Id}); err != nil {
			return err
		}
	}
}

// ServerStreamCall sends three answers.
func (s service) ServerStreamCall(r *pb.SimpleRequest, stream pb.TestService_ServerStreamCallServer) error {
	defer s.served(nanotime())
	for range 3 {
		time.Sleep(100 * time.Microsecond)
		if err := stream.Send(&pb.SimpleResponse{Id: r.Id}); err != nil {
			return err
		}
	}
	return nil
}

func unary(client pb.TestServiceClient, s *book, id int32) {
	from := nanotime()
	_, err := client.UnaryCall(context.Background(), &pb.SimpleRequest{Id: id})
	s.add("sent", from, nanotime())
	check(err)
}

func duplex(client pb.TestServiceClient) {
	stream, err := client.FullDuplexCall(context.Background())
	check(err)
	for range 2 {
		check(stream.Send(new(pb.SimpleRequest)))
		_, err = stream.Recv()
		check(err)
	}
	check(stream.CloseSend())
	_, err = stream.Recv()
	if err != io.EOF {
		check(err)
	}
}

func receive(client pb.TestServiceClient) {
	stream, err := client.ServerStreamCall(context.Background(), new(pb.SimpleRequest))
	check(err)
	for err == nil {
		_, err = stream.Recv()
	}
}

func main() {
	out, err := os.Create(os.Args[1])
	check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	s := new(book)
	server := grpc.NewServer(grpc.NumStreamWorkers(2))
	pb.RegisterTestServiceServer(server, service{book: s})
	go server.Serve(l)
	check(trace.Start(out))
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := grpc.Dial(l.Addr().String(), grpc.WithInsecure(), grpc.WithBlock())
			check(err)
			client := pb.NewTestServiceClient(c)
			for i := range int32(6) {
				unary(client, s, i)
				if i%3 == 2 {
					duplex(client)
					receive(client)
				}
			}
			check(c.Close())
		}()
	}
	wg.Wait()
	server.Stop()
	time.Sleep(5 * time.Millisecond)
	for _, line := range s.lines {
		trace.Log(context.Background(), "access", line)
	}
	trace.Stop()
	check(out.Close())
}
