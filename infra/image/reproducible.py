"""Rewrites an image's archive so that the same image makes the same bytes, and prints its id.

Buildah writes into it by which container it was made, and every name that the image has on that machine.
"""

import hashlib
import io
import json
import sys
import tarfile
from typing import Any


def rewrite(source: str, target: str, called: str) -> str:
    """The id of the image, the hash of its configuration; `source` and `target` are docker archives."""
    with tarfile.open(source) as given, tarfile.open(target, "w") as made:
        (image,) = json.load(_opened(given, "manifest.json"))
        configuration = json.load(_opened(given, image["Config"]))
        for accidental in ("container", "container_config"):
            configuration.pop(accidental, None)
        configuration["config"].pop("Hostname", None)
        written = json.dumps(configuration, separators=(",", ":"), sort_keys=True).encode()
        name = hashlib.sha256(written).hexdigest()
        _add(made, f"{name}.json", io.BytesIO(written), len(written))
        for layer in image["Layers"]:
            _add(made, layer, _opened(given, layer), given.getmember(layer).size)
        manifest = json.dumps([image | {"Config": f"{name}.json", "RepoTags": [called]}], sort_keys=True).encode()
        _add(made, "manifest.json", io.BytesIO(manifest), len(manifest))
    return f"sha256:{name}"


def _opened(archive: tarfile.TarFile, name: str) -> Any:
    opened = archive.extractfile(name)
    assert opened is not None
    return opened


def _add(archive: tarfile.TarFile, name: str, content: Any, size: int) -> None:
    """A file without time and owner."""
    member = tarfile.TarInfo(name)
    member.size = size
    archive.addfile(member, content)


if __name__ == "__main__":
    print(rewrite(*sys.argv[1:]))
