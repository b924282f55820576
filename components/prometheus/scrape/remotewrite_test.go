package scrape

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseWorkspaceAcceptsOnlyARNsOfWorkspaces(t *testing.T) {
	const id = "ws-0123abcd-4567-89ef-0123-456789abcdef"
	workspace, err := ParseWorkspace("arn:aws:aps:eu-west-1:123456789012:workspace/" + id)
	require.NoError(t, err)
	require.Equal(t, "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/"+id+"/api/v1/remote_write", workspace.writeURL())
	require.Equal(t, "123456789012", workspace.Account)
	for reason, arn := range map[string]string{
		"a URL":                       "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/" + id,
		"the workspace's id":          id,
		"another resource":            "arn:aws:aps:eu-west-1:123456789012:scraper/" + id,
		"a rule group of a workspace": "arn:aws:aps:eu-west-1:123456789012:workspace/" + id + "/rules",
		"all workspaces":              "arn:aws:aps:eu-west-1:123456789012:workspace/*",
		"no account":                  "arn:aws:aps:eu-west-1::workspace/" + id,
		"an ARN of another service":   "arn:aws:sns:eu-west-1:123456789012:workspace/" + id,
		"an id of another service":    "arn:aws:aps:eu-west-1:123456789012:workspace/g-0123abcd",
	} {
		_, err := ParseWorkspace(arn)
		require.ErrorContains(t, err, "must be the ARN of a workspace", reason)
	}
}

// Requests are signed for the workspace's region, and only the given series are written.
func TestRemoteWriteIsSignedAndLimitedToSeries(t *testing.T) {
	text, err := New(nil, Targets{Own: "a", Platform: "b"}).WithRemoteWrite(Workspace{Region: "eu-west-1", ID: "ws-1"}, "app", []string{"a", "b:c"}).File()
	require.NoError(t, err)
	var file struct {
		Global struct {
			Labels map[string]string `json:"external_labels"`
		}
		Writes []map[string]any `json:"remote_write"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &file))
	require.Equal(t, map[string]string{"cluster": "app", "__replica__": "${POD_NAME}"}, file.Global.Labels)
	require.Len(t, file.Writes, 1)
	require.Equal(t, map[string]any{"region": "eu-west-1"}, file.Writes[0]["sigv4"])
	require.Equal(t, map[string]any{"send": false}, file.Writes[0]["metadata_config"])
	require.Equal(t, []any{map[string]any{"source_labels": []any{"__name__"}, "regex": "a|b:c", "action": "keep"}}, file.Writes[0]["write_relabel_configs"])
}

// WithAlertmanager and WithRemoteWrite can be called in any order. They do not change the
// configuration on which they are called.
func TestRemoteWriteAndAlertmanagerAreIndependent(t *testing.T) {
	workspace := Workspace{Region: "eu-west-1", ID: "ws-1"}
	plain := New(nil, Targets{Own: "a", Platform: "b"})
	alertsFirst := plain.WithAlertmanager("alertmanager:9093").WithRemoteWrite(workspace, "app", []string{"a"})
	writesFirst := plain.WithRemoteWrite(workspace, "app", []string{"a"}).WithAlertmanager("alertmanager:9093")
	require.Equal(t, alertsFirst, writesFirst)
	require.Len(t, alertsFirst.Alerting.Alertmanagers, 1)
	require.Len(t, alertsFirst.Alerting.Relabel, 1)
	require.Nil(t, plain.Alerting)
	require.Empty(t, plain.RemoteWrites)
}
