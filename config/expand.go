package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// sources is where the values of references come from.
type sources struct {
	// env looks an environment variable up.
	env func(name string) (value string, set bool)
	// readFile reads a file; relative paths count from dir.
	readFile func(path string) ([]byte, error)
	dir      string
	// expanded counts the bytes of the values that held references.
	expanded int
	// lastFile is the file that the value expanded last was read from; empty where none was.
	lastFile string
}

// missing is a reference that leads nowhere.
type missing struct{ message, remedy string }

// expand replaces the references in a value: ${NAME} by an environment variable, ${file:path} by
// the content of a file without its last line break, ${credential:NAME} by that of a file that
// systemd passes to the service (LoadCredential). $${ stands for ${ itself. What was put in is not
// looked at again, so that a password may hold ${.
func (s *sources) expand(text string) (value string, refers bool, problem *missing) {
	s.lastFile = ""
	var out strings.Builder
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			out.WriteString(text)
			return out.String(), refers, s.count(out.Len(), refers)
		}
		if i > 0 && text[i-1] == '$' {
			out.WriteString(text[:i-1] + "${")
			text = text[i+2:]
			continue
		}
		out.WriteString(text[:i])
		name, rest, closed := strings.Cut(text[i+2:], "}")
		if !closed {
			return "", true, &missing{"a reference ${ has no end",
				"close it with }, or write $${ for the characters ${"}
		}
		found, problem := s.resolve(name)
		if problem != nil {
			return "", true, problem
		}
		if out.WriteString(found); out.Len() > maxReferenceBytes {
			return "", true, s.count(out.Len(), true)
		}
		text, refers = rest, true
	}
}

// count bounds what references make of the file.
func (s *sources) count(bytes int, refers bool) *missing {
	if !refers {
		return nil
	}
	if bytes > maxReferenceBytes {
		return &missing{fmt.Sprintf("is longer than %d KiB with its references", maxReferenceBytes>>10), "shorten it"}
	}
	if s.expanded += bytes; s.expanded > maxExpandedBytes {
		return &missing{fmt.Sprintf("the values of references are larger than %d MiB together", maxExpandedBytes>>20),
			"use fewer or shorter ones"}
	}
	return nil
}

// wholeReference reports whether a value is one reference and nothing else.
func wholeReference(text string) bool {
	return strings.HasPrefix(text, "${") && strings.Index(text, "}") == len(text)-1
}

func (s *sources) resolve(name string) (string, *missing) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return s.file(path)
	}
	if name, ok := strings.CutPrefix(name, "credential:"); ok {
		return s.credential(name)
	}
	if !variableName(name) {
		return "", &missing{
			"what stands between ${ and } is no reference", "write ${NAME}, ${file:path}, ${credential:NAME}, or $${ " +
				"for the characters " +
				"${",
		}
	}
	value, set := s.env(name)
	if !set {
		return "", &missing{"environment variable " + name + " is not set",
			"set it, or write $${ for the characters ${"}
	}
	return value, nil
}

// credential reads a credential of the service: a file in the directory that systemd names.
func (s *sources) credential(name string) (string, *missing) {
	if name == "" || name != filepath.Base(name) || name == "." || name == ".." {
		return "", &missing{"${credential:" + name + "} names no credential",
			"write ${credential:NAME}, with the name of a LoadCredential= line"}
	}
	dir, set := s.env("CREDENTIALS_DIRECTORY")
	if !set {
		return "", &missing{"${credential:" + name + "} is for a service of systemd: CREDENTIALS_DIRECTORY is not set",
			"start wactor by systemd with LoadCredential=" + name + ":/path, or use ${file:path}"}
	}
	return s.file(filepath.Join(dir, name))
}

func (s *sources) file(path string) (string, *missing) {
	if path == "" {
		return "", &missing{"${file:} names no file", "write ${file:path}"}
	}
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(s.dir, path)
	}
	content, err := s.readFile(full)
	if err != nil {
		return "", &missing{fmt.Sprintf("file %s can't be read: %v", path, reason(err)),
			"create it, or make it readable for this user"}
	}
	s.lastFile = full
	return withoutLineBreak(content), nil
}

func withoutLineBreak(content []byte) string {
	text, _ := strings.CutSuffix(string(content), "\n")
	text, _ = strings.CutSuffix(text, "\r")
	return text
}

func variableName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
