package localcluster

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// ruleTools are the commands for the firewall rules of IPv4 and of IPv6.
var ruleTools = []string{"iptables", "ip6tables"}

// nodeChains are the prefixes of the chains that kube-proxy, the kubelet and the
// network plugins create.
var nodeChains = []string{"KUBE-", "CNI-"}

func isNodeChain(chain string) bool {
	for _, prefix := range nodeChains {
		if strings.HasPrefix(chain, prefix) {
			return true
		}
	}
	return false
}

// rules are the chains of the node in one iptables table, and the rules that jump to them.
type rules struct {
	table  string
	chains []string // the names of the node's chains
	jumps  []string // the rules of other chains that jump to the node's chains, as "-A ..."
}

// parseRules reads the node's chains from the output of iptables-save.
func parseRules(saved string) []rules {
	var all []rules
	var current *rules
	for _, line := range strings.Split(saved, "\n") {
		switch {
		case strings.HasPrefix(line, "*"):
			all = append(all, rules{table: line[1:]})
			current = &all[len(all)-1]
		case current == nil: // a line before the first table, which has no rules
		case strings.HasPrefix(line, ":"):
			if chain, _, _ := strings.Cut(line[1:], " "); isNodeChain(chain) {
				current.chains = append(current.chains, chain)
			}
		case strings.HasPrefix(line, "-A "):
			words := strings.Fields(line)
			if isNodeChain(words[1]) {
				continue // the rule is removed with its chain
			}
			// A jump to a chain has no options, so it is at the end of the rule. A "-j" at
			// another position may be a part of a comment.
			option, target := words[len(words)-2], words[len(words)-1]
			if (option == "-j" || option == "-g") && isNodeChain(target) {
				current.jumps = append(current.jumps, line)
			}
		}
	}
	return all
}

// removalScript returns the input of iptables-restore --noflush that removes the node's
// chains. It declares each chain, which empties it. Then it deletes the jumps to the
// chains, and then the chains.
func removalScript(all []rules) string {
	var out strings.Builder
	for _, r := range all {
		if len(r.chains)+len(r.jumps) == 0 {
			continue
		}
		fmt.Fprintf(&out, "*%s\n", r.table)
		for _, c := range r.chains {
			fmt.Fprintf(&out, ":%s - [0:0]\n", c)
		}
		for _, j := range r.jumps {
			fmt.Fprintf(&out, "-D %s\n", strings.TrimPrefix(j, "-A "))
		}
		for _, c := range r.chains {
			fmt.Fprintf(&out, "-X %s\n", c)
		}
		out.WriteString("COMMIT\n")
	}
	return out.String()
}

// readRules reads the node's chains with iptables or ip6tables.
func readRules(ctx context.Context, tool string) ([]rules, error) {
	if _, err := exec.LookPath(tool + "-save"); err != nil {
		return nil, nil // without the tool there are no rules
	}
	out, err := command(ctx, "", tool+"-save")
	return parseRules(out), err
}

// checkNoOtherNode returns an error if the machine is already a node of another Kubernetes
// cluster, such as k3s. Stop could not distinguish the chains of the two nodes, and would
// remove the chains of both.
func checkNoOtherNode(ctx context.Context) error {
	for _, tool := range ruleTools {
		all, err := readRules(ctx, tool)
		if err != nil {
			return err
		}
		if chain := firstChain(all); chain != "" {
			return fmt.Errorf("this machine is a node of another Kubernetes already: %s has the chain %s, which this sandbox did not create; "+
				"use that cluster with CLUSTER=existing, or use another machine", tool, chain)
		}
	}
	return nil
}

// firstChain returns the first of the node's chains in all tables, or "" if there is none.
func firstChain(all []rules) string {
	for _, r := range all {
		if len(r.chains) > 0 {
			return r.chains[0]
		}
	}
	return ""
}

// removeRules removes the node's chains and every jump to them.
func removeRules(ctx context.Context) error {
	for _, tool := range ruleTools {
		all, err := readRules(ctx, tool)
		if err != nil {
			return err
		}
		if input := removalScript(all); input != "" {
			if _, err := command(ctx, input, tool+"-restore", "--noflush", "--wait", "5"); err != nil {
				return err
			}
		}
	}
	return nil
}

// command runs a command with the given standard input and returns its standard output.
func command(ctx context.Context, input, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(append([]string{name}, args...), " "), err, firstLines(stderr.String(), 3))
	}
	return stdout.String(), nil
}
