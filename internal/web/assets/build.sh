#!/bin/sh
# Builds dist and the icons anew from src, from the templates' classes and from the packages that package.json pins. Node is needed here only.
# Run it after changing src, after using a class that the stylesheet does not have yet (a test says so), and to resolve a conflict in dist.
set -eu
cd "$(dirname "$0")"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules ]; then
	npm ci --no-fund --no-audit --loglevel=error
	touch node_modules
fi
exec node build.mjs
