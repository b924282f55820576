package localcluster

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
)

// proxyCounters are the names of the kernel's accounting objects (nfnetlink_acct) in which
// kube-proxy counts packets. The kernel keeps these objects when the iptables rules that use
// them are deleted. kube-proxy defines the names in pkg/proxy/metrics (repository kubernetes).
var proxyCounters = []string{"ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"}

// Constants of the kernel, from linux/netlink.h, linux/netfilter/nfnetlink.h and
// linux/netfilter/nfnetlink_acct.h.
const (
	netlinkNetfilter = 12     // NETLINK_NETFILTER
	accounting       = 7 << 8 // NFNL_SUBSYS_ACCT
	accountingGet    = 1      // NFNL_MSG_ACCT_GET
	accountingDelete = 3      // NFNL_MSG_ACCT_DEL
	accountingName   = 1      // NFACCT_NAME
)

// sendCounterRequest sends the kernel a request for an operation on one accounting object.
// exists is false if the kernel has no object with this name or has no accounting objects.
func sendCounterRequest(name string, operation int) (exists bool, err error) {
	req := nl.NewNetlinkRequest(accounting|operation, syscall.NLM_F_ACK)
	req.AddData(&nl.Nfgenmsg{NfgenFamily: syscall.AF_UNSPEC, Version: nl.NFNETLINK_V0})
	req.AddData(nl.NewRtAttr(accountingName, nl.ZeroTerminated(name)))
	_, err = req.Execute(netlinkNetfilter, 0)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, syscall.ENOENT),
		errors.Is(err, syscall.EINVAL),          // the kernel module is not loaded
		errors.Is(err, syscall.EPROTONOSUPPORT), // the kernel has no netfilter
		errors.Is(err, syscall.EOPNOTSUPP):
		return false, nil
	}
	return false, fmt.Errorf("nfacct %s: %w", name, err)
}

// findCounters returns the names of the counters that exist in the kernel.
func findCounters() ([]string, error) {
	var names []string
	for _, name := range proxyCounters {
		found, err := sendCounterRequest(name, accountingGet)
		if err != nil {
			return names, err
		}
		if found {
			names = append(names, name)
		}
	}
	return names, nil
}

// removeCounters deletes the counters. It must run after removeRules, because a counter
// that a rule uses can't be deleted.
func removeCounters() error {
	var errs []error
	for _, name := range proxyCounters {
		_, err := sendCounterRequest(name, accountingDelete)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
