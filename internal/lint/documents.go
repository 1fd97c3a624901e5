package lint

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// recordFolder has a record of each decision that is not obvious from the code.
	recordFolder = "docs/adr"
	// recipePage has the recipes of changes that are made often, in its section recipeSection.
	recipePage    = "CONTRIBUTING.md"
	recipeSection = "How to change"
	// maxRecord is how many lines a record may have.
	maxRecord = 40
)

// recipes are the changes that recipePage must have a recipe for.
var recipes = []string{"A burst policy", "A message type", "The placement rule", "A CLI command", "A provider",
	"A page"}

var (
	recordName    = regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)
	recordHeading = []string{"## Context", "## Decision", "## Consequences"}
)

// CheckRecords finds records of decisions that lack a part, or whose number is not their own.
func CheckRecords(root fs.FS) ([]Finding, error) {
	files, err := fs.ReadDir(root, recordFolder)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for i, file := range files {
		place := path.Join(recordFolder, file.Name())
		add := func(message, remedy string) {
			found = append(found, Finding{Place: place, Message: message, Remedy: remedy})
		}
		match := recordName.FindStringSubmatch(file.Name())
		if match == nil {
			add("is no name of a record", "call it NNNN-title.md")
			continue
		}
		if number, _ := strconv.Atoi(match[1]); number != i+1 {
			add(fmt.Sprintf("has number %d, and is the %d. of its folder", number, i+1), "take the next free number")
		}
		text, err := fs.ReadFile(root, place)
		if err != nil {
			return nil, err
		}
		number := strings.TrimLeft(match[1], "0")
		if !strings.HasPrefix(string(text), "# "+number+". ") {
			add("does not begin with its number", "begin with # "+number+". and its title")
		}
		if got := headings(string(text)); !slices.Equal(got, recordHeading) {
			add(fmt.Sprintf("has the headings %q", got), "have Context, Decision and Consequences, in this order")
		}
		if count := strings.Count(string(text), "\n"); count > maxRecord {
			add(fmt.Sprintf("%d lines, more than %d", count, maxRecord), "say less, or split it")
		}
	}
	return found, nil
}

func headings(text string) (found []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "## ") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// CheckRecipes finds changes without a recipe, and files that a recipe names in backticks and that
// do not exist. A part in angle brackets stands for what the reader chooses; where a path has one,
// the folder before it must exist.
func CheckRecipes(root fs.FS) ([]Finding, error) {
	var found []Finding
	seen := map[string]bool{}
	inside, number := false, 0
	err := lines(root, recipePage, func(line string) {
		number++
		switch title, heading := strings.CutPrefix(line, "### "); {
		case strings.HasPrefix(line, "## "):
			inside = line == "## "+recipeSection
		case inside && heading:
			seen[title] = true
		case inside:
			for _, match := range quoted.FindAllStringSubmatch(line, -1) {
				if why := missing(root, match[1]); why != "" {
					found = append(found, Finding{Place: fmt.Sprintf("%s:%d", recipePage, number), Message: why,
						Remedy: "say what is to be changed now"})
				}
			}
		}
	})
	for _, title := range recipes {
		if !seen[title] {
			found = append(found, Finding{Place: recipePage, Message: "has no recipe for: " + title,
				Remedy: "add it under " + recipeSection})
		}
	}
	return found, err
}

var isPath = regexp.MustCompile(`^[\w.<>-]+(/[\w.<>-]*)+$|^\w+\.md$`)

// missing says what path in backticks does not exist; empty where it is none, or exists.
func missing(root fs.FS, name string) string {
	if !isPath.MatchString(name) {
		return ""
	}
	known, _, _ := strings.Cut(name, "<")
	if known != name {
		known = path.Dir(known + "x")
	}
	if _, err := fs.Stat(root, strings.TrimSuffix(known, "/")); err != nil {
		return "there is no " + name
	}
	return ""
}
