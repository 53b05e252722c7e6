package streamem

// The fences of LAYOUT.md's table, in assembly. Loads and stores of begin, end, latest, wake and flags go through
// sync/atomic: acquire and release at least, one access of full width each.

// fenceAcquire is (F) and (F'): every load before it is done before any after it. It pairs with (A): whoever met one byte of
// the next lap also meets that lap's begin. An atomic load of begin alone would let the payload's loads sink below it.
func fenceAcquire()

// fenceRelease is (A) and (B): every store before it, streaming stores too, is visible before any after it.
func fenceRelease()
