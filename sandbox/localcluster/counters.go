package cluster

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
)

// Accounting objects of the kernel (nfnetlink_acct) that kube-proxy counts
// packets in; iptables refers to them, but they do not go with its rules. The
// names are those of pkg/proxy/metrics.
var proxyCounters = []string{"ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"}

// The kernel's numbers, from linux/netfilter/nfnetlink.h and nfnetlink_acct.h.
const (
	netlinkNetfilter = 12
	accounting       = 7 << 8 // NFNL_SUBSYS_ACCT
	accountingGet    = 1
	accountingDelete = 3
	accountingName   = 1
)

// counterRequest asks the kernel something about one accounting object; it
// returns false where there is none of that name, or none at all.
func counterRequest(name string, what int) (bool, error) {
	req := nl.NewNetlinkRequest(accounting|what, syscall.NLM_F_ACK)
	req.AddData(&nl.Nfgenmsg{NfgenFamily: syscall.AF_UNSPEC, Version: nl.NFNETLINK_V0})
	req.AddData(nl.NewRtAttr(accountingName, nl.ZeroTerminated(name)))
	_, err := req.Execute(netlinkNetfilter, 0)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, syscall.ENOENT),
		errors.Is(err, syscall.EINVAL),          // the kernel's module is not there
		errors.Is(err, syscall.EPROTONOSUPPORT), // nor netfilter
		errors.Is(err, syscall.EOPNOTSUPP):
		return false, nil
	}
	return false, fmt.Errorf("nfacct %s: %w", name, err)
}

func foundCounters() ([]string, error) {
	var names []string
	for _, name := range proxyCounters {
		found, err := counterRequest(name, accountingGet)
		if err != nil {
			return names, err
		}
		if found {
			names = append(names, name)
		}
	}
	return names, nil
}

// removeCounters must come after removeRules: one in use cannot be deleted.
func removeCounters() error {
	var errs []error
	for _, name := range proxyCounters {
		_, err := counterRequest(name, accountingDelete)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
