package aws

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/faults"
)

// addFault configures a fault. Without Nth, the next matching call fails.
func (s *sandbox) addFault(f faults.Fault) {
	s.t.Helper()
	if f.Nth == 0 {
		f.Nth = 1
	}
	require.NoError(s.t, s.p.faults.AddFault(f))
}

func TestFaultFailsOnlyTheNthCall(t *testing.T) {
	s := newSandbox(t, nil)
	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	s.addFault(faults.Fault{Op: "create", Type: subnetT, Nth: 2, Mode: faults.Error, Code: "InsufficientFreeAddressesInSubnet", Message: "none left"})
	createSubnet := func(block string) error {
		_, err := s.create(subnetT, "s", props{"vpcId": vpc.id, "cidrBlock": block})
		return err
	}
	require.NoError(t, createSubnet("10.0.0.0/24"))
	s.mustCreate(elasticIPT, "other", nil)
	require.EqualError(t, createSubnet("10.0.1.0/24"), "create: creating EC2 Subnet: api error InsufficientFreeAddressesInSubnet: none left")
	require.NoError(t, createSubnet("10.0.1.0/24"), "a fault fails one call, and that call created nothing")
}

func TestPermanentFaultEndsWhenCleared(t *testing.T) {
	s := newSandbox(t, nil)
	s.addFault(faults.Fault{Op: faults.Any, Type: faults.Any, Mode: faults.Error, Permanent: true})
	for range 3 {
		_, err := s.create(elasticIPT, "a", nil)
		require.ErrorContains(t, err, "InternalError")
	}
	_, err := s.invoke("aws:index/getRegion:getRegion", nil)
	require.ErrorContains(t, err, "InternalError", "functions can fail as well")
	require.NoError(t, s.p.faults.Clear())
	s.mustCreate(elasticIPT, "a", nil)
}

func TestThrottledCallFailsOnlyIfPermanent(t *testing.T) {
	s := newSandbox(t, nil)
	s.addFault(faults.Fault{Op: "create", Type: elasticIPT, Mode: faults.Throttle, Delay: time.Millisecond})
	s.mustCreate(elasticIPT, "a", nil)
	s.addFault(faults.Fault{Op: "create", Type: elasticIPT, Mode: faults.Throttle, Permanent: true})
	_, err := s.create(elasticIPT, "b", nil)
	require.ErrorContains(t, err, "RequestLimitExceeded")
	s.addFault(faults.Fault{Op: "create", Type: roleT, Mode: faults.Throttle, Permanent: true})
	_, err = s.create(roleT, "r", props{"assumeRolePolicy": podTrust})
	require.ErrorContains(t, err, "ThrottlingException")
}

func TestCallWithALostReplyIsExecuted(t *testing.T) {
	s := newSandbox(t, nil)
	for _, mode := range []string{faults.LoseReply, faults.Crash} {
		s.addFault(faults.Fault{Op: "create", Type: roleT, Mode: mode})
		in := props{"name": "role-" + mode, "assumeRolePolicy": podTrust}
		_, err := s.create(roleT, "r", in)
		require.ErrorContains(t, err, "connection reset by peer", mode)
		_, err = s.create(roleT, "r", in)
		require.ErrorContains(t, err, "EntityAlreadyExists", "the role was created")
		imported := &resource{token: roleT, name: "r", id: "role-" + mode}
		require.True(t, s.refresh(imported), "the created role can be imported")
	}
	require.Equal(t, crashCode, s.exitCode, "a crash ends the process")
	s.mustCreate(policyAttachmentT, "a", props{"role": "role-crash", "policyArn": clusterPolicyARN})
	s.addFault(faults.Fault{Op: "create", Type: policyAttachmentT, Mode: faults.LoseReply})
	in := props{"role": "role-lose-reply", "policyArn": clusterPolicyARN}
	_, err := s.create(policyAttachmentT, "b", in)
	require.Error(t, err)
	s.mustCreate(policyAttachmentT, "b", in) // a second attachment of the same policy is not an error
}

func TestSlowCallsAreDelayed(t *testing.T) {
	s := newSandbox(t, nil)
	require.NoError(t, s.p.faults.AddSlowdown(faults.Slowdown{Type: elasticIPT, Delay: time.Millisecond}))
	delay, matched, err := s.p.faults.CountCall("create", elasticIPT)
	require.NoError(t, err)
	require.Nil(t, matched)
	require.Equal(t, time.Millisecond, delay)
	s.mustCreate(elasticIPT, "a", nil)
}

func TestProcessesShareTheCountersOfFaults(t *testing.T) {
	s := newSandbox(t, nil)
	s.addFault(faults.Fault{Op: "create", Type: elasticIPT, Nth: 2, Mode: faults.Error})
	s.mustCreate(elasticIPT, "a", nil)
	s.p = s.newProvider(nil) // another process
	_, err := s.create(elasticIPT, "b", nil)
	require.ErrorContains(t, err, "InternalError", "the second call of both processes together")
	for reason, f := range map[string]faults.Fault{
		"no such operation": {Op: "paint", Type: "*", Nth: 1, Mode: faults.Error},
		"no such mode":      {Op: "create", Type: "*", Nth: 1, Mode: "explode"},
		"no such call":      {Op: "create", Type: "*", Nth: 0, Mode: faults.Error},
	} {
		require.Error(t, s.p.faults.AddFault(f), reason)
	}
}
