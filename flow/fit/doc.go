// Package fit holds the limits of WhatsApp's messages, and makes texts fit them.
package fit
