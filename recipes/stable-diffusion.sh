#!/bin/sh
# The whole loop on a Stable Diffusion checkpoint, with your labels. Run it again after each pause: what is done stays.
#
#   MODEL    folder in diffusers' layout, or owner/name fetched with `attune model fetch`
#   ENCODER  CLIPModel whose embeddings the reward reads, e.g. openai/clip-vit-large-patch14
#   SCORER   reward that measures the result and that nothing was trained on, e.g. yuvalkirstain/PickScore_v1
#   SEEN, UNSEEN  prompt files: those to train on, and others
#   OUT      folder for the runs
#   ARGS     settings of every stage, e.g. "--mixed-precision bf16 --resolution 512"
set -eu
: "${MODEL:?}" "${ENCODER:?}" "${SCORER:?}" "${SEEN:?}" "${UNSEEN:?}"
OUT=${OUT:-runs/stable-diffusion}
ARGS=${ARGS:-}
attune="$(dirname "$0")/../bin/attune"
done_() { [ -f "$OUT/$1/manifest.json" ]; }

"$attune" model inspect "$MODEL"
mkdir -p "$OUT"

# 1. Images to judge. About 20 prompts with 16 images each make a first reward.
done_ images || "$attune" images generate --model "$MODEL" $ARGS --prompts "$SEEN" --per-prompt 16 --resume --out "$OUT/images"

# 2. Labels: fill in the column `answer` of sheet.csv with good, bad or skip.
if [ ! -d "$OUT/sheets" ]; then
  "$attune" feedback sheet --images "$OUT/images" --columns 4 --rows 4 --thumbnail-size 512 --out "$OUT/sheets"
  echo "Now judge: look at $OUT/sheets/*.png and fill in $OUT/sheets/sheet.csv. Then run this again."
  exit 0
fi
"$attune" feedback import --feedback "$OUT/feedback.sqlite" --images "$OUT/images" --labels "$OUT/sheets/sheet.csv"

# 3. A reward on frozen CLIP embeddings (Lee et al. 2023).
done_ reward || "$attune" reward train --feedback "$OUT/feedback.sqlite" --encoder "$ENCODER" --out "$OUT/reward"

# 4. Both ways of fine-tuning; LoRA on the attention of the UNet. A pre-training term needs --train-data-dir.
done_ reward-weighted || "$attune" policy reward-weighted --model "$MODEL" $ARGS --images "$OUT/images" --reward "$OUT/reward" \
  --updates 1000 --batch-size 16 --gradient-accumulation-steps 4 --pretraining-weight 0 --resume --out "$OUT/reward-weighted"
done_ dpok || "$attune" policy dpok --model "$MODEL" $ARGS --prompts "$SEEN" --reward "$OUT/reward" \
  --images-drawn 2000 --rollouts-per-iteration 20 --resume --out "$OUT/dpok"

# 5. What came of it, on prompts that were trained on and on others.
done_ report || "$attune" report --model "$MODEL" $ARGS --reward "$OUT/reward" --policies "$OUT/reward-weighted,$OUT/dpok" \
  --scorer "$SCORER" --seen "$SEEN" --unseen "$UNSEEN" --images-per-prompt 4 --kl-rollouts 32 --out "$OUT/report"
echo "$OUT/report/report.html"
