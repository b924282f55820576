package regions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// backupCopies are the regions to which RDS copies the automated backups of a region. Source:
// RDS User Guide, "Replicating automated backups to another AWS Region", table of regions, as of
// 2023. Pairs that AWS added later are missing here.
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

// CheckBackupCopy returns an error if backupCopies does not list target among the regions to
// which RDS copies the backups of source.
func CheckBackupCopy(source, target string) error {
	if slices.Contains(backupCopies[source], target) {
		return nil
	}
	targets := strings.Join(backupCopies[source], ", ")
	if targets == "" {
		targets = "no other region"
	}
	return fmt.Errorf("RDS is not known to copy backups from %s to %s; it copies them to %s", source, target, targets)
}

// CheckVaultCopy returns an error unless source and target are different regions of the same
// partition. AWS Backup can't copy to other partitions (AWS Backup Developer Guide, "Creating backup
// copies across AWS Regions"). CheckVaultCopy does not check whether AWS Backup supports copies to
// target. It accepts regions of unknown partitions.
func CheckVaultCopy(source, target string) error {
	if err := Check(target); err != nil {
		return err
	}
	sourcePartition, targetPartition := Partition(source), Partition(target)
	switch {
	case source == target:
		return errors.New("is the stack's own region, and is lost with it: name another region")
	case sourcePartition != "" && targetPartition != "" && sourcePartition != targetPartition:
		return fmt.Errorf("is of partition %s; region %s is in %s, and nothing crosses partitions", targetPartition, source, sourcePartition)
	}
	return nil
}
