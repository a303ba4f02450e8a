#!/usr/bin/env bash
# Builds Attune on a GPU machine that has python3 with torch for CUDA and a C++ compiler, but neither Node nor a network, and
# then checks and measures it there: 8 minutes at most, by the limits of the parts. What a part has found is in $OUT as soon
# as it is known, so a run that is cut short keeps it.
#
#   bench/gpu/pack.sh                       here: makes .gpu/ (Node, npm packages, diffusers, peft)
#   OUT=out bench/gpu/run.sh                there, in the project's folder with .gpu/ in it
#   OUT=out bench/gpu/run.sh --tiny bench   shows on a machine without a GPU that it works: the CPU and small networks
#
# The parts that run are named by arguments: bench, checks, real, rounding (bench, checks and rounding in this order without
# any). `real` makes a checkpoint of Stable Diffusion 1.5's size and runs the commands of a user on it; $OUT/memory.csv has the
# device's memory meanwhile. BENCH_FLAGS and ROUNDING_FLAGS are added to theirs. ATTUNE_LIMIT stretches all limits, for a try
# on a busy machine.
set -o pipefail
cd "$(dirname "$0")/../.." || exit 1
OUT=${OUT:?a folder for what is measured}
mkdir -p "$OUT"
device=cuda:0 tiny=()
if [ "${1:-}" = --tiny ]; then
  shift
  device=cpu tiny=(--tiny)
fi
parts=${*:-bench checks rounding}
exec > >(tee "$OUT/log") 2>&1
say() { echo "== $SECONDS s: $*"; }

# part <name> <seconds> <command…>: its output in $OUT/<name>.md, ended after so many seconds
part() {
  local name=$1 limit=$(($2 * ${ATTUNE_LIMIT:-1}))
  shift 2
  timeout -k 5 "$limit" "$@" | tee "$OUT/$name.md"
  say "$name ended with $? of at most $limit s"
}

python3 - <<'P' || exit 1
import tarfile
tarfile.open('.gpu/node.tar.xz').extractall('.gpu/unpacked', filter='fully_trusted')
tarfile.open('.gpu/modules.tar.xz').extractall('.', filter='fully_trusted')
P
export PATH=$PWD/.gpu/unpacked/n/bin:$PATH
# Where bin/attune looks for it.
mkdir -p node_modules/.bin && [ -e node_modules/.bin/node ] || ln -s "$PWD/.gpu/unpacked/n/bin/node" node_modules/.bin/node
python3 -m pip install -q --no-index --no-deps --no-compile --target .gpu/site .gpu/*.whl && export PYTHONPATH=$PWD/.gpu/site
[ "$device" = cpu ] || nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
say "unpacked: node $(node --version), torch $(python3 -c 'import torch; print(torch.__version__)')"

# The set-up script would fetch packages; its two last steps need no network.
cat > .gpu/build.mjs <<'J'
import { findLibrary } from '../scripts/setup/library.mjs'
import { buildAddon } from '../scripts/setup/addon.mjs'
await buildAddon(await findLibrary(), { node: process.execPath, nodeVersion: process.versions.node })
J
LIBTORCH=$(python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])") \
  node .gpu/build.mjs || exit 1
node -e "import('./src/tensor/library.ts').then((m) => console.log(m.describeLibrary()))" || exit 1
say built

# 35 s until here; 290 + 110 + 40 and what starting takes are less than 8 minutes.
for name in $parts; do
  case $name in
    bench) part bench 290 node bench/stable-diffusion/gpu.ts --device $device "${tiny[@]}" --steps 20 --rollouts 8 ${BENCH_FLAGS:-} ;;
    checks) part checks 110 node bench/gpu/checks.ts --device ${device%:0} --at-once 12 --out .gpu/checks ;;
    real)
      part checkpoint 60 python3 bench/gpu/random_checkpoint.py .gpu/real "${tiny[@]}"
      [ "$device" = cpu ] || nvidia-smi --query-gpu=timestamp,memory.used,utilization.gpu --format=csv,noheader -lms 500 >"$OUT/memory.csv" &
      part real-check 120 node src/cli.ts check --model .gpu/real/model --device ${device%:0} --minutes 1 --out .gpu/real-check
      part recipe 120 env MODEL=.gpu/real/model REWARD=.gpu/real/clip SCORER=.gpu/real/clip OUT=.gpu/recipe SETS=color \
        IMAGES=20 REPORT_IMAGES=2 STEPS="${STEPS:-50}" ALLOW_CPU="${tiny:+1}" sh recipes/dpok-paper.sh
      ;;
    rounding) part rounding 40 node bench/gpu/rounding.ts --device $device "${tiny[@]}" --seeds 1 ${ROUNDING_FLAGS:-} ;;
    *) say "no part is called $name" ;;
  esac
done
