// Package mutants proves that the tests can fail: a list of bugs that somebody
// could bring back, each with the test that must catch it. It has tests only.
//
// A mutant replaces one piece of one source file, by the go command's overlay, so
// that nothing in the tree changes; then the named test of the named package must
// fail. By default every mutant is checked to fit the source and its test to
// exist, and a few are run; all are run by
//
//	go test ./server/internal/mutants -all
//
// and one by -only=NAME. Whoever changes a line that a mutant replaces changes
// the mutant with it.
package mutants
