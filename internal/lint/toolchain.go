package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
)

// Listed is what the go command knows of a package.
type Listed struct {
	ImportPath string
	// Export is the file with the types of the package.
	Export   string
	Standard bool
	// GoFiles are the files that are built on this machine, without tests.
	GoFiles []string
	Imports []string
}

// Toolchain answers from what the go command builds.
type Toolchain struct {
	listed map[string]Listed
	types  types.Importer
}

// NewToolchain asks the go command for packages and all that they import. It builds them, if the
// build cache lacks them, and runs in a folder of the module.
func NewToolchain(folder string, patterns ...string) (*Toolchain, error) {
	command := exec.Command("go", append([]string{"list", "-export", "-deps",
		"-json=ImportPath,Export,Standard,GoFiles,Imports"}, patterns...)...)
	command.Dir, command.Stderr = folder, os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("lint: list packages: %w", err)
	}
	toolchain := &Toolchain{listed: map[string]Listed{}}
	for decoder := json.NewDecoder(out); ; {
		var p Listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("lint: list packages: %w", errors.Join(err, command.Wait()))
		}
		toolchain.listed[p.ImportPath] = p
	}
	toolchain.types = importer.ForCompiler(token.NewFileSet(), "gc", func(imported string) (io.ReadCloser, error) {
		return os.Open(toolchain.listed[imported].Export)
	})
	return toolchain, command.Wait()
}

// check finds out the types of a package, and returns the files that it looked at.
func (t *Toolchain) check(p *Package) ([]*File, *types.Info, error) {
	built := map[string]bool{}
	for _, name := range t.listed[Module+"/"+p.Path].GoFiles {
		built[name] = true
	}
	var files []*File
	var syntax []*ast.File
	for _, file := range p.code() {
		if built[path.Base(file.Path)] {
			files, syntax = append(files, file), append(syntax, file.Syntax)
		}
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("lint: the go command lists no file of %s", p.Path)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
		Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: t.types}
	if _, err := config.Check(strings.TrimPrefix(p.Path, "./"), files[0].positions, syntax, info); err != nil {
		return nil, nil, fmt.Errorf("lint: types of %s: %w", p.Path, err)
	}
	return files, info, nil
}
