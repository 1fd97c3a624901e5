// Package zone finds time zones in a database of its own.
//
// time.LoadLocation reads $ZONEINFO and the files of the system, which differ between machines: two
// nodes would compute two dates from one flow, and a turn that is repeated on another node would
// say something else. Here a zone is what this version of the program holds, everywhere.
//
// go generate takes the database from the Go toolchain; a newer one is a change of the program,
// reviewed and released like any other.
package zone

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	_ "embed" // the database
	"errors"
	"io"
	"sync"
	"time"
)

//go:generate sh -c "gzip -9nc $GOROOT/lib/time/zoneinfo.zip > zoneinfo.zip.gz"

// packed is a zip of uncompressed files, compressed as a whole: many zones are alike, so that it is
// a third of what each compressed for itself would take.
//
//go:embed zoneinfo.zip.gz
var packed []byte

// ErrUnknown is a name that no zone has.
var ErrUnknown = errors.New("there is no such time zone")

// Load finds a zone by its IANA name, such as Europe/Berlin, or UTC. Any other name, Local and the
// empty one too, is ErrUnknown. It is safe for many goroutines; a zone is read once.
func Load(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	if known, ok := loaded.Load(name); ok {
		return known.(*time.Location), nil
	}
	file := database()[name]
	if file == nil {
		return nil, ErrUnknown
	}
	data, err := read(file)
	if err != nil {
		return nil, ErrUnknown
	}
	location, err := time.LoadLocationFromTZData(name, data)
	if err != nil {
		return nil, ErrUnknown
	}
	loaded.Store(name, location)
	return location, nil
}

// loaded are the zones that were read, by name. There are at most as many as the database holds.
var loaded sync.Map

// database unpacks the zones; TestEveryZone holds that it can.
var database = sync.OnceValue(func() map[string]*zip.File {
	stream, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	unpacked, err := io.ReadAll(stream)
	if err != nil {
		return nil
	}
	archive, err := zip.NewReader(bytes.NewReader(unpacked), int64(len(unpacked)))
	if err != nil {
		return nil
	}
	files := make(map[string]*zip.File, len(archive.File))
	for _, file := range archive.File {
		files[file.Name] = file
	}
	return files
})

func read(file *zip.File) ([]byte, error) {
	in, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}
