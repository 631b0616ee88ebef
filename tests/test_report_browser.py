"""A report in a real browser, from disk: it asks no host, runs nothing but its own script, and can be filtered."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from adkit.deploy import write_report
from tests.test_jupyterlab import BROWSER, DRIVER, FLAGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with its driver on this machine"),
]


@pytest.fixture
def browser():
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def test_a_report_lives_alone(browser, fitted, splits, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i, name in ((0, "good.png"), (70, "<img src=x onerror=alert(1)>.png"), (60, "bad.png")):
        Image.fromarray((255 * splits.test[i]["image"][0].numpy()).astype(np.uint8)).save(photos / name)
    Image.new("L", (64, 32)).save(photos / "dead.png")
    page = write_report(fitted.save(tmp_path / "detector"), photos, tmp_path / "page.html", quiet=True)
    browser.get(page.as_uri())
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("data:", page.as_uri()))] == []
    assert browser.get_log("browser") == []  # no alert, no broken rule of the policy
    pictures = browser.execute_script("return [...document.images].map(one => one.naturalWidth)")
    assert len(pictures) == 8
    assert all(pictures)
    seen = "return [...document.querySelectorAll('tr[data-verdict]')].filter(row => !row.hidden).length"
    assert browser.execute_script(seen) == 4
    browser.execute_script("document.querySelector('[data-filter=fault]').click()")
    assert browser.execute_script(seen) == 1
    browser.execute_script("document.querySelector('[data-filter=all]').click()")
    search = "const box = document.querySelector('#search'); box.value = 'good'; box.dispatchEvent(new Event('input'));"
    assert browser.execute_script(search + seen) == 1
    shutil.rmtree(photos)
