package lint

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// GlossaryPage has the words of this repository in the table of its section "Words": word, meaning,
// and what is not said in its place.
const GlossaryPage = "ARCHITECTURE.md"

const glossarySection = "Words"

// wordsTest has to write what is banned.
const wordsTest = "internal/lint/words_test.go"

// usual are phrases in which a word that is not used otherwise has its ordinary meaning, or belongs
// to a name of the consensus library (LeadTransferee, SoftState.Lead).
var usual = []string{"in doubt", "round trip", "round trips", "lead to", "told apart", "lead transferee",
	"soft state lead"}

// A banned phrase, in lower case, and the word of the glossary that stands in its place.
type banned struct {
	words   []string
	instead string
}

var quoted = regexp.MustCompile("`([^`]+)`")

// readGlossary returns the phrases that the glossary bans: those in backticks in the third column.
func readGlossary(root fs.FS) ([]banned, error) {
	var phrases []banned
	inside := false
	err := lines(root, GlossaryPage, func(line string) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			inside = title == glossarySection
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !inside || !strings.HasPrefix(line, "|") || len(cells) != 3 {
			return
		}
		for _, match := range quoted.FindAllStringSubmatch(cells[2], -1) {
			phrases = append(phrases, banned{words: strings.Fields(match[1]), instead: strings.TrimSpace(cells[0])})
		}
	})
	return phrases, err
}

// CheckWords finds what the glossary bans, by folder, in identifiers, comments and strings of Go
// files, and in documents. Generated code and testdata are free, and so is the glossary itself.
func CheckWords(root fs.FS) (map[string][]Finding, error) {
	phrases, err := readGlossary(root)
	if err != nil {
		return nil, err
	}
	byFirst := map[string][]banned{}
	for _, phrase := range phrases {
		byFirst[phrase.words[0]] = append(byFirst[phrase.words[0]], phrase)
	}
	promised, err := protoNames(root)
	if err != nil {
		return nil, err
	}
	found := map[string][]Finding{}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (hidden(base) || base == "testdata" || base == "node_modules"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" && path.Ext(name) != ".md" || name == wordsTest:
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil || generated.Match(text) {
			return err
		}
		folder := path.Dir(name)
		if path.Ext(name) == ".go" {
			text = promised.cut(text)
		}
		found[folder] = append(found[folder], dialect(name, wordsOf(name, string(text)), byFirst)...)
		return nil
	})
	maps.DeleteFunc(found, func(_ string, findings []Finding) bool { return len(findings) == 0 })
	return found, err
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// names are identifiers.
type names map[string]bool

var (
	protoDeclaration = regexp.MustCompile(`(?m)^(?:\t|type |func \(\w+ \*\w+\) )([A-Z]\w*)`)
	qualified        = regexp.MustCompile(`\.[A-Z]\w*|\b[A-Z]\w*:`)
)

// protoNames returns the names that the code generated from proto declares. What is stored and sent
// is named for good, in the words of its time.
func protoNames(root fs.FS) (names, error) {
	promised := names{}
	err := fs.WalkDir(root, "proto", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".pb.go") {
			return err
		}
		text, err := fs.ReadFile(root, name)
		for _, match := range protoDeclaration.FindAllSubmatch(text, -1) {
			promised[string(match[1])] = true
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return promised, nil
	}
	return promised, err
}

// cut leaves out the names where code uses them: as x.Name, and as the key of a literal.
func (n names) cut(code []byte) []byte {
	return qualified.ReplaceAllFunc(code, func(use []byte) []byte {
		if n[strings.Trim(string(use), ".:")] {
			return []byte(".")
		}
		return use
	})
}

// dialect finds banned phrases in the words of a file.
func dialect(name string, words []word, byFirst map[string][]banned) []Finding {
	var found []Finding
	for i, w := range words {
		for _, phrase := range byFirst[w.text] {
			if at(words, i, phrase.words) && !ordinary(words, i) {
				found = append(found, Finding{Place: name + ":" + strconv.Itoa(w.line),
					Message: strings.Join(phrase.words, " "), Remedy: "say " + phrase.instead})
			}
		}
	}
	return found
}

// at reports whether a phrase stands at a place.
func at(words []word, place int, phrase []string) bool {
	return place >= 0 && place+len(phrase) <= len(words) &&
		slices.EqualFunc(words[place:place+len(phrase)], phrase, func(w word, t string) bool { return w.text == t })
}

// ordinary reports whether the word at a place belongs to a phrase that is usual.
func ordinary(words []word, place int) bool {
	return slices.ContainsFunc(usual, func(text string) bool {
		phrase := strings.Fields(text)
		index := slices.Index(phrase, words[place].text)
		return index >= 0 && at(words, place-index, phrase)
	})
}

// word is a word of a text, or a part of an identifier, in lower case.
type word struct {
	text string
	line int
}

// wordsOf returns the words of a text in their order, identifiers taken apart: ackAnswered and
// ack_answered are both "ack", "answered".
func wordsOf(name, text string) []word {
	var words []word
	section := ""
	for i, line := range strings.Split(text, "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = title
		}
		if name == GlossaryPage && section == glossarySection && strings.HasPrefix(line, "|") {
			continue
		}
		begin := -1
		runes := []rune(line)
		for j := range len(runes) + 1 {
			letter := j < len(runes) && unicode.IsLetter(runes[j])
			if begin >= 0 && (!letter || hump(runes, j)) {
				words = append(words, word{strings.ToLower(string(runes[begin:j])), i + 1})
				begin = -1
			}
			if begin < 0 && letter {
				begin = j
			}
		}
	}
	return words
}

// hump reports whether a part of an identifier in camel case begins at a place behind a letter.
func hump(runes []rune, place int) bool {
	upper := unicode.IsUpper(runes[place])
	after := place+1 < len(runes) && unicode.IsLower(runes[place+1])
	return upper && (unicode.IsLower(runes[place-1]) || after)
}

// ratchet has the number of findings that each folder may have: what it had when it was last
// counted. It only goes down.
type ratchet map[string]int

// readRatchet reads lines of a folder and a number.
func readRatchet(text string) (ratchet, error) {
	counts := ratchet{}
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		var folder string
		var count int
		if _, err := fmt.Sscanf(scanner.Text(), "%s %d", &folder, &count); err != nil {
			return nil, fmt.Errorf("lint: read %q: %w", scanner.Text(), err)
		}
		counts[folder] = count
	}
	return counts, nil
}

func (r ratchet) String() string {
	var text strings.Builder
	for _, folder := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(&text, "%s %d\n", folder, r[folder])
	}
	return text.String()
}

func (r ratchet) total() int {
	total := 0
	for _, count := range r {
		total += count
	}
	return total
}

// count returns the ratchet of what was found.
func count(found map[string][]Finding) ratchet {
	counts := ratchet{}
	for folder, findings := range found {
		counts[folder] = len(findings)
	}
	return counts
}
