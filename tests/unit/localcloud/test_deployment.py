import zipfile

from localcloud.deployment import NOTEBOOK, deploy, wheel_path
from localcloud.names import NOTEBOOK_PATH


def test_the_workspace_gets_the_notebook_and_a_wheel_of_the_product_alone(tmp_path):
    deploy(tmp_path)
    assert (tmp_path / f"{NOTEBOOK_PATH.lstrip('/')}.py").read_bytes() == NOTEBOOK.read_bytes()
    with zipfile.ZipFile(tmp_path / wheel_path().lstrip("/")) as wheel:
        packages = {name.split("/")[0] for name in wheel.namelist() if ".dist-info" not in name}
        assert packages == {"d2c"}
        assert "d2c/mapping/mapper.py" in wheel.namelist()


def test_a_wheel_is_built_again_only_if_what_it_is_made_of_has_changed(tmp_path):
    deploy(tmp_path)
    wheel = tmp_path / wheel_path().lstrip("/")
    first = wheel.stat().st_mtime_ns
    deploy(tmp_path)
    assert wheel.stat().st_mtime_ns == first
    wheel.with_suffix(".sha256").write_text("of other sources")
    deploy(tmp_path)
    assert wheel.stat().st_mtime_ns > first
