// Package lifecycle is the verbs that span nouns.
package lifecycle
