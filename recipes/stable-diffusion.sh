#!/bin/sh
# The whole loop on a Stable Diffusion checkpoint, with your labels. It says first what it takes. Run it again after each pause:
# what is done stays.
#
#   MODEL    folder in diffusers' layout, a .safetensors file, or owner/name, which is fetched
#   ENCODER  CLIPModel whose embeddings the reward reads, e.g. openai/clip-vit-large-patch14
#   SCORER   reward that measures the result and that nothing was trained on, e.g. yuvalkirstain/PickScore_v1
#   SEEN, UNSEEN  prompt files: those to train on, and others
#   OUT      folder for the runs
#   ARGS     settings of every stage, e.g. "--mixed-precision bf16 --resolution 512"; PLAN_ONLY=1 and ALLOW_CPU=1: see steps.sh
set -eu
: "${MODEL:?}" "${ENCODER:?}" "${SCORER:?}" "${SEEN:?}" "${UNSEEN:?}"
OUT=${OUT:-runs/stable-diffusion}
ARGS=${ARGS:-}
. "$(dirname "$0")/steps.sh"

fetched "$MODEL" "$ENCODER" "$SCORER"
settled MODEL ENCODER SCORER SEEN UNSEEN ARGS

# Images to judge. About 20 prompts with 16 images each make a first reward.
drawing() {
  step images images generate --model "$MODEL" $ARGS --prompts "$SEEN" --per-prompt 16
}

steps() {
  drawing
  # A reward on frozen CLIP embeddings (Lee et al. 2023).
  step reward reward train --feedback "$OUT/feedback.sqlite" --encoder "$ENCODER"
  # Both ways of fine-tuning; LoRA on the attention of the UNet. A pre-training term needs --train-data-dir.
  step reward-weighted policy reward-weighted --model "$MODEL" $ARGS --images "$OUT/images" --reward "$OUT/reward" \
    --updates 1000 --batch-size 16 --gradient-accumulation-steps 4 --pretraining-weight 0
  step dpok policy dpok --model "$MODEL" $ARGS --prompts "$SEEN" --reward "$OUT/reward" \
    --images-drawn 2000 --rollouts-per-iteration 20
  # What came of it, on prompts that were trained on and on others.
  step report report --model "$MODEL" $ARGS --reward "$OUT/reward" --policies "$OUT/reward-weighted,$OUT/dpok" \
    --scorer "$SCORER" --seen "$SEEN" --unseen "$UNSEEN" --images-per-prompt 4 --kl-rollouts 32
}

foretold
drawing
# Labels: the column `answer` of sheet.csv, with good, bad or skip.
if [ ! -d "$OUT/sheets" ]; then
  "$attune" feedback sheet --images "$OUT/images" --columns 4 --rows 4 --thumbnail-size 512 --out "$OUT/sheets"
  echo "Now judge: look at $OUT/sheets/*.png and fill in $OUT/sheets/sheet.csv. Then run this again."
  exit 0
fi
"$attune" feedback import --feedback "$OUT/feedback.sqlite" --images "$OUT/images" --labels "$OUT/sheets/sheet.csv"
steps
echo "$OUT/report/report.html"
