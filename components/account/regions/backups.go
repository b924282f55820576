package regions

import (
	"fmt"
	"slices"
	"strings"
)

// backupCopies are the regions to which RDS copies the automated backups of a region. Source:
// RDS User Guide, "Replicating automated backups to another AWS Region", table of regions, in
// a copy of 2023. Later pairs are missing here.
var backupCopies = map[string][]string{
	"ap-northeast-1": {"ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "us-east-1", "us-east-2", "us-west-2"},
	"ap-northeast-2": {"ap-northeast-1", "ap-southeast-1", "us-east-1", "us-east-2", "us-west-2"},
	"ap-northeast-3": {"ap-northeast-1"},
	"ap-south-1":     {"ap-southeast-1", "us-east-1", "us-east-2", "us-west-2"},
	"ap-southeast-1": {"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-2", "us-east-1", "us-east-2", "us-west-2"},
	"ap-southeast-2": {"ap-southeast-1", "us-east-1", "us-west-1", "us-west-2"},
	"ca-central-1":   {"eu-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"},
	"eu-central-1":   {"eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-2"},
	"eu-north-1":     {"eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1"},
	"eu-west-1":      {"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-1", "us-west-2"},
	"eu-west-2":      {"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3", "us-east-1"},
	"eu-west-3":      {"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "us-east-1"},
	"sa-east-1":      {"us-east-1", "us-east-2"},
	"us-east-1": {"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1",
		"eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-2", "us-west-1", "us-west-2"},
	"us-east-2": {"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ca-central-1", "eu-central-1", "eu-west-1", "sa-east-1",
		"us-east-1", "us-west-1", "us-west-2"},
	"us-west-1": {"ap-southeast-2", "ca-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"},
	"us-west-2": {"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-west-1",
		"us-east-1", "us-east-2", "us-west-1"},
}

// CheckBackupCopy returns an error if backupCopies does not list the region to as a target of
// the region from.
func CheckBackupCopy(from, to string) error {
	if slices.Contains(backupCopies[from], to) {
		return nil
	}
	targets := strings.Join(backupCopies[from], ", ")
	if targets == "" {
		targets = "no other region"
	}
	return fmt.Errorf("RDS is not known to copy backups from %s to %s; it copies them to %s", from, to, targets)
}
