package localcluster

import (
	"context"
	"fmt"
	"strings"
)

// NFQueueNumber is the number of the kernel's packet queue from which kube-network-policies reads.
const NFQueueNumber = 100

// packetRules are iptables rules of the mangle table in a separate chain. The chain's name
// begins with a prefix in nodeChainPrefixes, so that Stop removes the chain together with the
// other chains of the node.
type packetRules struct {
	chain        string
	builtinChain string // the chain of the kernel, such as FORWARD, that jumps to chain
	rules        []string
}

// install creates the chain or replaces its rules. It adds the jump to the chain if the jump
// is missing.
func (p packetRules) install(ctx context.Context) error {
	var input strings.Builder
	fmt.Fprintf(&input, "*mangle\n:%s - [0:0]\n", p.chain)
	for _, rule := range p.rules {
		fmt.Fprintf(&input, "-A %s %s\n", p.chain, rule)
	}
	input.WriteString("COMMIT\n")
	if _, err := runCommand(ctx, input.String(), "iptables-restore", "--noflush", "--wait", iptablesLockSeconds); err != nil {
		return err
	}
	runJumpCommand := func(option string) error {
		_, err := runCommand(ctx, "", "iptables", "-w", iptablesLockSeconds, "-t", "mangle", option, p.builtinChain, "-j", p.chain)
		return err
	}
	if runJumpCommand("-C") == nil { // -C succeeds only if the jump exists
		return nil
	}
	return runJumpCommand("-A") // -A appends the jump
}

// AddNFQueueRule makes the kernel queue the first packet of each connection between pods,
// and between pods and other machines. Packets from this machine are not queued, so the
// kubelet's probes always work. If no process reads the queue, all packets pass.
func AddNFQueueRule(ctx context.Context) error {
	err := packetRules{chain: "KUBE-NETWORK-POLICIES", builtinChain: "FORWARD", rules: []string{
		fmt.Sprintf("-m conntrack --ctstate NEW -j NFQUEUE --queue-num %d --queue-bypass", NFQueueNumber),
	}}.install(ctx)
	if err != nil {
		return fmt.Errorf("network policies: %w (the kernel needs the module xt_NFQUEUE)", err)
	}
	return nil
}

// podLinkNames is the iptables pattern for the pods' network devices on the host. The network
// plugin ptp chooses names with this prefix.
const podLinkNames = "veth+"

// keepPacketsInside makes the kernel drop packets to addresses of pods and services if the
// packets would leave this machine. There are such packets if the pod has ended, or if
// kube-proxy has no rule for the service. Without the drop, the packets would follow the
// machine's default route, and a host outside the machine could answer. A VPC also drops
// packets to unused addresses.
func keepPacketsInside(ctx context.Context) error {
	err := packetRules{chain: "KUBE-CLUSTER-ADDRESSES", builtinChain: "POSTROUTING", rules: []string{
		"-o lo -j RETURN",
		"-o " + podLinkNames + " -j RETURN",
		"-d " + PodCIDR + " -j DROP",
		"-d " + ServiceCIDR + " -j DROP",
	}}.install(ctx)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return nil
}
