// Command screenshot takes the README's picture of the front page: a person
// asks the running platform for a week and sees it.
//
//	make screenshot
//
// The token is in the environment as TOKEN, because arguments are shown to
// everybody on the machine.
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

// url is where the sandbox answers.
var url = fmt.Sprintf("http://127.0.0.1:%d/", scaling.Web().NodePort)

// width and height of the picture, in pixels: those of a small laptop's window,
// at one pixel for each of CSS's, whatever the machine's screen has.
const width, height = 1280, 800

func main() {
	if err := run(os.Args[1:], os.Getenv("TOKEN")); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, token string) error {
	if len(args) != 1 || token == "" {
		return errors.New("usage: TOKEN=... screenshot FILE.png")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	allocator, end := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))...)
	defer end()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	var picture []byte
	if err := chromedp.Run(tab,
		chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1)),
		chromedp.Navigate(url),
		chromedp.SetValue("#token", token),
		chromedp.Click("#sign-in button"),
		chromedp.WaitVisible("#wishes"),
		chromedp.Poll(`document.querySelectorAll('#agents [data-state=up]').length === 3`, nil),
		chromedp.Click("#ask"),
		chromedp.WaitVisible("#week article"),
		chromedp.CaptureScreenshot(&picture),
	); err != nil {
		return fmt.Errorf("front page at %s: %w", url, err)
	}
	return os.WriteFile(args[0], picture, 0o644)
}
