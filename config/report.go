package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wactor/wactor/internal/problem"
)

// report collects problems and knows where in the file each key stands.
type report struct {
	file string
	// places of values by path, such as channels[0].bot.
	places map[string]place
	// faulty paths have a problem already: what is below them, or said again of them, would only
	// repeat it.
	faulty   map[string]bool
	problems problem.List
	warnings problem.List
}

// place is where a value stands, and what stands there.
type place struct {
	line, column int
	// source is the value as written, where it holds a reference: what it refers to must not be
	// quoted.
	source string
}

func newReport(file string) *report {
	return &report{file: file, places: map[string]place{}, faulty: map[string]bool{}}
}

// add reports a problem of the value at a path.
func (r *report) add(path, remedy, format string, args ...any) {
	if r.isFaulty(path) {
		return
	}
	r.faulty[path] = true
	r.note(r.problemAt(r.at(path), path, remedy, format, args...))
}

func (r *report) problemAt(at place, path, remedy, format string, args ...any) problem.Problem {
	if path == "" {
		path = "the file"
	}
	return problem.Problem{
		File: r.file, Line: at.line, Column: at.column, Message: path + ": " + fmt.Sprintf(format, args...),
		Remedy: remedy,
	}
}

// note keeps a problem; past maxProblems they are no help.
func (r *report) note(p problem.Problem) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, p)
	}
}

// isFaulty reports whether the value at a path, or one that holds it, has a problem.
func (r *report) isFaulty(path string) bool {
	for ; path != ""; path = parent(path) {
		if r.faulty[path] {
			return true
		}
	}
	return r.faulty[""]
}

// at returns the place of a value, or of the nearest one that holds it.
func (r *report) at(path string) place {
	for ; path != ""; path = parent(path) {
		if at, ok := r.places[path]; ok {
			return at
		}
	}
	return r.places[""]
}

// has reports whether the file says something at a path.
func (r *report) has(path string) bool {
	_, ok := r.places[path]
	return ok
}

// quote shows a text as the file has it: a reference stays one.
func (r *report) quote(path, value string) string {
	const most = 60
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "..."
	}
	return r.show(path, strconv.Quote(value))
}

// show shows a value other than a text in the same way.
func (r *report) show(path, value string) string {
	if source := r.places[path].source; source != "" {
		return "the value of " + source
	}
	return value
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

func child(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
