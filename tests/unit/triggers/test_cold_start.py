import subprocess
import sys

from ..pages import ROOT

LATER = (
    "azure.cosmos",
    "azure.mgmt",
    "boto3",
    "botocore",
    "databricks",
    "httpx",
    "jinja2",
    "opentelemetry.sdk",
)


def test_a_worker_starts_without_the_sdks_that_only_some_functions_use():
    # Flex Consumption starts workers for a single function, and each second is a second of a cold start.
    code = f"import sys, function_app; print(*[name for name in {LATER} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
