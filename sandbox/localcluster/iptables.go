package localcluster

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// iptablesLockSeconds is how long an iptables command waits while another one, such as that of
// kube-proxy, holds the lock.
const iptablesLockSeconds = "5"

// ruleTools are the commands for the firewall rules of IPv4 and of IPv6.
var ruleTools = []string{"iptables", "ip6tables"}

// nodeChainPrefixes are the prefixes of the node's chains. These are the iptables chains that
// kube-proxy, the kubelet, the network plugins and packetRules create.
var nodeChainPrefixes = []string{"KUBE-", "CNI-"}

// isNodeChain reports whether a chain is one of the node's chains.
func isNodeChain(chain string) bool {
	for _, prefix := range nodeChainPrefixes {
		if strings.HasPrefix(chain, prefix) {
			return true
		}
	}
	return false
}

// tableRules has the node's chains of one iptables table, and the rules that jump to them.
type tableRules struct {
	name   string
	chains []string // the names of the node's chains
	jumps  []string // the rules of other chains that jump to the node's chains, as "-A ..."
}

// parseRules reads the node's chains, and the rules that jump to them, from the output of
// iptables-save.
func parseRules(saved string) []tableRules {
	var tables []tableRules
	var current *tableRules
	for _, line := range strings.Split(saved, "\n") {
		switch {
		case strings.HasPrefix(line, "*"):
			tables = append(tables, tableRules{name: line[1:]})
			current = &tables[len(tables)-1]
		case current == nil: // a comment before the first table
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
	return tables
}

// removalScript returns the input of iptables-restore --noflush that removes the node's
// chains. It declares each chain, which empties it. Then it deletes the jumps to the
// chains, and then the chains.
func removalScript(tables []tableRules) string {
	var out strings.Builder
	for _, table := range tables {
		if len(table.chains)+len(table.jumps) == 0 {
			continue
		}
		fmt.Fprintf(&out, "*%s\n", table.name)
		for _, chain := range table.chains {
			fmt.Fprintf(&out, ":%s - [0:0]\n", chain)
		}
		for _, jump := range table.jumps {
			fmt.Fprintf(&out, "-D %s\n", strings.TrimPrefix(jump, "-A "))
		}
		for _, chain := range table.chains {
			fmt.Fprintf(&out, "-X %s\n", chain)
		}
		out.WriteString("COMMIT\n")
	}
	return out.String()
}

// readRules reads the node's chains with iptables or ip6tables. It returns none if the tool is not
// installed.
func readRules(ctx context.Context, tool string) ([]tableRules, error) {
	if _, err := exec.LookPath(tool + "-save"); err != nil {
		return nil, nil // without the tool there are no rules
	}
	out, err := runCommand(ctx, "", tool+"-save")
	return parseRules(out), err
}

// checkNoOtherNode returns an error if the machine is already a node of another Kubernetes
// cluster, such as k3s. Stop could not distinguish the chains of the two nodes, and would
// remove the chains of both.
func checkNoOtherNode(ctx context.Context) error {
	for _, tool := range ruleTools {
		tables, err := readRules(ctx, tool)
		if err != nil {
			return err
		}
		if chain := firstChain(tables); chain != "" {
			return fmt.Errorf("this machine is a node of another Kubernetes already: %s has the chain %s, which this sandbox did not create; "+
				"use that cluster with CLUSTER=existing, or use another machine", tool, chain)
		}
	}
	return nil
}

// firstChain returns the first of the node's chains in all tables, or "" if there is none.
func firstChain(tables []tableRules) string {
	for _, table := range tables {
		if len(table.chains) > 0 {
			return table.chains[0]
		}
	}
	return ""
}

// removeRules removes the node's chains and every jump to them.
func removeRules(ctx context.Context) error {
	for _, tool := range ruleTools {
		tables, err := readRules(ctx, tool)
		if err != nil {
			return err
		}
		if input := removalScript(tables); input != "" {
			if _, err := runCommand(ctx, input, tool+"-restore", "--noflush", "--wait", iptablesLockSeconds); err != nil {
				return err
			}
		}
	}
	return nil
}

// runCommand runs a command with the given standard input and returns the standard output. The
// error has the first lines of the standard error output.
func runCommand(ctx context.Context, input, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(append([]string{name}, args...), " "), err, firstLines(stderr.String(), 3))
	}
	return stdout.String(), nil
}
