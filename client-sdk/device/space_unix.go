//go:build linux || darwin

package device

import "syscall"

// freeBytes returns how much space is left for this user where dir lies.
func freeBytes(dir string) (n uint64, known bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return st.Bavail * uint64(st.Bsize), true
}
