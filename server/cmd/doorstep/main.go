// Command doorstep runs one borough's server and everything that IT does with it.
//
// Exit codes: 0 done; 1 it did not work, the message says why and what to do
// next; 2 the command or the configuration is wrong; 3 damaged data was found, or
// an import's files have problems (nothing was imported).
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
