# What the sandbox runs: unpacks what it is handed and has pip and npm fetch it, into a folder that goes with it.
set -eu
base=${PIP_CACHE_DIR:-/tmp/pip}
folder=$(mktemp -d -p "${base%/*}" 2>/dev/null) || folder=$(mktemp -d)
cd "$folder"
# Large wheels do not fit a temporary file system.
export TMPDIR="$folder"
tar xf - --no-same-owner
failed=0
for file in pypi-*.txt; do
    [ -e "$file" ] || continue
    python3 -m pip download --no-cache-dir --disable-pip-version-check --no-input --progress-bar off --prefer-binary \
        -d wheels -r "$file" || failed=1
done
for project in npm-*; do
    [ -d "$project" ] || continue
    # Without a lock file 'npm ci' refuses; with one, 'npm install' could fetch something else.
    if [ -e "$project/package-lock.json" ]; then command=ci; else command=install; fi
    (cd "$project" && npm "$command" --ignore-scripts --no-audit --no-fund) || failed=1
done
exit $failed
