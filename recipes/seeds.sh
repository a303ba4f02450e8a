#!/usr/bin/env bash
# Repeats the demo over three seeds and writes the README's table of results.
# Run it from the root of the repository: recipes/seeds.sh [folder]
set -euo pipefail

folder=${1:-runs/seeds}
node=node_modules/.bin/node

for seed in 0 1 2; do
  "$node" src/cli.ts demo --seed "$seed" --out "$folder/$seed"
done
"$node" recipes/results-table.ts "$folder"/{0,1,2}/report.json
