/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/** The public API, in the order of the flow. Nothing here loads the tensor library; its first operator does. */

export * from './errors.ts'
export { Attributes, Category, ImageRecord, Judgment, Prompt } from './records.ts'
export { readRun, startRun, type Manifest, type Run, type RunOptions } from './run.ts'

export { AdamW } from './tensor/adamw.ts'
export { autocast, gradients, noGrad } from './tensor/autograd.ts'
export { arange, cat, full, ones, rand, randint, randn, stack, tensor, where, zeros } from './tensor/create.ts'
export { dtypes, type Dtype } from './tensor/dtype.ts'
export { attention, conv2d, crossEntropy, embedding, groupNorm, layerNorm, linear } from './tensor/functional.ts'
export { Generator } from './tensor/generator.ts'
export { useThreads } from './tensor/library.ts'
export { readSafetensors, writeSafetensors } from './tensor/safetensors.ts'
export { gradientCheckpoints } from './tensor/gradient-checkpoints.ts'
export { describeOperator } from './tensor/operator.ts'
export { applyGradients, type Optimiser } from './tensor/optimise.ts'
export { shareOf, theGroup, type Group } from './tensor/group.ts'
export { livingTensors, tensorScope } from './tensor/scope.ts'
export { expectShape } from './tensor/shape.ts'
export { operator, Tensor } from './tensor/tensor.ts'

export { ddimSampler } from './diffusion/ddim.ts'
export { denoisingLoss } from './diffusion/denoising-loss.ts'
export { FlowMatching, shiftedSigmas, type FlowSetup, type FlowTransition } from './diffusion/flow-matching.ts'
export {
  gaussianKl,
  gaussianLogDensity,
  gaussianLogDensityPerElement,
  logDensityDifference,
} from './diffusion/gaussian.ts'
export { guide } from './diffusion/guidance.ts'
export { expectStochastic, type NoiseProcess, type Sampler, type Transition } from './diffusion/process.ts'
export { noiseFor, sampleImages, sampleTrajectories, sampleWithGradient } from './diffusion/sample.ts'
export {
  cosineSchedule,
  linearSchedule,
  scaledLinearSchedule,
  type PredictionType,
  type Schedule,
} from './diffusion/schedule.ts'
export { readScheduler, type NoiseSetup } from './diffusion/scheduler-config.ts'
export { VariancePreserving } from './diffusion/variance-preserving.ts'

export {
  policyOf,
  type CleanStates,
  type Conditioning,
  type GenerativeModel,
  type ModelStage,
  type Sampling,
} from './networks/generative-model.ts'
export type { ImageTextEncoder } from './networks/image-text-encoder.ts'
export { readLora, writeLora, type LoraFile } from './networks/checkpoint/lora-file.ts'
export { openClip, type ClipEncoder } from './networks/clip/clip-encoder.ts'
export { openTokenizer, type ClipTokenizer } from './networks/clip/tokenizer.ts'
export { openStableDiffusion } from './networks/stable-diffusion/open.ts'
export { Weights, type Change } from './networks/weights.ts'

export { distractors } from './prompts/distractors.ts'
export { readPrompts, writePrompts } from './prompts/prompt-file.ts'
export { categoryOf, parsePrompt, promptText } from './prompts/templates.ts'
export type { PromptWorld } from './prompts/prompt-world.ts'
export type { PromptVocabulary } from './prompts/vocabulary.ts'

export { drawImages, samplerOf, type DrawRequest } from './images/draw.ts'
export { GenerateConfig, generateImages } from './images/generate-images.ts'
export { readImages } from './images/image-run.ts'
export type { ModelFamily, Open, OpenModel, OpenPolicy, PretrainingSource } from './images/open-model.ts'
export { readPictures } from './images/pictures.ts'
export { encodePng, picturesOf, pixelsOf, readPicture, type Picture } from './images/png.ts'

