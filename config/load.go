package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads a configuration file. Env looks environment variables up (os.LookupEnv); kinds are the
// providers that channels may name. Where the file's content is wrong, the error is a problem.List.
func Load(path string, env func(string) (string, bool), kinds Kinds) (*Config, error) {
	src, err := readFile(path, maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("config: read %s: %w", path, reason(err))
	}
	read := func(path string) ([]byte, error) { return readFile(path, maxReferenceBytes) }
	c, d, err := parseAll(path, src, sources{env: env, readFile: read, dir: filepath.Dir(path)}, kinds)
	if err != nil {
		return nil, err
	}
	if c.checkFiles(d.report, d.secretFiles); len(d.problems) > 0 {
		return nil, d.problems.Sorted()
	}
	c.Warnings = d.warnings.Sorted()
	if c.Node.Name == "" {
		if c.Node.Name, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("config: node.name is not set, and the host has no name: %w", err)
		}
		if !nodeName.MatchString(c.Node.Name) {
			return nil, fmt.Errorf("config: node.name is not set, and the host's name %q can't be one: set "+
				"node.name, up to 64 letters, digits and . _ -", c.Node.Name)
		}
	}
	return c, nil
}

// Parse reads a configuration from memory. Name is that of its file, for problems and for relative
// paths; readFile reads what ${file:path} names. It does nothing else outside of memory: Node.Name
// stays empty where the file does not say it.
func Parse(
	name string, src []byte, env func(string) (string, bool), readFile func(string) ([]byte, error), kinds Kinds,
) (*Config, error) {
	c, _, err := parseAll(name, src, sources{env: env, readFile: readFile, dir: filepath.Dir(name)}, kinds)
	return c, err
}

// parseAll is Parse, and keeps what was found out on the way.
func parseAll(name string, src []byte, from sources, kinds Kinds) (*Config, *decoder, error) {
	c := Default()
	d := &decoder{report: newReport(name), sources: from, kinds: kinds, secretFiles: map[string]string{}}
	d.document(src, c)
	if d.readable {
		c.validate(d.report)
	}
	if len(d.problems) > 0 {
		return nil, nil, d.problems.Sorted()
	}
	c.warn(d.report)
	c.Warnings = d.warnings.Sorted()
	c.normalise(from.dir)
	return c, d, nil
}

// normalise makes relative paths count from the configuration file's folder.
func (c *Config) normalise(dir string) {
	resolve := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	c.Node.DataDir, c.Media.Dir = resolve(c.Node.DataDir), resolve(c.Media.Dir)
	if t := c.Listen.TLS; t != nil {
		t.Cert, t.Key, t.ClientCA = resolve(t.Cert), resolve(t.Key), resolve(t.ClientCA)
	}
	if a := c.Listen.ACME; a != nil {
		a.Root = resolve(a.Root)
	}
	if t := c.Cluster.TLS; t != nil {
		t.Cert, t.Key, t.CA = resolve(t.Cert), resolve(t.Key), resolve(t.CA)
	}
	for name, b := range c.Bots {
		b.Flow = resolve(b.Flow)
		c.Bots[name] = b
	}
}

// errTooLarge reports a file that can't be meant.
var errTooLarge = errors.New("too large")

func readFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = errTooLarge
	}
	return content, err
}

// reason leaves the path out of a file's error, since the message around it names it.
func reason(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
