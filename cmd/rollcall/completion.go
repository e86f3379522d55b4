package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script. It asks this program for the candidates, so it never grows old.
func (c *completionCommand) Run(w world) error {
	_, err := fmt.Fprint(w.stdout, map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[c.Shell])
	return err
}

const bashScript = `# bash completion of rollcall. For this shell: source <(rollcall completion bash)
# For all: rollcall completion bash > ~/.local/share/bash-completion/completions/rollcall
_rollcall() {
	local IFS=$'\n'
	COMPREPLY=($(rollcall __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _rollcall rollcall
`

const zshScript = `#compdef rollcall
# zsh completion of rollcall. For this shell: source <(rollcall completion zsh)
# For all: rollcall completion zsh > "${fpath[1]}/_rollcall"
_rollcall() {
	local -a found
	found=(${(f)"$(rollcall __complete "${(@)words[2,CURRENT]}" 2>/dev/null | sed 's/:/\\:/g; s/\t/:/')"})
	if (( ${#found} )); then _describe rollcall found; else _files; fi
}
if [ "$funcstack[1]" = _rollcall ]; then _rollcall "$@"; else compdef _rollcall rollcall; fi
`

const fishScript = `# fish completion of rollcall. For all shells: rollcall completion fish > ~/.config/fish/completions/rollcall.fish
function __rollcall_complete
	set -l words (commandline -opc) (commandline -ct)
	rollcall __complete $words[2..-1] 2>/dev/null
end
complete -c rollcall -f -a '(__rollcall_complete)'
`

// completeCommand answers the scripts: words are what was typed after the program's name, the last one unfinished.
type completeCommand struct {
	Words []string `arg:"" optional:""`
}

// Run prints candidates, one a line, with a tab before what they mean.
func (c *completeCommand) Run(w world, parser *kong.Kong) error {
	for _, found := range candidates(parser.Model, c.Words) {
		if _, err := fmt.Fprintln(w.stdout, found); err != nil {
			return err
		}
	}
	return nil
}

func candidates(model *kong.Application, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	typed := words[len(words)-1]
	node := model.Node
	for i, word := range words[:len(words)-1] {
		if next := child(node, word); next != nil {
			node = next
		}
		if takes := flagOf(node, word); takes != nil && !takes.IsBool() && i == len(words)-2 {
			return nil // a value of a flag: nobody knows
		}
	}
	var out []string
	if strings.HasPrefix(typed, "-") {
		out = flagCandidates(node)
	} else {
		out = wordCandidates(node)
	}
	return slices.DeleteFunc(out, func(s string) bool { return !strings.HasPrefix(s, typed) })
}

func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if (c.Name == name || slices.Contains(c.Aliases, name)) && c.Type == kong.CommandNode {
			return c
		}
	}
	return nil
}

func flagOf(node *kong.Node, word string) *kong.Flag {
	for _, f := range node.Flags {
		if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

func flagCandidates(node *kong.Node) []string {
	out := []string{"--help\tShow what there is."}
	for _, f := range node.Flags {
		if !f.Hidden && f.Name != "help" {
			out = append(out, "--"+f.Name+"\t"+firstSentence(f.Help))
		}
	}
	return out
}

func wordCandidates(node *kong.Node) []string {
	var out []string
	for _, c := range node.Children {
		if !c.Hidden && c.Type == kong.CommandNode {
			out = append(out, c.Name+"\t"+firstSentence(c.Help))
		}
	}
	for _, a := range node.Positional {
		if a.Enum != "" {
			out = append(out, strings.Split(a.Enum, ",")...)
		}
	}
	return out
}

func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i >= 0 {
		return s[:i+1]
	}
	return s
}
