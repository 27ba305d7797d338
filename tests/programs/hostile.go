package main

import (
	"bytes"
	"context"
	"runtime/trace"
)

// attack is what a string out of a file may carry to a terminal: a colour, a
// write to the clipboard, a bell, a change of reading direction.
const attack = "\x1b[31m\x1b]52;c;aGk=\x07\u202e"

// hostile: a log, a task and a region whose names attack the terminal, in a
// goroutine whose function and file do too; and a stack in a file above the
// root. What no compiler lets through, renameHostile puts in.
func hostile() {
	done := make(chan struct{})
	go functionNameWithAnAttack__(done)
	<-done
}

// renameHostile changes names inside a recorded trace into attacks of the same
// length.
func renameHostile(recorded []byte) []byte {
	for honest, hostile := range map[string]string{
		"functionNameWithAnAttack__":      "fn" + attack,
		"fileNameWithAnAttack______.go":   "file" + attack + ".go",
		"programs/innocent/place/of/file": "programs/../../../../etc/passwd",
	} {
		for len(hostile) < len(honest) {
			hostile += "!"
		}
		if len(hostile) > len(honest) {
			panic("attack is longer than " + honest)
		}
		recorded = bytes.ReplaceAll(recorded, []byte(honest), []byte(hostile))
	}
	return recorded
}

func functionNameWithAnAttack__(done chan<- struct{}) {
	ctx, task := trace.NewTask(context.Background(), "task "+attack)
	region := trace.StartRegion(ctx, "region "+attack)
	logInHostileFile(ctx)
	logAboveTheRoot(ctx)
	region.End()
	task.End()
	close(done)
}

//line fileNameWithAnAttack______.go:7
func logInHostileFile(ctx context.Context) { trace.Log(ctx, "category "+attack, "message "+attack) }

//line innocent/place/of/file:1
func logAboveTheRoot(ctx context.Context) { trace.Log(ctx, "file", "above the root") }
