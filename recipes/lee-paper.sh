#!/bin/sh
# Aligning Text-to-Image Models using Human Feedback (Lee et al. 2023) with its own settings: images of prompts about colours,
# counts, backgrounds and all three, labels good and bad, a reward on CLIP's embeddings with prompt classification, and
# reward-weighted fine-tuning on those images, on others that the reward alone has scored, and on pre-training images; in a report
# by category on 60 prompts that were trained on and 60 others, with best-of-n beside it.
# It says first what that takes. Run it again after a stop: what is done stays, and what was begun goes on.
#
#   MODEL     checkpoint: a folder, a .safetensors file, or owner/name, which is fetched; Stable Diffusion 1.5 without it
#   FEEDBACK  store with the judgments of people: a SQLite file, or postgres://…. Without it, once the images are drawn, the
#             studio opens with them, to be labelled there; run this again with FEEDBACK as it says.
#   REWARD    in place of labels: RE-N-Y/ImageReward, a CLIPModel such as yuvalkirstain/PickScore_v1, or a run of `reward train`
#   ENCODER   CLIPModel whose embeddings the reward reads
#   SCORER    reward that measures the result and that nothing was trained on
#   TRAIN_DATA  folder of pre-training images with captions in its metadata.jsonl or metadata.csv (the paper's: 625 thousand of
#             LAION-5B by their aesthetic score). Without it there is no pre-training loss, and all of a batch is generated images.
#   REFERENCE folder of photographs to measure fidelity against (the paper's: MS-COCO); other images of the base without it
#   OUT       folder for the runs
#   SEEDS     of the reward and of the fine-tuning, how many; a single one without it
#   IMAGES    to label (27,528 without it), and UNLABELLED ones beside them (16,000); fewer than the 2,775 prompts take as many
#             prompts, of each category as many
#   REPORT_PROMPTS  of either kind in the report
#   UPDATES   of fine-tuning (10,000), each of BATCH images in all (512)
#   STEPS     of sampling
#   ARGS      settings of all stages, e.g. "--device cuda:1"; PLAN_ONLY=1 and ALLOW_CPU=1: see steps.sh
#
# Not in the paper: the learning rate, 2e-5 after a name in DPOK's code; β = 0.5 after ImageReward's repetition; the words of the
# prompts (paper-prompts.ts); as many images of each prompt, where the paper has 60 or 6. All of the network is trained.
set -eu
MODEL=${MODEL:-stable-diffusion-v1-5/stable-diffusion-v1-5}
ENCODER=${ENCODER:-openai/clip-vit-large-patch14}
SCORER=${SCORER:-yuvalkirstain/PickScore_v1}
FEEDBACK=${FEEDBACK:-}
REWARD=${REWARD:-}
TRAIN_DATA=${TRAIN_DATA:-}
REFERENCE=${REFERENCE:-}
OUT=${OUT:-runs/lee-paper}
SEEDS=${SEEDS:-1}
IMAGES=${IMAGES:-27528}
UNLABELLED=${UNLABELLED:-16000}
REPORT_PROMPTS=${REPORT_PROMPTS:-60}
UPDATES=${UPDATES:-10000}
BATCH=${BATCH:-512}
STEPS=${STEPS:-50}
ARGS=${ARGS:-}
. "$(dirname "$0")/steps.sh"

whole SEEDS IMAGES UNLABELLED REPORT_PROMPTS UPDATES BATCH STEPS
[ -z "$FEEDBACK" ] || [ -z "$REWARD" ] || fail "REWARD: expected either labels or a reward, received FEEDBACK and REWARD: leave one out"
case $FEEDBACK in
  '' | postgres://* | postgresql://*) ;;
  *) [ -f "$FEEDBACK" ] || fail "FEEDBACK: expected a feedback store, received $FEEDBACK, which is no file: leave it out to label in the studio" ;;
esac
for folder in "$TRAIN_DATA" "$REFERENCE"; do
  [ -z "$folder" ] || [ -d "$folder" ] || fail "TRAIN_DATA and REFERENCE: expected folders of images, received $folder"
done
fetched "$MODEL" "$ENCODER" "$SCORER" ${REWARD:+"$REWARD"}
settled MODEL REWARD ENCODER SCORER TRAIN_DATA REFERENCE IMAGES UNLABELLED REPORT_PROMPTS UPDATES BATCH STEPS ARGS
"$node" "$here/paper-prompts.ts" lee "$OUT/prompts" "$IMAGES" "$REPORT_PROMPTS"

studio=$OUT/studio
labelled=studio/runs/labelled
sampling="--steps $STEPS"
prompts=$(wc -l <"$OUT/prompts/seen.jsonl")
if [ -n "$TRAIN_DATA" ]; then
  batch=$(((BATCH + 1) / 2)) pretraining_weight=0.5
else
  batch=$BATCH pretraining_weight=0
fi

drawing() {
  step $labelled images generate --model "$MODEL" $ARGS --prompts "$OUT/prompts/seen.jsonl" $sampling \
    --per-prompt $(((IMAGES + prompts - 1) / prompts)) --seed 0
}

steps() {
  drawing
  step unlabelled images generate --model "$MODEL" $ARGS --prompts "$OUT/prompts/seen.jsonl" $sampling \
    --per-prompt $(((UNLABELLED + prompts - 1) / prompts)) --seed 1
  seed=0
  while [ $seed -lt "$SEEDS" ]; do
    reward=$REWARD
    if [ -z "$REWARD" ]; then
      reward=$OUT/seed-$seed/reward
      step seed-$seed/reward reward train --feedback "${FEEDBACK:-$studio/studio.sqlite}" --encoder "$ENCODER" $ARGS \
        --head mlp --classification-weight 0.5 --temperature 2 --distractors-file "$OUT/prompts/distractors.jsonl" --seed $seed
    fi
    step seed-$seed/reward-weighted policy reward-weighted --model "$MODEL" $ARGS --images "$OUT/$labelled,$OUT/unlabelled" \
      --reward "$reward" --updates "$UPDATES" --batch-size $batch --learning-rate 2e-5 --parameters all \
      --pretraining-weight $pretraining_weight ${TRAIN_DATA:+--train-data-dir "$TRAIN_DATA"} --seed $seed
    # The best of 16 for each of four is best-of-4.
    step seed-$seed/report report --model "$MODEL" $ARGS --reward "$reward" --scorer "$SCORER" $sampling --best-of 4 \
      --policies "$OUT/seed-$seed/reward-weighted" --seen "$OUT/prompts/report-seen.jsonl" \
      --unseen "$OUT/prompts/report-unseen.jsonl" --images-per-prompt 4 --kl-rollouts 60 \
      ${REFERENCE:+--reference-images "$REFERENCE"} --seed $seed
    seed=$((seed + 1))
  done
}

foretold
[ -n "$TRAIN_DATA" ] || echo "note: no TRAIN_DATA, so no pre-training loss, which held fidelity in the paper" >&2
if [ -z "$FEEDBACK$REWARD" ]; then
  drawing
  "$node" "$here/show-in-studio.ts" "$studio" labelled
  cat >&2 <<END
The images are drawn; now people label them, as good or bad by whether they show what the prompt says, or skip them:
open the address below and judge the round "labelled" there. Several people may (--public-url of attune studio).
Then end it with Ctrl-C and run this again with FEEDBACK=$studio/studio.sqlite
END
  exec "$attune" studio --workspace "$studio" --model "$MODEL" --encoder "$ENCODER" --port "${PORT:-4870}"
fi
steps
for report in "$OUT"/seed-*/report/report.html; do echo "$report"; done
