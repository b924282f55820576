package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// ruleTools are the commands for each family of addresses.
var ruleTools = []string{"iptables", "ip6tables"}

// ourChains are the prefixes of the chains that kube-proxy, the kubelet and the
// network plugins make.
var ourChains = []string{"KUBE-", "CNI-"}

func isOurs(chain string) bool {
	for _, prefix := range ourChains {
		if strings.HasPrefix(chain, prefix) {
			return true
		}
	}
	return false
}

// rules are ours of one table, as iptables-save tells them.
type rules struct {
	table  string
	chains []string // ours
	jumps  []string // rules of other chains that lead into ours, from "-A" on
}

// parseRules picks what is ours from the output of iptables-save.
func parseRules(saved string) []rules {
	var all []rules
	var now *rules
	for _, line := range strings.Split(saved, "\n") {
		switch {
		case strings.HasPrefix(line, "*"):
			all = append(all, rules{table: line[1:]})
			now = &all[len(all)-1]
		case now == nil:
		case strings.HasPrefix(line, ":"):
			if chain, _, _ := strings.Cut(line[1:], " "); isOurs(chain) {
				now.chains = append(now.chains, chain)
			}
		case strings.HasPrefix(line, "-A "):
			f := strings.Fields(line)
			if isOurs(f[1]) {
				continue // goes with its chain
			}
			// A chain takes no options, so the jump to it ends the rule; before
			// that, a comment may say anything.
			if to := f[len(f)-2:]; (to[0] == "-j" || to[0] == "-g") && isOurs(to[1]) {
				now.jumps = append(now.jumps, line)
			}
		}
	}
	return all
}

// removal is the input of iptables-restore --noflush that takes rules away:
// first whatever leads into our chains, then what is in them (declaring a chain
// empties it), then the chains.
func removal(all []rules) string {
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

func savedRules(ctx context.Context, tool string) ([]rules, error) {
	if _, err := exec.LookPath(tool + "-save"); err != nil {
		return nil, nil // then nobody has made rules with it either
	}
	out, err := command(ctx, "", tool+"-save")
	return parseRules(out), err
}

// noOtherNode refuses a machine that already is a node, of k3s or kubeadm say:
// Stop could not tell that one's chains from ours and would take both away.
func noOtherNode(ctx context.Context) error {
	for _, tool := range ruleTools {
		all, err := savedRules(ctx, tool)
		if err != nil {
			return err
		}
		if chain := firstChain(all); chain != "" {
			return fmt.Errorf("this machine is a node of another Kubernetes already: %s has the chain %s, which this sandbox did not make; "+
				"use that cluster with CLUSTER=existing, or take another machine", tool, chain)
		}
	}
	return nil
}

// firstChain is one of the chains in all, and empty where there is none.
func firstChain(all []rules) string {
	for _, r := range all {
		if len(r.chains) > 0 {
			return r.chains[0]
		}
	}
	return ""
}

// removeRules takes away every rule and chain of ours.
func removeRules(ctx context.Context) error {
	for _, tool := range ruleTools {
		all, err := savedRules(ctx, tool)
		if err != nil {
			return err
		}
		if input := removal(all); input != "" {
			if _, err := command(ctx, input, tool+"-restore", "--noflush", "--wait", "5"); err != nil {
				return err
			}
		}
	}
	return nil
}

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
