package pglocal

// Disk says how much of the disk a server feels.
type Disk bool

const (
	// Earnest waits for the disk at every commit, as in earnest: for what is measured.
	Earnest Disk = true
	// Quick leaves writing to the operating system. What it answers is the same, and what
	// was committed outlives a killed server too, but not the machine: for tests, which make
	// and drop a thousand databases; on a slow disk that is half of their time.
	Quick Disk = false
)
