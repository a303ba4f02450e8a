#!/bin/sh
# DPOK (Fan et al. 2023) with its own settings: its four prompts, one policy each, then many prompts at once; beside each policy
# supervised fine-tuning on as many images of the pre-trained model (KL-O), best-of-n and the base, in a report by category.
# It says first what that takes. Run it again after a stop: what is done stays, and what was begun goes on.
#
#   MODEL    checkpoint: a folder, a .safetensors file, or owner/name, which is fetched; Stable Diffusion 1.5 without it
#   REWARD   ImageReward without it, as in the paper, in the safetensors copy of the hub, which is fetched with its vocabulary; or
#            another reward, such as a CLIPModel (yuvalkirstain/PickScore_v1), fetched as well, or a run of `reward train`. The unit
#            of another is another one, so REWARD_WEIGHT may want another value.
#   SCORER   reward that measures the result and that nothing was trained on
#   SETS     of color composition count location (Figure 2) and multi
#   MULTI    prompts of multi, in place of ours by category: its DrawBench is dpok/dataset/drawbench/data_meta.json of
#            github.com/google-research/google-research, which is read as it is; MULTI_UNSEEN others that no training uses
#   OUT      folder for the runs
#   SEEDS    how many; a single one without it
#   IMAGES   drawn for a policy of one prompt, 20,000 without it; multi draws two and a half times as many
#   REPORT_IMAGES  of each prompt and policy in a report, 50 without it; three fifths of them in that of multi
#   STEPS    of sampling
#   ARGS     settings of all stages, e.g. "--device cuda:1"; PLAN_ONLY=1 and ALLOW_CPU=1: see steps.sh
#
# Where the paper and its public code differ, the code counts (--published): means over elements, mean-ε KL, a bare clamp.
# Departures: the learning rate falls to zero; V sees what the reward would see; transitions are those of the latest roll-outs;
# the rate of supervised fine-tuning is that of adapters of the same rank; and see src/policy/algorithms/dpok.ts.
set -eu
MODEL=${MODEL:-stable-diffusion-v1-5/stable-diffusion-v1-5}
REWARD=${REWARD:-RE-N-Y/ImageReward}
SCORER=${SCORER:-openai/clip-vit-large-patch14}
SETS=${SETS:-color composition count location multi}
OUT=${OUT:-runs/dpok-paper}
SEEDS=${SEEDS:-1}
IMAGES=${IMAGES:-20000}
REPORT_IMAGES=${REPORT_IMAGES:-50}
STEPS=${STEPS:-50}
REWARD_WEIGHT=${REWARD_WEIGHT:-10}
MULTI=${MULTI:-$OUT/prompts/multi/seen.jsonl}
MULTI_UNSEEN=${MULTI_UNSEEN:-$OUT/prompts/multi/unseen.jsonl}
ARGS=${ARGS:-}
. "$(dirname "$0")/steps.sh"

whole SEEDS IMAGES REPORT_IMAGES STEPS
for set in $SETS; do
  case $set in
    color | composition | count | location | multi) ;;
    *) fail "SETS: expected some of color composition count location multi, received \"$set\"" ;;
  esac
done
fetched "$MODEL" "$REWARD" "$SCORER"
settled MODEL REWARD SCORER MULTI MULTI_UNSEEN IMAGES REPORT_IMAGES STEPS REWARD_WEIGHT ARGS
"$node" "$here/paper-prompts.ts" dpok "$OUT/prompts"

# 1e-4 for each element of a state, in nats of all of them.
clip_range=$("$attune" model inspect "$MODEL" | sed -n 's/.*latents \([0-9]*\) × \([0-9]*\) × \([0-9]*\).*/\1 \2 \3/p' |
  awk '{ print 1e-4 * $1 * $2 * $3 }')
sampling="--steps $STEPS --eta 1 --guidance 7.5"
# At least one, and 8,000 for 20,000 images.
updates=$(((IMAGES * 2 + 4) / 5))

one_set() {
  set=$1 seed=$2
  runs=$set/seed-$seed
  seen=$OUT/prompts/$set/seen.jsonl
  unseen=$OUT/prompts/$set/unseen.jsonl
  # Images drawn once, for supervised fine-tuning: about as many of multi.
  drawn=$IMAGES per_iteration=10 per_rollout=16 kl_weight=0.01 of_each=$IMAGES reported=$REPORT_IMAGES
  if [ "$set" = multi ]; then
    seen=$MULTI unseen=$MULTI_UNSEEN
    # 5 updates of 36 transitions; the paper's have 32.
    drawn=$((IMAGES * 5 / 2)) per_iteration=45 per_rollout=4 kl_weight=0.001
    # A reward such as ImageReward compares images of one prompt: two of each at least.
    of_each=$((IMAGES / 100 + 1 + (IMAGES < 100))) reported=$(((REPORT_IMAGES * 3 + 4) / 5))
  fi
  step "$runs/images" images generate --model "$MODEL" $ARGS --prompts "$seen" --per-prompt $of_each $sampling --seed "$seed"
  step "$runs/supervised" policy reward-weighted --model "$MODEL" $ARGS --images "$OUT/$runs/images" --reward "$REWARD" \
    --updates $updates --batch-size 128 --learning-rate 2e-5 --kl-o 2 --pretraining-weight 0 --rank 4 --lora-alpha 4 --seed "$seed"
  step "$runs/dpok" policy dpok --model "$MODEL" $ARGS --prompts "$seen" --reward "$REWARD" $sampling --published \
    --images-drawn $drawn --rollouts-per-iteration $per_iteration --gradient-steps 5 --transitions-per-rollout $per_rollout \
    --reward-weight "$REWARD_WEIGHT" --kl-weight $kl_weight --clip-range "$clip_range" --max-grad-norm 0.1 --learning-rate 1e-5 \
    --value-learning-rate 1e-4 --value-updates 5 --advantage-decay 1 --rank 4 --lora-alpha 4 --seed "$seed"
  step "$runs/report" report --model "$MODEL" $ARGS --reward "$REWARD" --scorer "$SCORER" $sampling --best-of 4 \
    --policies "supervised=$OUT/$runs/supervised,dpok=$OUT/$runs/dpok" --seen "$seen" --unseen "$unseen" \
    --images-per-prompt $reported --kl-rollouts 50 --seed "$seed"
}

steps() {
  for set in $SETS; do
    seed=0
    while [ $seed -lt "$SEEDS" ]; do
      one_set "$set" $seed
      seed=$((seed + 1))
    done
  done
}

foretold
steps
for report in "$OUT"/*/seed-*/report/report.html; do echo "$report"; done
