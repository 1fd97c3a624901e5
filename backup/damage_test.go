package backup

import (
	"bytes"
	"errors"
	"path"
	"testing"

	"filippo.io/age"
)

// checks are the ways in which a backup is read: none of them may miss damage.
func checks(t *testing.T, target Target, name string, keys ...age.Identity) map[string]error {
	t.Helper()
	found := map[string]error{}
	m, err := Find(t.Context(), target, name)
	if err != nil {
		return map[string]error{"find": err}
	}
	for _, level := range Levels {
		_, found[string(level)] = Verify(t.Context(), target, m, level, keys)
	}
	_, found["restore"] = Restore(t.Context(), target, m, RestoreOptions{Identities: keys},
		func(uint32, []byte, []byte) error { return nil })
	return found
}

func wantDamaged(t *testing.T, what string, found map[string]error) {
	t.Helper()
	for check, err := range found {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %s reports %v, want ErrDamaged", what, check, err)
		}
	}
}

// TestAFlippedByteIsFound in the manifest and in objects, encrypted and not, wherever it is.
func TestAFlippedByteIsFound(t *testing.T) {
	key := newKey(t)
	for _, recipients := range [][]age.Recipient{nil, {key.Recipient()}} {
		target := newMemory()
		m := made(t, target, recipients...)
		for _, name := range []string{m.Objects[1].Name, path.Join(m.Name, manifestName)} {
			whole := target.objects[name]
			for at := 0; at < len(whole); at += 1 + at%23 {
				damaged := bytes.Clone(whole)
				damaged[at] ^= 0x10
				target.objects[name] = damaged
				for check, err := range checks(t, target, m.Name, key) {
					if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
						t.Errorf("byte %d of %s: %s reports %v", at, path.Base(name), check, err)
					}
				}
			}
			target.objects[name] = whole
		}
	}
}

// TestWhatIsCutIsFound: objects and manifests that end early, or go on.
func TestWhatIsCutIsFound(t *testing.T) {
	target := newMemory()
	m := made(t, target)
	for _, name := range []string{m.Objects[0].Name, path.Join(m.Name, manifestName)} {
		whole := target.objects[name]
		for _, length := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
			target.objects[name] = whole[:length]
			wantDamaged(t, "cut "+path.Base(name), checks(t, target, m.Name))
		}
		target.objects[name] = append(bytes.Clone(whole), 'x')
		wantDamaged(t, "longer "+path.Base(name), checks(t, target, m.Name))
		target.objects[name] = whole
	}
}

// TestObjectsOfOthersAreFound: of another shard, or of another backup, also where the manifest was
// made to agree.
func TestObjectsOfOthersAreFound(t *testing.T) {
	target := newMemory()
	m, other := made(t, target), made(t, target)
	objects := target.objects
	one, two := m.Objects[0].Name, m.Objects[1].Name
	objects[one], objects[two] = objects[two], objects[one]
	wantDamaged(t, "swapped shards", checks(t, target, m.Name))
	m.Objects[0], m.Objects[1] = m.Objects[1], m.Objects[0]
	m.Objects[0].Name, m.Objects[1].Name, m.Objects[0].Shard, m.Objects[1].Shard = one, two, 1, 2
	forge(t, target, m)
	found := checks(t, target, m.Name)
	delete(found, string(Files)) // which looks at the bytes alone
	wantDamaged(t, "swapped shards with a new manifest", found)

	objects[one] = objects[other.Objects[0].Name]
	m.Objects[0] = other.Objects[0]
	m.Objects[0].Name = one
	forge(t, target, m)
	found = checks(t, target, m.Name)
	delete(found, string(Files))
	wantDamaged(t, "an object of another backup", found)

	objects[path.Join(other.Name, manifestName)] = objects[path.Join(m.Name, manifestName)]
	wantDamaged(t, "the manifest of another backup", checks(t, target, other.Name))
}

func forge(t *testing.T, target *memory, m *Manifest) {
	t.Helper()
	if err := writeManifest(t.Context(), target, m); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsMissingIsFound: without its manifest a backup is none; without an object it is damaged.
func TestWhatIsMissingIsFound(t *testing.T) {
	target := newMemory()
	m := made(t, target)
	object := m.Objects[2].Name
	whole := target.objects[object]
	delete(target.objects, object)
	wantDamaged(t, "a missing object", checks(t, target, m.Name))
	target.objects[object] = whole
	delete(target.objects, path.Join(m.Name, manifestName))
	for _, name := range []string{m.Name, Latest} {
		if _, err := Find(t.Context(), target, name); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v, want ErrNone", name, err)
		}
	}
	m.Format = Format + 1
	forge(t, target, m)
	if _, err := Find(t.Context(), target, m.Name); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer format: %v", err)
	}
}

// TestTheRightKeyIsNeeded: without one, and with another one, what is said is ErrKey.
func TestTheRightKeyIsNeeded(t *testing.T) {
	target := newMemory()
	m := made(t, target, newKey(t).Recipient())
	for _, keys := range [][]age.Identity{nil, {newKey(t)}} {
		for check, err := range checks(t, target, m.Name, keys...) {
			if check == string(Files) && err != nil || check != string(Files) && !errors.Is(err, ErrKey) {
				t.Errorf("%d keys: %s reports %v", len(keys), check, err)
			}
		}
	}
}

// TestTargetsThatAreNoneAreRejected with what to write instead.
func TestTargetsThatAreNoneAreRejected(t *testing.T) {
	for _, address := range []string{"", "backups", "/backups", "file://backups", "file:///", "ftp://host/x", "%"} {
		if target, err := OpenTarget(address); err == nil {
			t.Errorf("%q is %v", address, target)
		}
	}
	target, err := OpenTarget("file://" + t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "/x", "a/../../x", ""} {
		if _, err := target.Create(t.Context(), name); err == nil {
			t.Errorf("%q is a name", name)
		}
		if _, err := target.Open(t.Context(), name); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
}
