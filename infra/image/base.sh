#!/usr/bin/env bash
# Makes the base of the image on Debian as apt has it, and holds that a program runs in it here; prints its name.
# Needs root, buildah and mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=${WORK:-build/image} # kept between builds
mkdir -p "$work"
[ -e "$work/base.tar" ] ||
    mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/base.tar" >&2
buildah inspect --type image hourbook-base >/dev/null 2>&1 || {
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/base.tar" >/dev/null
    buildah commit --quiet --rm "$container" hourbook-base >/dev/null
}
container=$(buildah from localhost/hourbook-base)
buildah run --isolation chroot "$container" -- python3 --version >/dev/null
buildah rm "$container" >/dev/null
echo localhost/hourbook-base
