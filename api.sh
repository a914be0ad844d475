#!/usr/bin/env bash
# Brings src/*/PublicAPI.Unshipped.txt up to date with the code: adds the members that are new, deletes the lines of those that are gone.
set -euo pipefail
cd "$(dirname "$0")"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 LC_ALL=C
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The two that no other library refers to: their build builds all. The analyzer says of each member what its line is.
for library in Post.Quic.MsQuic Post.Sockets.Testing; do
    dotnet build "src/$library" -c Release --no-incremental -p:TreatWarningsAsErrors=false --disable-build-servers >>"$log" 2>&1 \
        || { grep -E ': error ' "$log" | sort -u; exit 1; }
done

for project in src/*/*.csproj; do
    list=$(dirname "$project")/PublicAPI.Unshipped.txt
    mine=$(grep -F "[$PWD/$project]" "$log" || true)
    {
        echo '#nullable enable'
        {
            tail -n +2 "$list" | grep -vxF -f <(sed -n "s/.* RS0017: Symbol '\(.*\)' is part of the declared API.*/\1/p" <<<"$mine") || true
            sed -n "s/.* RS0016: Symbol '\(.*\)' is not part of the declared public API.*/\1/p" <<<"$mine"
        } | sort -u
    } >"$log.list"
    mv "$log.list" "$list"
    echo "$list: $(($(wc -l <"$list") - 1)) members"
done
