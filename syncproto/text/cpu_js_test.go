package text

import (
	"syscall/js"
	"time"
)

// cpu returns the processor time that node used while f ran.
func cpu(f func()) time.Duration {
	process := js.Global().Get("process")
	before := process.Call("cpuUsage")
	f()
	used := process.Call("cpuUsage", before)
	return time.Duration(used.Get("user").Int()+used.Get("system").Int()) * time.Microsecond
}
