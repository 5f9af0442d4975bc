package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// How a command comes into the audit log.
const (
	throughOperator = "it is a command of an operator, each of which is a leaf"
	ofFiles         = "it copies, checks or rebuilds files as whoever owns them, and shows nothing of anybody"
	serves          = "it serves: each route and command has a rule of its own"
	ofNobody        = "it touches no borough's data, or a made-up borough's"
)

// commands are all of them. A new command has to be put here, with how it is audited.
var commands = map[string]string{
	"access explain": throughOperator, "access table": ofNobody,
	"backup": ofFiles, "backup-key": ofNobody, "bench": ofNobody, "check-config": ofNobody, "demo": ofNobody,
	"custody list": throughOperator, "recover": throughOperator, "recovery-key": ofNobody,
	"device code": throughOperator, "device list": throughOperator, "device revoke": throughOperator,
	"erase ask": throughOperator, "erase confirm": throughOperator, "erase hold": throughOperator,
	"erase list": throughOperator, "erase over": throughOperator, "erase refuse": throughOperator,
	"free-ballast": ofFiles, "import": throughOperator, "init": ofNobody, "rebuild": ofFiles,
	"reconciliation": throughOperator, "reload": throughOperator, "repair": ofFiles, "restore": ofFiles, "restore-drill": ofFiles,
	"serve": serves, "bench-serve-unproven": serves, "bench-serve-unguarded": serves, "status": throughOperator,
	"user add": throughOperator, "user disable": throughOperator, "user enable": throughOperator, "user link": throughOperator,
	"user list": throughOperator, "user password": throughOperator, "user revoke": throughOperator,
	"upgrade-check": ofFiles, "verify": ofFiles, "verify-backup": ofFiles, "verify-export": ofFiles, "verify-bundle": ofFiles, "version": ofNobody,
}

// TestEveryCommandSaysHowItIsAudited goes through the tree of commands.
func TestEveryCommandSaysHowItIsAudited(t *testing.T) {
	left := map[string]bool{}
	for name := range commands {
		left[name] = true
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		name := strings.TrimPrefix(c.CommandPath(), "doorstep ")
		if c.HasSubCommands() || strings.HasPrefix(name, "completion") || name == "help" {
			return
		}
		if commands[name] == "" {
			t.Errorf("the command %q does not say how it is audited", name)
		}
		delete(left, name)
	}
	walk(newRoot(streams{}))
	for name := range left {
		t.Errorf("there is no command %q", name)
	}
}
