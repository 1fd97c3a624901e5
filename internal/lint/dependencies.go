package lint

import (
	"bufio"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// DependencyPage says why each dependency is there.
const DependencyPage = "docs/dependencies.md"

// Sections of the page.
const (
	inProgram = "In the program"
	inTests   = "In tests"
	inTools   = "Tools"
)

// CheckDependencies compares DependencyPage with what the code imports and, for tools, with
// tools/go.mod. It asks the imports, and not go.mod's comments, which say what was true when
// go mod tidy last ran.
func CheckDependencies(root fs.FS, packages []*Package) ([]Finding, error) {
	modules, err := required(root, "go.mod")
	if err != nil {
		return nil, err
	}
	wanted, found := importedModules(packages, modules)
	if wanted[inTools], err = tools(root); err != nil {
		return nil, err
	}
	listed, broken, err := readDependencyPage(root)
	if err != nil {
		return nil, err
	}
	found = append(found, broken...)
	for _, section := range []string{inProgram, inTests, inTools} {
		found = append(found, compareSection(section, wanted[section], listed[section])...)
	}
	return found, nil
}

func compareSection(section string, wanted, listed map[string]bool) []Finding {
	var found []Finding
	for _, module := range slices.Sorted(maps.Keys(wanted)) {
		if !listed[module] {
			found = append(found, Finding{
				Place: DependencyPage, Message: module + " has no line under " + section,
				Remedy: "say what it is for, why this one, and what it would take to be without",
			})
		}
	}
	for _, module := range slices.Sorted(maps.Keys(listed)) {
		if !wanted[module] {
			found = append(found, Finding{
				Place: DependencyPage, Message: module + " is listed under " + section + ", but is not used there",
				Remedy: "remove or move the line",
			})
		}
	}
	return found
}

type sections map[string]map[string]bool

// importedModules returns the modules that the program, and those that only its tests import.
func importedModules(packages []*Package, modules []string) (sections, []Finding) {
	wanted := sections{inProgram: {}, inTests: {}}
	var found []Finding
	collect := func(section string, files []*File) {
		for _, file := range files {
			for _, spec := range file.Syntax.Imports {
				switch imported := importPath(spec); {
				case !foreign(imported):
				case moduleOf(imported, modules) == "":
					found = append(found, Finding{Place: file.at(spec),
						Message: imported + " is in no module of go.mod", Remedy: "run go mod tidy"})
				default:
					wanted[section][moduleOf(imported, modules)] = true
				}
			}
		}
	}
	for _, p := range packages {
		collect(inProgram, p.code())
		collect(inTests, p.tests())
	}
	maps.DeleteFunc(wanted[inTests], func(module string, _ bool) bool { return wanted[inProgram][module] })
	return wanted, found
}

// foreign reports whether an import is neither of the standard library nor of this module.
func foreign(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".") && imported != Module && !strings.HasPrefix(imported, Module+"/")
}

// moduleOf returns the module that holds a package: the longest that is a prefix of its path.
func moduleOf(imported string, modules []string) string {
	longest := ""
	for _, module := range modules {
		if (imported == module || strings.HasPrefix(imported, module+"/")) && len(module) > len(longest) {
			longest = module
		}
	}
	return longest
}

// required returns the modules that a go.mod names, direct or not.
func required(root fs.FS, name string) ([]string, error) {
	var modules []string
	err := lines(root, name, func(line string) {
		line = strings.TrimPrefix(line, "require ")
		if fields := strings.Fields(line); len(fields) >= 2 && strings.HasPrefix(fields[1], "v") &&
			strings.Contains(fields[0], ".") {
			modules = append(modules, fields[0])
		}
	})
	return modules, err
}

// tools returns the modules of the tools that tools/go.mod names.
func tools(root fs.FS) (map[string]bool, error) {
	modules, err := required(root, "tools/go.mod")
	if err != nil {
		return nil, err
	}
	named, block := map[string]bool{}, false
	err = lines(root, "tools/go.mod", func(line string) {
		switch {
		case line == "tool (":
			block = true
		case line == ")":
			block = false
		case block:
			named[moduleOf(line, modules)] = true
		case strings.HasPrefix(line, "tool "):
			named[moduleOf(strings.TrimPrefix(line, "tool "), modules)] = true
		}
	})
	return named, err
}

// dependencyColumns are module, for, why this one, licence, without it.
const dependencyColumns = 5

// readDependencyPage returns the modules of each section's table.
func readDependencyPage(root fs.FS) (sections, []Finding, error) {
	listed, section := sections{}, ""
	var found []Finding
	err := lines(root, DependencyPage, func(line string) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = title
			listed[section] = map[string]bool{}
		}
		if !strings.HasPrefix(line, "| `") {
			return
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		module := strings.Trim(cells[0], "`")
		if len(cells) != dependencyColumns || slices.Contains(cells, "") {
			found = append(found, Finding{Place: DependencyPage, Message: module + " has not all of its cells",
				Remedy: "fill them in, without the character |"})
		}
		listed[section][module] = true
	})
	return listed, found, err
}

// lines calls each with the lines of a file, without the white space around them.
func lines(root fs.FS, name string, each func(line string)) error {
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		each(strings.TrimSpace(scanner.Text()))
	}
	return scanner.Err()
}