export { writeSheets, type SheetImage, type SheetOptions } from './feedback/sheet.ts'
export { openFeedback, type FeedbackCounts, type FeedbackStore } from './feedback/store/store.ts'
export { formats, type Format, type FormatName } from './feedback/formats/formats.ts'
export { addOwnImages, type AddedImages, type OwnImage } from './feedback/formats/own-images.ts'
export { standing } from './feedback/raters/standing.ts'
export { exportFeedback, importFeedback } from './feedback/transfer.ts'
export type { ExportCounts, ExportOptions, ImportCounts, ImportOptions } from './feedback/transfer.ts'

export {
  accuracy,
  auc,
  expectedCalibrationError,
  explainedVariance,
  reliability,
} from './reward/training/classification.ts'
export { embed, type Embedded } from './reward/encoding/embeddings.ts'
export { openReward, scorePictures } from './reward/open-reward.ts'
export { promptClassification, squaredError } from './reward/training/reward-loss.ts'
export type { Reward } from './reward/reward.ts'
export type { HeadKind, RewardHead } from './reward/heads/reward-head.ts'
export { shownTexts, textsIn, type DistractorSource, type ShownTexts } from './reward/examples/shown-texts.ts'
export { RewardTrainConfig } from './reward/training/reward-train-config.ts'
export { trainReward } from './reward/training/train-reward.ts'
export { davidsonLogits, davidsonLoss } from './reward/training/davidson.ts'
export { measureReward, type RewardQuality } from './reward/training/measure-reward.ts'
export type { Comparison, Label, RewardExamples } from './reward/examples/reward-examples.ts'
export { examplesOfJudgments } from './reward/examples/examples-of-judgments.ts'
export type { FittedReward } from './reward/training/fit-head.ts'
export { fitReward } from './reward/training/fit-reward.ts'
export { RewardFit } from './reward/training/reward-fit.ts'
export { trainedReward } from './reward/kinds/trained-run.ts'
export { acrossPrompts, type ComparableScores } from './reward/across-prompts.ts'
export { unitRange, type UnitRange } from './reward/unit-range.ts'

export { BestOfNConfig, chooseBestOfN } from './policy/choose-best-of-n.ts'
export { Ddpo, DdpoSettings, type DdpoMetrics, type DdpoOptions } from './policy/algorithms/ddpo.ts'
export { Grpo, GrpoSettings, type GrpoMetrics, type GrpoOptions } from './policy/algorithms/grpo.ts'
export { Dpok, DpokSettings, type DpokMetrics, type DpokOptions } from './policy/algorithms/dpok.ts'
export { openChange } from './policy/policy-file.ts'
export {
  RewardWeighted,
  RewardWeightedSettings,
  type RewardWeightedOptions,
} from './policy/algorithms/reward-weighted.ts'
export { rollOut, type Rollouts, type RolloutSettings } from './policy/rollout.ts'
export { policySchema, trainPolicy, type PolicyConfig } from './policy/train-policy.ts'
export type { Row as TrainingRow, StepMetrics, Trainer } from './policy/training-run.ts'
export type { Algorithm } from './policy/algorithm.ts'
export { mergeAdapters, trainableChange, type Trainable, type TrainableChange } from './policy/trainable.ts'

export type { DrawnImages, EvaluationPlan } from './report/draw.ts'
export { comparePolicy, judgePolicy, type Comparands, type Evaluation, type WorldJudge } from './report/evaluate.ts'
export { measures } from './report/measures/index.ts'
export type { EvaluatedSet, Measure } from './report/measures/measure.ts'
export type { JudgedWorld } from './report/judged-world.ts'
export { makeReport, type ReportWorld } from './report/make-report.ts'
export { ReportConfig } from './report/report-config.ts'
export { Report } from './report/schema.ts'
export { openShapes } from './shapes/open.ts'
export { SimulateConfig, simulateFeedback } from './shapes/simulate-feedback.ts'

export { open, probeOf, reportWorld } from './open.ts'
