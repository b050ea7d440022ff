"""A real browser without a window: Chromium or Chrome, driven through its own driver."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

OPENED = """
const done = arguments[arguments.length - 1];
const seen = (image) => image.getBoundingClientRect().top < innerHeight;
(function look() {
  const images = [...document.querySelectorAll(".card > button img")].slice(0, 100)
    .filter((image) => image.offsetParent && seen(image));
  if (images.length && images.every((image) => image.complete && image.naturalWidth)) {
    Promise.all(images.map((image) => image.decode()))
      .then(() => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  } else requestAnimationFrame(look);
})();
"""
"""Milliseconds from following the link until all pictures in the window are painted."""
FILTERED = """
const done = arguments[arguments.length - 1];
const find = document.getElementById("find");
const began = performance.now();
find.value = arguments[0];
find.dispatchEvent(new Event("input"));
requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
"""
"""Milliseconds from a word in the search field until the sheet is painted anew."""
CONTRAST = """
const light = (color) => {
  const linear = color.match(/[\\d.]+/g).slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
let behind = arguments[0];
const clear = "rgba(0, 0, 0, 0)";
while (getComputedStyle(behind).backgroundColor === clear) behind = behind.parentElement;
const ink = light(getComputedStyle(arguments[0]).color);
const paper = light(getComputedStyle(behind).backgroundColor);
return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
"""
"""An element's contrast of text to background (W3C, WCAG 2.2, contrast ratio); 4.5 is enough."""


def missing() -> str:
    """What a browser test lacks here, with the fix; empty where it can run."""
    if not any(map(shutil.which, BROWSERS)) or not shutil.which("chromedriver"):
        return "needs Chromium and its driver: apt-get install chromium chromium-driver"
    return ""


@contextmanager
def browser(profile: Path, *, width: int = 1280, height: int = 860) -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own in ``profile``; its log of the console is kept."""
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, BROWSERS)))
    for argument in (
        "--headless=new",
        "--hide-scrollbars",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium has none for root, as in a container
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()
