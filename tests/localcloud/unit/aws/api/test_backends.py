import pickle

import pytest

from localcloud.aws.api.backends import load


def test_the_state_of_an_earlier_version_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "aws.pickle"
    path.write_bytes(pickle.dumps({"moto": {}, "exports": {}}))
    with pytest.raises(SystemExit, match=r"aws\.pickle is from an earlier version: delete the folder"):
        load(path)
