package config

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/flow/fit"
)

// Bot is a program that answers: exactly one of Flow and HTTP.
type Bot struct {
	// Flow is the path of a flow file; a relative one counts from the configuration file's folder.
	Flow string `yaml:"flow"`
	// Budget is how long the expressions of a flow may work in one turn, which is tried again past
	// it. Default 100ms; 10ms to 10s.
	Budget time.Duration `yaml:"budget"`
	// HTTP is a program that is called over HTTP.
	HTTP *HTTPBot `yaml:"http"`
	// Receives are the types of messages that start a turn; others are given to the next one as
	// events. Default: what a person sends to be answered with HTTP, all with a flow, which has its
	// own ways with the others. At least one of policy.DefaultReceives and policy.Passive.
	Receives  []string         `yaml:"receives"`
	Retry     policy.Retry     `yaml:"retry"`
	OnFailure policy.OnFailure `yaml:"on_failure"`
	Burst     policy.Burst     `yaml:"burst"`
	Order     policy.Order     `yaml:"order"`
	// Debounce absorbs a tap on the same button or list row of the same prompt that comes within
	// this time after the last one. Default 2s; 0 (off) to 1m.
	Debounce time.Duration `yaml:"debounce"`
	// StaleButtons says what happens to a tap on a prompt that is no longer the newest: accept,
	// ignore or answer. Default accept.
	StaleButtons policy.Stale `yaml:"stale_buttons"`
	// StaleReply is the text that StaleButtons answer sends, up to 4096 characters. Required with
	// it.
	StaleReply string           `yaml:"stale_reply"`
	Session    policy.Session   `yaml:"session"`
	LoopGuard  policy.LoopGuard `yaml:"loop_guard"`
	Handoff    policy.Handoff   `yaml:"handoff"`
}

// HTTPBot says how a bot is called over HTTP. docs/bots.md describes the contract.
type HTTPBot struct {
	// URL is where turns are posted: http or https, without credentials. Required.
	URL string `yaml:"url"`
	// Timeout bounds a call. Default 30s; 100ms to 10m.
	Timeout time.Duration `yaml:"timeout"`
	// Secret signs the requests. Default none: they are not signed.
	Secret Secret `yaml:"secret"`
	// Headers are sent with each request, such as Authorization.
	Headers map[string]Secret `yaml:"headers"`
	// MaxConcurrent is how many calls may be under way at once; more wait. Default 256; 1 to 10000.
	MaxConcurrent int `yaml:"max_concurrent"`
	// Fit says what becomes of a reply that is past one of WhatsApp's limits: cut makes it fit,
	// refuse fails the turn. Default cut.
	Fit fit.Mode `yaml:"fit"`
}
