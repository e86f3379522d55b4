// Package lifecycle holds the verbs that span nouns: what has to happen to several of them in one transaction or not at all.
//
// It has no rows and no SQL of its own; each noun does its part in a …Tx verb.
package lifecycle
