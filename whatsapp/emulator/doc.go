// Package emulator plays WhatsApp: it builds the webhooks that a business number receives, signed as Meta signs them, and
// answers what a bot sends to the Graph API, with the faults that the real one has. Load tests and the simulated phone use it.
package emulator
