package backup

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
)

// ParseRecipient reads a public key, as age-keygen prints it.
func ParseRecipient(text string) (age.Recipient, error) {
	recipients, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(recipients) != 1 {
		return nil, errors.New("backup: it is no public key of age")
	}
	return recipients[0], nil
}

// ReadIdentities reads the secret keys in a file, as age-keygen writes it.
func ReadIdentities(file string) ([]age.Identity, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	identities, err := age.ParseIdentities(in)
	if err != nil {
		return nil, fmt.Errorf("backup: %s holds no secret key of age", file) // its error may quote one
	}
	return identities, nil
}
