//go:build planted

package planted

var planted Bug

// Plant plants a mistake, in place of the one before. Nothing may run meanwhile.
func Plant(bug Bug) { planted = bug }

// Is reports whether a mistake is planted.
func Is(bug Bug) bool { return planted == bug }
