"""Where the files of an MLflow source lie on this disk."""

from pathlib import Path

import pytest

from gnomon.importing.mlflow_files import local_files
from gnomon.importing.mlflow_source import Unreachable


@pytest.mark.parametrize("uri", ["", "/", "file:///"])
def test_a_run_that_names_no_place_has_no_files(uri: str, tmp_path: Path) -> None:
    """Its place is not the folder of the database, nor the disk."""
    with pytest.raises(Unreachable):
        local_files(uri, proxied_at=(), relative_to=tmp_path)
