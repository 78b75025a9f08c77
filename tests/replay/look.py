"""Looks at replayed pages in headless Chromium; run by .venv-replay, which has playwright.

Standard input: {"browser": path, "looks": [{"name", "url", "frame", "screenshot"}]}: open `url`, find the frame whose address
contains `frame`, wait for its pictures. Standard output: what is to be seen in each, and every address the browser asked for.
"""

import json
import sys
import time

from playwright.sync_api import sync_playwright

SEEN = """() => ({
    title: document.title,
    text: document.body ? document.body.innerText : "",
    charset: document.characterSet,
    url: location.href,
    images: Array.from(document.images).map(i => [i.src, i.naturalWidth, i.naturalHeight]),
    font: (() => {
        // Without a Chinese font every character is the same box.
        const drawn = character => {
            const canvas = document.createElement("canvas");
            const pen = canvas.getContext("2d");
            pen.font = "40px serif";
            pen.fillText(character, 5, 50);
            return canvas.toDataURL();
        };
        return drawn("芜") !== drawn("湖");
    })(),
    ready: document.readyState === "complete" && Array.from(document.images).every(i => i.complete),
})"""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # Nothing but this machine has a name: a replay that asks the live web fails.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PATIENCE = 40
# A viewer that works by a service worker may show its first page before that is at work: then a reader loads it again.
AGAIN = 8


def look(page, wanted):
    """Return what the frame shows once it is there and whole."""
    page.goto(wanted["url"])
    end, again = time.monotonic() + PATIENCE, time.monotonic() + AGAIN
    seen = None
    while time.monotonic() < end:
        if seen is None and time.monotonic() > again:
            page.reload()
            again += AGAIN
        for frame in page.frames:
            if wanted["frame"] in frame.url:
                try:
                    seen = frame.evaluate(SEEN)
                except Exception as error:  # noqa: BLE001 - the frame may be on its way to another page
                    seen = {"error": str(error)}
                if seen.get("ready") and seen["text"].strip():
                    page.screenshot(path=wanted["screenshot"])
                    return seen
        page.wait_for_timeout(200)
    page.screenshot(path=wanted["screenshot"])
    return {"failed": "not shown in time", "last": seen, "frames": [frame.url for frame in page.frames]}


def main():
    """Look at everything asked for."""
    job = json.load(sys.stdin)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=job["browser"], args=FLAGS)
        result = {}
        for wanted in job["looks"]:
            context = browser.new_context(viewport={"width": 1000, "height": 700}, service_workers="allow")
            asked = []
            context.on("request", lambda request, asked=asked: asked.append(request.url))
            result[wanted["name"]] = {**look(context.new_page(), wanted), "asked": asked}
            context.close()
        browser.close()
    json.dump(result, sys.stdout, ensure_ascii=False)


main()
