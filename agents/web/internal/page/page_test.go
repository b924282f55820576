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

	"github.com/progressive-framework/platform/agents/internal/testplatform"
)

// timeout is the timeout of the test on a busy machine. It does not include the build of the services.
const timeout = 3 * time.Minute

// findChromium returns the path of Chromium (Debian's chromium).
func findChromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "Chromium is not on this machine: install Debian's chromium")
	return path
}

// newPlatform builds the services and starts real servers. go test reuses an old result while
// the files that the test read are unchanged. So newPlatform also reads the folders of the
// services, which this test does not import.
func newPlatform(t *testing.T) *testplatform.Environment {
	t.Helper()
	require.NoError(t, filepath.WalkDir("../../..", func(_ string, _ fs.DirEntry, err error) error { return err }))
	env, err := testplatform.New(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, env.Close()) })
	return env
}

// TestUserPlansAWeek uses the page as a user does. The user signs in, sees the agents' status,
// requests a plan from the real agents, and sees a week with training and meals. The browser
// must report no error, such as a violation of the Content-Security-Policy.
func TestUserPlansAWeek(t *testing.T) {
	env := newPlatform(t)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	chromium := findChromium(t)
	platform, err := env.StartPlatform(ctx, "AGENT_TIMEOUT=20s", "COORDINATION_TIMEOUT=30s")
	require.NoError(t, err)
	token, err := env.Token("browser-user")
	require.NoError(t, err)

	allocator, closeBrowser := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))...)
	defer closeBrowser()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	var errors, sockets []string
	chromedp.ListenTarget(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				errors = append(errors, "console.error")
			}
		case *network.EventWebSocketCreated:
			sockets = append(sockets, e.URL)
		case *runtime.EventExceptionThrown:
			errors = append(errors, e.ExceptionDetails.Error())
		}
	})
	var rejected, agents, user, message, week, notes string
	var days, trainingDays int
	require.NoError(t, chromedp.Run(tab,
		network.Enable(),
		chromedp.Navigate(platform.Web.URL+"/"),
		chromedp.SendKeys("#token", "test-token"),
		chromedp.Click("#sign-in button"),
		chromedp.Poll(`document.querySelector('#message').textContent`, &rejected),
		chromedp.SetValue("#token", token),
		chromedp.Click("#sign-in button"),
		chromedp.WaitVisible("#plan"),
		chromedp.Text("#user", &user),
		chromedp.Poll(`document.querySelectorAll('#agents [data-state=up]').length === 3 && document.querySelector('#live').innerText`, &agents),
		chromedp.SetValue("#diet", "vegetarian"),
		chromedp.Click("#plan-week"),
		chromedp.WaitVisible("#week article"),
		chromedp.Evaluate(`document.querySelectorAll('#week article').length`, &days),
		chromedp.Evaluate(`[...document.querySelectorAll('#week article.training')].filter((a) => a.textContent.includes('Training:')).length`, &trainingDays),
		chromedp.Text("#week", &week),
		chromedp.Text("#notes", &notes),
		chromedp.Text("#message", &message, chromedp.NodeReady),
	))
	require.Contains(t, rejected, "invalid token")
	require.Equal(t, "Signed in as browser-user.", user)
	require.Contains(t, agents, "Agents are active")
	require.Contains(t, agents, "npa up")
	require.NotEmpty(t, sockets)
	for _, url := range sockets {
		require.NotContains(t, url, "?", "URLs are in access logs, so they must not have the token")
	}
	require.Equal(t, 7, days)
	require.Equal(t, 3, trainingDays, "the requested number of trainings")
	require.Equal(t, 7, strings.Count(week, " kcal"))
	require.Equal(t, 7, strings.Count(week, " g protein"))
	require.Contains(t, week, "Breakfast")
	require.NotContains(t, week, "1 sets")
	require.NotContains(t, week, "undefined")
	require.Contains(t, notes, "activity level, age, height, sex and weight.")
	require.Empty(t, message)
	require.Empty(t, errors)
}
