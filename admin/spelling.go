package admin

import "strings"

// digitsOf makes a phone number as people write it the digits that webhooks name: without +, white
// space, dashes, dots, slashes and brackets. A text that holds anything else, such as a
// business-scoped id, is left as it is, but for white space around it.
func digitsOf(user string) string {
	user = strings.TrimSpace(user)
	var digits strings.Builder
	for _, c := range user {
		switch {
		case c >= '0' && c <= '9':
			digits.WriteRune(c)
		case strings.ContainsRune("+ -./()\u00a0\u202f\u2011", c):
		default:
			return user
		}
	}
	if digits.Len() == 0 {
		return user
	}
	return digits.String()
}

// otherSpellings are the same phone number as the provider may write it otherwise: Brazil's mobile
// numbers with and without the ninth digit, Mexico's and Argentina's with and without the digit
// that once followed the country's code (WhatsApp's page "Phone numbers" names all three).
func otherSpellings(user string) []string {
	if user == "" || strings.Trim(user, "0123456789") != "" {
		return nil
	}
	const brazil, area = "55", 2
	rest, isBrazil := strings.CutPrefix(user, brazil)
	switch {
	case isBrazil && len(rest) == area+9 && rest[area] == '9':
		return []string{brazil + rest[:area] + rest[area+1:]}
	case isBrazil && len(rest) == area+8:
		return []string{brazil + rest[:area] + "9" + rest[area:]}
	}
	for country, digit := range map[string]string{"52": "1", "54": "9"} {
		rest, is := strings.CutPrefix(user, country)
		switch {
		case is && len(rest) == 11 && strings.HasPrefix(rest, digit):
			return []string{country + rest[1:]}
		case is && len(rest) == 10:
			return []string{country + digit + rest}
		}
	}
	return nil
}
