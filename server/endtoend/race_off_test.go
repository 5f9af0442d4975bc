//go:build !race

package endtoend

const everyByte = 1
