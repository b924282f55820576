package page

import (
	"context"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/fleet"
)

// patience bounds the test on a busy machine, the compiler's time not counted.
const patience = 3 * time.Minute

// browser is the path of Chromium, which Debian's package of that name has.
func browser(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "Chromium is not on this machine: install Debian's chromium")
	return path
}

// built has the four programs on real servers. They are no imports of this test;
// looking at their folders tells `go test` when its last result is out of date.
func built(t *testing.T) *fleet.Fleet {
	t.Helper()
	require.NoError(t, filepath.WalkDir("../../..", func(_ string, _ fs.DirEntry, err error) error { return err }))
	f, err := fleet.New(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// TestAPersonPlansAWeek: signs in, watches the agents live, asks for a plan of
// the real agents, and sees a week with training and meals; the page breaks
// none of its own policy.
func TestAPersonPlansAWeek(t *testing.T) {
	programs := built(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	path := browser(t)
	platform, err := programs.StartPlatform(ctx, "AGENT_TIMEOUT=20s", "COORDINATION_TIMEOUT=30s")
	require.NoError(t, err)
	token, err := programs.Token("browser-user")
	require.NoError(t, err)

	allocator, end := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))...)
	defer end()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	var complaints, sockets []string
	chromedp.ListenTarget(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				complaints = append(complaints, "console.error")
			}
		case *network.EventWebSocketCreated:
			sockets = append(sockets, e.URL)
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Error())
		}
	})
	var refused, agents, user, message, week, notes string
	var days, trained int
	require.NoError(t, chromedp.Run(tab,
		network.Enable(),
		chromedp.Navigate(platform.Web.URL+"/"),
		chromedp.SendKeys("#token", "test-token"),
		chromedp.Click("#sign-in button"),
		chromedp.Poll(`document.querySelector('#message').textContent`, &refused),
		chromedp.SetValue("#token", token),
		chromedp.Click("#sign-in button"),
		chromedp.WaitVisible("#wishes"),
		chromedp.Text("#user", &user),
		chromedp.Poll(`document.querySelectorAll('#agents [data-state=up]').length === 3 && document.querySelector('#live').innerText`, &agents),
		chromedp.SetValue("#diet", "vegetarian"),
		chromedp.Click("#ask"),
		chromedp.WaitVisible("#week article"),
		chromedp.Evaluate(`document.querySelectorAll('#week article').length`, &days),
		chromedp.Evaluate(`[...document.querySelectorAll('#week article.training')].filter((a) => a.textContent.includes('Training:')).length`, &trained),
		chromedp.Text("#week", &week),
		chromedp.Text("#notes", &notes),
		chromedp.Text("#message", &message, chromedp.NodeReady),
	))
	require.Contains(t, refused, "the token is refused")
	require.Equal(t, "Signed in as browser-user.", user)
	require.Contains(t, agents, "Agents are active")
	require.Contains(t, agents, "npa up")
	require.NotEmpty(t, sockets)
	for _, url := range sockets {
		require.NotContains(t, url, "?", "a URL ends in access logs")
	}
	require.Equal(t, 7, days)
	require.Equal(t, 3, trained, "as many trainings as were asked for")
	require.Equal(t, 7, strings.Count(week, " kcal"))
	require.Equal(t, 7, strings.Count(week, " g protein"))
	require.Contains(t, week, "Breakfast")
	require.NotContains(t, week, "1 sets")
	require.NotContains(t, week, "undefined")
	require.Contains(t, notes, "activity level, age, height, sex and weight.")
	require.Empty(t, message)
	require.Empty(t, complaints)
}
