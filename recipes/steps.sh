# What the recipes of several steps have in common: read by `. steps.sh` after their variables are set.
#
# A recipe has a function `steps`, which calls `step NAME COMMAND…` for each of its runs, OUT/NAME: behind `foretold` alone it says
# what they will take, and then makes those that are not finished. A run that was stopped goes on where it stood.
#
#   PLAN_ONLY=1  says what it would take and ends
#   ALLOW_CPU=1  computes without a GPU

here=$(dirname "$0")
attune="$here/../bin/attune"
node="$here/../node_modules/.bin/node"

fail() {
  echo "$(basename "$0"): $1" >&2
  exit 2
}

# whole NAME…: each of these variables is a number of at least one
whole() {
  for name in "$@"; do
    eval "value=\$$name"
    case $value in
      '' | *[!0-9]* | 0*) fail "$name: expected a whole number of at least 1, received \"$value\"" ;;
    esac
  done
}

# settled NAME…: OUT is there, for these settings and no others
settled() {
  [ ! -e "$OUT" ] || [ -d "$OUT" ] || fail "OUT: expected a folder, or a new one, received the file $OUT"
  mkdir -p "$OUT" 2>/dev/null || fail "OUT: expected a folder that can be made, received $OUT"
  settings=$(for name in "$@"; do eval "echo \"$name=\$$name\""; done)
  if [ -f "$OUT/settings.txt" ]; then
    now=$(echo "$settings" | grep -vxF -f "$OUT/settings.txt" | tr '\n' ' ')
    begun=$(echo "$settings" | grep -vxF -f - "$OUT/settings.txt" | tr '\n' ' ')
    [ -z "$now$begun" ] || fail "OUT: expected ${begun}with which $OUT was begun, received ${now:-nothing }: choose another OUT"
  elif ls -A "$OUT" | grep -qvx -e prompts -e planned.txt; then
    fail "OUT: expected a new folder or one that this recipe has begun, received $OUT, which holds other things: choose another"
  fi
}

# fetched NAME…: models of the Hugging Face hub that are not here are downloaded, anything else has to be a file or a folder
fetched() {
  for model in "$@"; do
    case $model in
      /* | .* | */*/* | *.safetensors) ;;
      */*) [ -e "$model" ] || "$attune" model inspect "$model" >/dev/null 2>&1 || "$attune" model fetch "$model" ;;
    esac
    [ -f "$model/manifest.json" ] || "$attune" model inspect "$model" >/dev/null
  done
}

# finished NAME
finished() { [ -f "$OUT/$1/manifest.json" ]; }

# step NAME COMMAND…: makes the run OUT/NAME, unless it is there
step() {
  name=$1
  shift
  if [ -n "${planned:-}" ]; then
    printf '%s\n' "$name" "$@" '' >>"$planned"
  elif ! finished "$name"; then
    echo "$name" >&2
    "$attune" "$@" --resume --out "$OUT/$name"
  fi
}

# foretold: says what `steps` will take; with PLAN_ONLY that is all
foretold() {
  planned="$OUT/planned.txt"
  : >"$planned"
  steps
  mode=${PLAN_ONLY:+plan-only}
  "$node" "$here/expect.ts" "$OUT" ${mode:-${ALLOW_CPU:+allow-cpu}} <"$planned"
  rm -f "$planned"
  planned=
  [ -z "${PLAN_ONLY:-}" ] || exit 0
  echo "$settings" >"$OUT/settings.txt"
}
