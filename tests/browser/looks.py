"""How a page looks and reads: axe-core's findings, pictures at both sizes, what sticks out."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from loyalty_helpers.settings import NOTEBOOKS

SCREENS = NOTEBOOKS.parent / "runs" / "screens"  # git leaves them out
SIZES = ((1280, 720), (390, 844))
GRAVE = ("serious", "critical")
# What is not ours, by axe's rule, with the reason why it stays.
OF_THE_WIDGETS: dict[str, str] = {}


def check_page(page: Page) -> None:
    """Assert that nobody is kept from reading or using what a page shows now."""
    found = Axe().run(page).response["violations"]
    ours = [
        f"{each['id']} ({each['impact']}): {each['help']}\n"
        + "\n".join(f"    {node['html'][:300]}" for node in each["nodes"])
        for each in found
        if each["impact"] in GRAVE and each["id"] not in OF_THE_WIDGETS
    ]

    assert not ours, "\n".join(ours)


def shoot(page: Page, name: str) -> list[Path]:
    """Take a picture of what a page shows now at each size; nothing may stick out there."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    before, taken = page.viewport_size, []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        taken.append(SCREENS / f"{name}-{width}x{height}.png")
        page.screenshot(path=taken[-1])
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} wide where there is room for {width}"
    page.set_viewport_size(before or {"width": SIZES[0][0], "height": SIZES[0][1]})
    return taken
