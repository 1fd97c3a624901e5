//go:build linux && !race

package system_test

// raceDetector reports whether this test was built with the race detector.
const raceDetector = false
