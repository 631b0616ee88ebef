"""JupyterLab itself: open a notebook in a headless browser, run it, move a slider, see the figure change."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
SOURCE = """
from adkit.data import Textile
from adkit.course.explorers import severity_explorer

cloth = Textile("denim", frame=(64, 96))
severity_explorer(
    lambda severity, size: cloth.weave(0, "dark", severity=severity, size=size), lambda image: image.astype(float)
)
"""
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1400,1600",
]  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with its driver on this machine"),
]


def wait_for(what, probe, seconds=120):
    """Ask until the answer is true; a machine may be slow, so there is plenty of time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := probe():
                return answer
        except Exception:  # the page is still being drawn: ask again
            pass
        time.sleep(0.3)
    raise AssertionError(f"waited {seconds} s for {what}")


@pytest.fixture
def lab(tmp_path):
    """A JupyterLab on loopback, with one notebook in its folder."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "explorer.ipynb")
    port = 18000 + os.getpid() % 2000
    environment = {k: v for k, v in os.environ.items() if k not in ("ADKIT_FAST", "ADKIT_HEADLESS", "MPLBACKEND")}
    environment |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={tmp_path}",
        "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for("JupyterLab to answer", lambda: urllib.request.urlopen(f"{url}/api", timeout=5).status == 200)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture
def browser(tmp_path):
    """A headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = BROWSER
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]:
        options.add_argument(flag)
    service = Service(DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    process = service.process
    yield driver
    driver.quit()
    process.wait(timeout=60)  # else its end is reported as a leak


@pytest.mark.filterwarnings("default")  # third parties' own
def test_moving_a_slider_changes_the_figure(lab, browser):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    def figure():
        pictures = browser.find_elements(By.CSS_SELECTOR, ".jupyter-widgets img, img.widget-image")
        return pictures[-1].get_attribute("src") if pictures else None

    def running():
        """Is the cell running? If not, press Shift and Enter: the page drops keys while it is still being drawn."""
        if browser.find_element(By.CSS_SELECTOR, ".jp-CodeCell .jp-InputPrompt").text.strip() not in ("", "[ ]:"):
            return True
        browser.find_element(By.CSS_SELECTOR, ".jp-CodeCell .cm-content").click()
        ActionChains(browser).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
        return False

    browser.get(f"{lab}/lab/tree/explorer.ipynb?reset")
    wait_for("the notebook", lambda: browser.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell"))
    wait_for(
        "the kernel",
        lambda: browser.find_elements(By.CSS_SELECTOR, "[data-status='idle']"),
    )
    wait_for("the cell to run", running)
    before = wait_for("the explorer's figure", figure)
    handle = browser.find_element(By.CSS_SELECTOR, ".widget-slider .noUi-handle")
    readout = browser.find_element(By.CSS_SELECTOR, ".widget-readout")
    shown = readout.text
    ActionChains(browser).drag_and_drop_by_offset(handle, -60, 0).perform()
    wait_for("the readout to move", lambda: readout.text != shown)
    assert wait_for("a new figure", lambda: figure() != before)
    if folder := os.environ.get("ADKIT_SCREENSHOTS"):
        browser.save_screenshot(str(Path(folder) / "jupyterlab.png"))
