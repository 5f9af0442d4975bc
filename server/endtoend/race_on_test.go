//go:build race

package endtoend

// everyByte is how many bytes lie between two cuts. The race detector takes many times as
// long and sees the same code at each: a run without it cuts after every byte.
const everyByte = 11
