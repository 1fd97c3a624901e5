// Package fit makes replies fit WhatsApp's limits, instead of losing a turn for a title of 25
// characters: whose product has a long name is not the author's mistake, and a user who gets no
// answer can do nothing about it.
//
// Append is the rule for flows and, with `fit: cut`, for bots: long texts are split, what does not
// fit before buttons goes before them as texts, titles and the like are cut, titles that come out
// alike are made different, and four to ten buttons become a list. What no cut can help is left as
// it is, for the channel's own check to find.
package fit
