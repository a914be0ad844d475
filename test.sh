#!/usr/bin/env bash
# Builds with warnings as errors, checks the formatting, runs the tests.
#
#   ./test.sh                 everything
#   ./test.sh Recovery        only the tests whose full name contains the word
#   ./test.sh --peers         first installs the other QUIC stacks that the interop tests talk to (Debian, as root);
#                             CI=true does the same
#
# Skipped tests are summed up by reason, a line each, before the last line. That is always "N passed, N failed, N skipped";
# the exit code is 0 only with none failed. A gate that does not hold (build, formatting) counts as one failure.
set -euo pipefail
cd "$(dirname "$0")"

peers=false
filter=
for argument in "$@"; do
    case "$argument" in
        --peers) peers=true ;;
        -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
        -*) echo "Unknown option $argument; see ./test.sh --help" >&2; exit 2 ;;
        *) [ -z "$filter" ] || { echo "One filter at a time; see ./test.sh --help" >&2; exit 2; }; filter=$argument ;;
    esac
done
[ "${CI:-}" = true ] && peers=true

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1
# A build server that outlives this script would hold the output of whoever called it open.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

gate() { # NAME COMMAND...: runs one, or ends here
    local name=$1 started=$SECONDS
    shift
    if ! "$@" >"$log" 2>&1; then
        cat "$log"
        echo "$name: failed"
        echo "0 passed, 1 failed, 0 skipped"
        exit 1
    fi
    echo "$name: ok ($((SECONDS - started)) s)"
}

install_node_peers() { # the peers that come as packages of npm, each in its own folder of tests/peers
    local folder
    for folder in tests/peers/*/package.json; do
        folder=$(dirname "$folder")
        if [ -d "$folder/node_modules" ]; then
            echo "peers: $folder is already installed"
        elif ! command -v npm >/dev/null; then
            echo "peers: $folder needs Node.js with npm; its tests are skipped"
        elif npm install --prefix "$folder" --no-package-lock --no-audit --no-fund --loglevel error >"$log" 2>&1; then
            echo "peers: $folder installed"
        else
            tail -n 20 "$log"
            echo "peers: $folder could not be installed; its tests are skipped"
        fi
    done
}

install_peers() {
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "peers: need apt-get and root; the interop tests use what is installed"
        return
    fi
    # shellcheck disable=SC2046 # one word a package
    set -- $(sed 's/#.*//' tests/peers/packages.txt)
    if dpkg -s "$@" >/dev/null 2>&1; then
        echo "peers: already installed"
        return
    fi
    if { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; } >"$log" 2>&1; then
        echo "peers: installed"
    else
        tail -n 20 "$log"
        echo "peers: could not be installed; the interop tests use what is there"
    fi
}

if $peers; then
    install_peers
    install_node_peers
fi
gate restore dotnet restore Post.Quic.sln
# The analyzers run in the build; what is left of dotnet format is the layout and the style.
gate formatting dotnet format whitespace Post.Quic.sln --verify-no-changes --no-restore
gate style dotnet format style Post.Quic.sln --verify-no-changes --no-restore --severity warn
gate build dotnet build Post.Quic.sln --no-restore -c Release -warnaserror --disable-build-servers

show() { # the runner's lines without the empty ones, and without those of skipped tests, which are summed up at the end
    awk '/^[[:space:]]*$|Running tests from|Zero tests ran/ { next }
         /^skipped / { skipping = 1; next }
         skipping && /^[[:space:]]/ { next }
         { skipping = 0; print; fflush() }'
}

skips() { # one line for each reason why tests were skipped, the most frequent first
    awk '/^skipped / { waiting = 1; next }
         waiting { sub(/^[[:space:]]+/, ""); sub(/^Assert\.Inconclusive( failed)?\.[[:space:]]*/, ""); if ($0 != "") { reasons[$0]++; waiting = 0 } }
         END { for (reason in reasons) printf "%d skipped: %s\n", reasons[reason], reason }' "$log" | sort -rn
}

# One test program after the other, each parallel inside: tests with real sockets should not starve each other.
set -- --solution Post.Quic.sln -c Release --no-build --max-parallel-test-modules 1 --output Normal --ignore-exit-code 8
[ -z "$filter" ] || set -- "$@" --filter "FullyQualifiedName~$filter"
set +e
dotnet test "$@" 2>&1 | tee "$log" | show
status=${PIPESTATUS[0]}
set -e

skips

count() { # NAME: the figure that the summary gives for it, or 0
    sed -nE "s/^ *$1: ([0-9]+)\$/\1/p" "$log" | tail -n 1 | grep . || echo 0
}
passed=$(count succeeded)
failed=$(count failed)
skipped=$(count skipped)
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
    echo "The test runner ended with exit code $status."
    failed=1
elif [ "$((passed + failed + skipped))" = 0 ]; then
    echo "No test ran${filter:+: none has \"$filter\" in its name}."
    failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
