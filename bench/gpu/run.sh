#!/usr/bin/env bash
# Builds Attune on a GPU machine that has python3 with torch for CUDA and a C++ compiler, but neither Node nor a network, and
# then checks and measures it there: at most 8 minutes on a recent card. Everything worth keeping is written to $OUT.
#
#   bench/gpu/pack.sh            here: makes .gpu/ (Node, npm packages, diffusers)
#   OUT=out bench/gpu/run.sh     there, in the project's folder with .gpu/ in it
#
# The parts that run are named by arguments: checks, rounding, bench (all three without any). BENCH_FLAGS goes to the last.
set -o pipefail
cd "$(dirname "$0")/../.." || exit 1
OUT=${OUT:?a folder for what is measured}
parts=${*:-checks rounding bench}
exec > >(tee "$OUT/log") 2>&1
say() { echo "== $SECONDS s: $*"; }

python3 - <<'P'
import tarfile
tarfile.open('.gpu/node.tar.xz').extractall('.gpu/unpacked', filter='fully_trusted')
tarfile.open('.gpu/modules.tar.xz').extractall('.', filter='fully_trusted')
P
export PATH=$PWD/.gpu/unpacked/n/bin:$PATH
python3 -m pip install -q --no-index --no-deps --no-compile --target .gpu/site .gpu/*.whl && export PYTHONPATH=$PWD/.gpu/site
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
say "unpacked: node $(node --version), torch $(python3 -c 'import torch; print(torch.__version__)')"

# The set-up script would fetch packages; its two last steps need no network.
cat > .gpu/build.mjs <<'J'
import { findLibrary } from '../scripts/setup/library.mjs'
import { buildAddon } from '../scripts/setup/addon.mjs'
const library = await findLibrary()
const node = { node: process.execPath, nodeInclude: `${process.cwd()}/.gpu/unpacked/n/include/node` }
await buildAddon(library, { ...node, nodeVersion: process.versions.node })
J
LIBTORCH=$(python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])") \
  node .gpu/build.mjs || exit 1
node -e "import('./src/tensor/library.ts').then((m) => console.log(m.describeLibrary()))" || exit 1
say built

for part in $parts; do
  case $part in
    checks) timeout 200 node bench/gpu/checks.ts --out .gpu/checks | tee "$OUT/checks.md" ;;
    rounding) timeout 150 node bench/gpu/rounding.ts --seeds 1 | tee "$OUT/rounding.md" ;;
    bench) timeout 200 node bench/stable-diffusion/gpu.ts ${BENCH_FLAGS:---batches 1,4,16} | tee "$OUT/bench.md" ;;
  esac
  say "$part ended with $?"
done
