"""axe-core over a page in the browser."""

from axe_playwright_python.sync_playwright import Axe

# Colours are judged once they have arrived.
END_ANIMATIONS = "document.getAnimations().forEach(animation => animation.cancel())"


def faults_of(page):
    """Return every fault that axe-core finds, with its element."""
    page.evaluate(END_ANIMATIONS)
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:300]}"
        for fault in Axe().run(page).response["violations"]
        for node in fault["nodes"]
    ]
