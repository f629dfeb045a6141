#!/usr/bin/env bash
# Makes .venv exactly as requirements.lock says, with this project in it. Quick when nothing changed, safe to interrupt.
# With the argument `uv` it stops at having uv. Names a missing prerequisite, with its one-line fix, before anything long is begun.
set -euo pipefail
cd "$(dirname "$0")/.."

UV_VERSION=0.13.8
UV=.lake/uv/bin/uv

missing() {
    printf 'setup: %s\n  fix: %s\n' "$1" "$2" >&2
    exit 1
}

find_python() {
    local name
    for name in ${LAKE_PYTHON:-python3.12 python3.11 python3}; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

find_java_17() {
    local java
    for java in ${LAKE_JAVA_HOME:+"$LAKE_JAVA_HOME/bin/java"} ${JAVA_HOME:+"$JAVA_HOME/bin/java"} java /usr/lib/jvm/*17*/bin/java; do
        "$java" -version 2>&1 | grep -q 'version "17' && return
    done
    return 1
}

[ "$(uname -s)" = Linux ] || missing "the embedded stack runs on Linux only" "docker compose up"
python=$(find_python) || missing "no Python 3.11 or 3.12 with venv" "apt-get install python3 python3-venv (Debian 12, Ubuntu 24.04), or name one in LAKE_PYTHON"
find_java_17 || missing "no Java 17, which Kafka and Spark need" "apt-get install openjdk-17-jre-headless, or name its home in LAKE_JAVA_HOME"
command -v mvn >/dev/null || missing "no Maven, which downloads the engines" "apt-get install maven"

wanted="$(cat requirements.lock pyproject.toml | sha256sum) $("$python" --version) $PWD"
if [ "$(cat .venv/setup.done 2>/dev/null)" = "$wanted" ] && [ "${1:-}" != uv ]; then
    exit 0
fi

if ! [ -x "$UV" ] || [ "$("$UV" --version | cut -d' ' -f2)" != "$UV_VERSION" ]; then
    echo "setup: getting uv $UV_VERSION"
    "$python" -m venv --clear .lake/uv
    .lake/uv/bin/pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
fi
if [ "${1:-}" = uv ]; then
    exit 0
fi
if [ "$(.venv/bin/python --version 2>/dev/null)" != "$("$python" --version)" ]; then
    "$UV" venv --quiet --clear --python "$python" .venv
fi
echo "setup: installing what requirements.lock pins into .venv"
"$UV" pip sync --require-hashes --python .venv/bin/python requirements.lock
"$UV" pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .
printf '%s' "$wanted" >.venv/setup.done
