package config

import (
	"strings"
	"time"

	"filippo.io/age"
)

// Backup is where and how backups of the cluster are made.
type Backup struct {
	// To is where they lie: file:///folder. Default none: no backups are made. In a cluster it is
	// the same place on each node, so a folder is one that all of them mount.
	To string `yaml:"to"`
	// Every is how often a backup is made; 0: only when an operator asks for one. Default 0; else
	// 1m to 30d.
	Every time.Duration `yaml:"every"`
	// Keep says which of them are kept.
	Keep Keep `yaml:"keep"`
	// Verify is how deep each is looked into once it is made: files, or off. Default files. What
	// needs the secret key is for wactor backup verify: no node has it.
	Verify string `yaml:"verify"`
	// Encrypt says who can read them. Required with To.
	Encrypt Encrypt `yaml:"encrypt"`
	// Rate bounds what is read for a backup, in bytes a second. Default 20MiB; 64KiB to 16GiB.
	Rate Size `yaml:"rate"`
}

// Restore fills an empty data directory at a start.
type Restore struct {
	// From is a backup below Backup.To by its name, or latest: the newest one, of whatever cluster.
	// Default none. It is for the one node that founds a cluster by itself.
	From string `yaml:"from"`
	// If says when: empty, where nothing lies in the data directory, which is the only word so far.
	// Required with From.
	If string `yaml:"if"`
	// Identity is a file with the secret key of age, needed where the backup is encrypted.
	Identity string `yaml:"identity"`
}

func (c *Config) validateRestore(r *report) {
	restore := &c.Restore
	if restore.From == "" {
		return
	}
	r.required("backup.to", c.Backup.To == "", "write where the backups lie: file:///folder")
	r.oneOf("restore.if", restore.If, "empty")
	if len(c.Cluster.Join) > 0 || c.Cluster.Expect > 1 {
		r.add("restore.from", "restore on one node without join and expect, and let the others join it empty",
			"is set on a node that has others to join: each would become a cluster of its own")
	}
}

// Keep says which backups are kept: the newest, and the newest of each of the newest days and weeks
// in which there is one.
type Keep struct {
	// Last is how many of the newest are kept. Default 24; 1 to 10000.
	Last int `yaml:"last"`
	// Daily and Weekly are of how many days and weeks one is kept. Defaults 14 and 8; up to 10000.
	Daily  int `yaml:"daily"`
	Weekly int `yaml:"weekly"`
}

// Encrypt says for whom backups are encrypted.
type Encrypt struct {
	// Recipients are public keys of age, such as age-keygen writes: age1….
	Recipients []string `yaml:"recipients"`
	// Off leaves backups unencrypted: all that users wrote can be read where they lie. Default
	// false.
	Off bool `yaml:"off"`
}

const minBackupRate, maxBackupRate = 64 << 10, 16 << 30

func (b *Backup) validate(r *report) {
	if b.Rate < minBackupRate || b.Rate > maxBackupRate {
		r.add("backup.rate", "write 20MiB", "must be 64KiB to 16GiB, not %s", r.show("backup.rate", b.Rate.String()))
	}
	for i, recipient := range b.Encrypt.Recipients {
		if _, err := age.ParseRecipients(strings.NewReader(recipient)); err != nil {
			r.add(element("backup.encrypt.recipients", i), "write a public key that age-keygen has printed: age1…",
				"is no public key of age")
		}
	}
	if folder, ok := strings.CutPrefix(b.To, "file:///"); b.To != "" && (!ok || strings.Trim(folder, "/") == "") {
		r.add("backup.to", "write file:///folder", "%s is no place for backups", r.quote("backup.to", b.To))
	}
	if b.Every != 0 {
		r.durationBetween("backup.every", b.Every, time.Minute, 30*day)
		r.required("backup.to", b.To == "", "write file:///folder")
	}
	r.between("backup.keep.last", b.Keep.Last, 1, 10_000)
	r.between("backup.keep.daily", b.Keep.Daily, 0, 10_000)
	r.between("backup.keep.weekly", b.Keep.Weekly, 0, 10_000)
	r.oneOf("backup.verify", b.Verify, "files", "off")
	switch {
	case b.To == "":
	case b.Encrypt.Off && len(b.Encrypt.Recipients) > 0:
		r.add("backup.encrypt.off", "remove one of the two", "is true, and there are recipients")
	case !b.Encrypt.Off && len(b.Encrypt.Recipients) == 0:
		r.add("backup.encrypt", "name recipients: keys that age-keygen has printed; or write off: true",
			"is missing: backups hold all that users wrote")
	}
}
