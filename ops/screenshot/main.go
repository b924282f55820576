// Command screenshot takes the README's picture of the front page: it requests
// a week from the running platform.
//
//	make screenshot
//
// The token is in the environment variable TOKEN, because other users of the
// machine can see arguments.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/progressive-framework/platform/components/scaling"
)

// url is the sandbox's URL.
var url = fmt.Sprintf("http://127.0.0.1:%d/", scaling.Web().NodePort)

// width and height of the picture in pixels are a small laptop's window. The
// scale is one pixel for each CSS pixel on any screen.
const width, height = 1280, 800

func main() {
	if err := run(os.Args[1:], os.Getenv("TOKEN")); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run signs in on the front page, plans a week and writes a picture of the
// page.
func run(args []string, token string) error {
	if len(args) != 1 || token == "" {
		return errors.New("usage: TOKEN=... screenshot FILE.png")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	allocator, closeBrowser := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))...)
	defer closeBrowser()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	var picture []byte
	if err := chromedp.Run(tab,
		chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1)),
		chromedp.Navigate(url),
		chromedp.SetValue("#token", token),
		chromedp.Click("#sign-in button"),
		chromedp.WaitVisible("#plan"),
		chromedp.Poll(`document.querySelectorAll('#agents [data-state=up]').length === 3`, nil),
		chromedp.Click("#plan-week"),
		chromedp.WaitVisible("#week article"),
		chromedp.CaptureScreenshot(&picture),
	); err != nil {
		return fmt.Errorf("front page at %s: %w", url, err)
	}
	return os.WriteFile(args[0], picture, 0o644)
}
