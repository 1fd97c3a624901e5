package backup

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
)

// Keep says which backups are kept: the newest Last of them, and the newest of each of the newest
// Daily days and Weekly weeks in which there is one (UTC).
type Keep struct{ Last, Daily, Weekly int }

// draftLife is how old something without a manifest must be to be taken for what a backup has left
// that failed: no backup takes so long.
const draftLife = 48 * time.Hour

// begun is when a backup was begun, as its name says.
func begun(name string) (time.Time, bool) {
	stamp, _, _ := strings.Cut(path.Base(name), "-")
	at, err := time.Parse(nameTime, stamp)
	return at, err == nil
}

// kept returns those of these backups that are kept. Names are in the order of their times.
func (k Keep) kept(names []string) map[string]bool {
	keep := map[string]bool{}
	days, weeks := map[string]bool{}, map[string]bool{}
	for i := len(names) - 1; i >= 0; i-- {
		at, ok := begun(names[i])
		if !ok || len(names)-i <= k.Last {
			keep[names[i]] = true // what another program has made is not ours to remove
		}
		year, week := at.ISOWeek()
		for _, one := range []struct {
			seen map[string]bool
			most int
			key  string
		}{{days, k.Daily, at.Format(time.DateOnly)}, {weeks, k.Weekly, fmt.Sprint(year, week)}} {
			if ok && !one.seen[one.key] && len(one.seen) < one.most {
				one.seen[one.key] = true
				keep[names[i]] = true
			}
		}
	}
	return keep
}

// Prune removes the backups of a cluster that are not kept, and what failed backups have left. It
// returns the names of the backups that it removed.
func Prune(ctx context.Context, target Target, cluster uint64, keep Keep, now time.Time) (removed []string, err error) {
	whole, drafts, err := namesOf(ctx, target, cluster)
	if err != nil {
		return nil, err
	}
	kept := keep.kept(whole)
	for _, name := range whole {
		if !kept[name] {
			err = errors.Join(err, Delete(ctx, target, name))
			removed = append(removed, name)
		}
	}
	for _, name := range drafts {
		if at, ok := begun(name); ok && now.Sub(at) > draftLife {
			err = errors.Join(err, Delete(ctx, target, name))
		}
	}
	return removed, err
}

// namesOf returns the names of the backups of a cluster in their order, and those of folders
// without a manifest.
func namesOf(ctx context.Context, target Target, cluster uint64) (whole, drafts []string, err error) {
	objects, err := target.List(ctx, fmt.Sprintf("%016x/", cluster))
	if err != nil {
		return nil, nil, err
	}
	has := map[string]bool{}
	var names []string
	for _, object := range objects {
		name := path.Dir(object)
		if _, known := has[name]; !known {
			names = append(names, name)
		}
		has[name] = has[name] || path.Base(object) == manifestName
	}
	for _, name := range names {
		if has[name] {
			whole = append(whole, name)
		} else {
			drafts = append(drafts, name)
		}
	}
	return whole, drafts, nil
}

// Newest returns the newest backup of a cluster; an ErrNone where it has none.
func Newest(ctx context.Context, target Target, cluster uint64) (*Manifest, error) {
	whole, _, err := namesOf(ctx, target, cluster)
	switch {
	case err != nil:
		return nil, err
	case len(whole) == 0:
		return nil, ErrNone
	}
	return readManifest(ctx, target, whole[len(whole)-1])
}
