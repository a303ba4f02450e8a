/**
 * The model card of a policy: a README.md as model hubs read it, with a YAML header. Pure: everything that it says is in its
 * facts. Texts of people and files are data there: they can neither leave their place in Markdown nor in YAML.
 */
import {
  code,
  counted,
  duration,
  fenced,
  figure,
  interval,
  plain,
  quoted,
  shellWord,
  signed,
  size,
  within,
} from './card-text.ts'
import type { Licence, BaseFamily, RewardFacts, ReportFacts, CardFacts } from './facts.ts'

/** By this a card can be told from a README that a person wrote. */
export const cardMark = '<!-- model card by Attune -->'

/** @returns Markdown, ending with a line break */
export function modelCard(facts: CardFacts): string {
  const parts = [
    header(facts),
    cardMark,
    `# ${plain(facts.name)}`,
    summary(facts),
    ...section('Use', usage(facts)),
    ...section('What changed', changed(facts)),
    ...section('How it was made', provenance(facts)),
    ...section('Settings', settings(facts)),
    ...section('Limits', limits(facts)),
  ]
  return `${parts.join('\n\n')}\n`
}

const section = (title: string, body: readonly string[]): string[] =>
  body.length === 0 ? [] : [`## ${title}`, ...body]

const familyTags: Readonly<Record<BaseFamily, readonly string[]>> = {
  'stable-diffusion': ['stable-diffusion'],
  'stable-diffusion-2': ['stable-diffusion', 'stable-diffusion-2'],
  'stable-diffusion-xl': ['stable-diffusion-xl'],
  embedded: [],
  unknown: [],
}

function header({ base, file, training, rewards, pairs }: CardFacts): string {
  const isAdapter = file.form !== 'attune'
  const isOfPeople = pairs !== null || rewards.some(({ learned }) => learned !== null && !learned.isSimulated)
  const tags = [
    'text-to-image',
    ...(base.family === 'embedded' || !isAdapter ? [] : ['diffusers']),
    ...familyTags[base.family],
    ...(isAdapter ? ['lora'] : []),
    ...(training === null ? [] : [training.method.toLowerCase().replaceAll(' ', '-')]),
    ...(isOfPeople ? ['human-feedback'] : []),
    'attune',
  ]
  const { licence } = base
  const lines = [
    ...(base.isOnHub && base.name !== null
      ? [`base_model: ${quoted(base.name)}`, `base_model_relation: ${isAdapter ? 'adapter' : 'finetune'}`]
      : []),
    ...(base.family === 'embedded' || !isAdapter ? [] : ['library_name: diffusers']),
    'pipeline_tag: text-to-image',
    ...(licence === null ? [] : [`license: ${quoted(licence.id)}`]),
    ...(licence?.name === undefined ? [] : [`license_name: ${quoted(licence.name)}`]),
    ...(licence?.link === undefined ? [] : [`license_link: ${quoted(licence.link)}`]),
    'tags:',
    ...tags.map((tag) => `- ${quoted(tag)}`),
  ]
  return `---\n${lines.join('\n')}\n---`
}

const kindOf = ({ file, base }: CardFacts) =>
  file.form === 'attune' ? `Changed weights of ${baseName(base)}` : `Low-rank adapters (LoRA) for ${baseName(base)}`

const baseName = ({ name, family }: CardFacts['base']) =>
  name === null
    ? 'a text-to-image model'
    : family === 'embedded'
      ? `${plain(name)}, Attune’s embedded model`
      : plain(name)

function summary(facts: CardFacts): string {
  const { training } = facts
  if (training === null) return `${kindOf(facts)}, from a file that says nothing of its making.`
  return `${kindOf(facts)}, fine-tuned by ${plain(training.method)}${taughtBy(facts)}, with Attune.`
}

function taughtBy({ rewards, pairs }: CardFacts): string {
  if (pairs !== null) return ` on ${counted(pairs.pairs, 'pair')} that ${ratersOf(pairs.raters)} compared`
  const [first] = rewards
  if (first === undefined) return ''
  if (first.learned === null) return ` on the reward ${plain(first.name)}`
  return ` on a reward learned from ${judgments(first.learned)}`
}

type Learned = NonNullable<RewardFacts['learned']>

function judgments({ labels, comparisons, prompts, raters, isSimulated }: Learned): string {
  const kinds = [
    ...(labels > 0 || comparisons === 0 ? [counted(labels, 'label')] : []),
    ...(comparisons > 0 ? [counted(comparisons, 'comparison')] : []),
  ]
  const of = isSimulated ? `${ratersOf(raters)}, simulated by a program` : ratersOf(raters)
  return `${kinds.join(' and ')} of ${of}${prompts > 0 ? `, on ${counted(prompts, 'prompt')}` : ''}`
}

const ratersOf = (raters: number | null) => (raters === null ? 'people' : counted(raters, 'rater'))

function usage({ file, base, name, repository }: CardFacts): string[] {
  const place = code(file.name)
  if (file.form === 'attune' || base.family === 'embedded') {
    return [
      `Attune reads ${place}:`,
      fenced(
        'sh',
        `attune images generate --model ${shellWord(base.name ?? 'checkpoint')} --policy ${file.name} --prompt "a cat" --out images`,
      ),
    ]
  }
  const from = base.isOnHub && base.name !== null ? base.name : `folder of ${base.name ?? 'the base model'}`
  return [
    fenced(
      'python',
      [
        'from diffusers import DiffusionPipeline',
        '',
        `pipe = DiffusionPipeline.from_pretrained(${quoted(from)})`,
        `pipe.load_lora_weights(${quoted(repository ?? 'folder of this file')}, weight_name=${quoted(file.name)})`,
        'image = pipe("a cat").images[0]',
      ].join('\n'),
    ),
    file.form === 'kohya'
      ? `The names in ${place} are those of kohya’s scripts, which web interfaces and ComfyUI read as well: put it where they keep LoRA files.`
      : `The names in ${place} are those of diffusers. Attune reads it too: ${code(`attune images generate --model … --policy ${file.name}`)}`,
    `A strength other than 1 is the reader’s choice: between 0, the base model, and 1, ${plain(name)} as it was trained.`,
  ]
}

function changed({ report, training }: CardFacts): string[] {
  if (report === null) {
    return training === null
      ? []
      : ['No report has measured it: whether it is better than the base model is not known.']
  }
  const rows = report.rows.map(
    ({ title, policy, base }) => `| ${title} | ${base === null ? '' : interval(base)} | ${interval(policy)} |`,
  )
  return [
    verdict(report),
    ['| | base model | this policy |', '| --- | --- | --- |', ...rows].join('\n'),
    `Each with its 95 % interval. Alignment is ${plain(report.alignment)}.${report.imagesPerPrompt === null ? '' : ` ${counted(report.imagesPerPrompt, 'image')} of each prompt and policy.`} Measured ${report.at.slice(0, 10)} on ${plain(report.machine)}, report ${code(report.name)}.`,
    ...report.votes.map(
      ({ question, raters, wins, ties, losses, rate }) =>
        `Blind votes of ${counted(raters, 'rater')} against the base model, ${plain(question)}: ${wins} won, ${ties} tied, ${losses} lost; share won, ties half: ${interval(rate)}.`,
    ),
  ]
}

function verdict({ unseenDifference: { mean, low, high } }: ReportFacts): string {
  const difference = `${signed(mean)} (${signed(low)} to ${signed(high)})`
  if (low > 0)
    return `On prompts that no training has used, its alignment is higher than the base model’s: ${difference}.`
  if (high < 0)
    return `On prompts that no training has used, its alignment is **lower** than the base model’s: ${difference}.`
  return `On prompts that no training has used, there is no clear difference in alignment to the base model: ${difference}.`
}

function provenance(facts: CardFacts): string[] {
  const { base, file, training, rewards, pairs, strength } = facts
  const lines = [
    `Base model: ${baseName(base)}${base.sha256 === null ? '' : `, SHA-256 ${code(base.sha256)}`}`,
    `Licence of the base model: ${base.licence === null ? 'not known here; look at its own page, since it holds for what is made from it' : licenceText(base.licence)}`,
    ...(training === null
      ? []
      : [
          `Method: ${plain(training.method)}. ${plain(training.sentence)}`,
          ...(training.paper === null
            ? []
            : [
                `Paper: ${training.paper.authors}, *${training.paper.title}*, [arXiv:${training.paper.arxiv}](https://arxiv.org/abs/${training.paper.arxiv})`,
              ]),
          ...(training.earlier.length === 0
            ? []
            : [`Trained further from: ${training.earlier.map(plain).join(', then ')} (the latest first)`]),
        ]),
    ...rewards.map(rewardLine),
    ...(pairs === null
      ? []
      : [`Data: ${counted(pairs.pairs, 'pair')} of images that ${ratersOf(pairs.raters)} compared; no reward`]),
    ...(training === null ? [] : [costLine(training)]),
    `File: ${code(file.name)}, ${size(file.bytes)}${file.rank === null ? '' : `, rank ${file.rank}`}${strength === 1 ? '' : `, written at strength ${strength}`}, SHA-256 ${code(file.sha256)}`,
    ...(training === null || training.inputs.length === 0
      ? []
      : [
          `Made from, by SHA-256: ${training.inputs.map(([name, hash]) => `${plain(name)} ${code(hash.slice(0, 16))}`).join(', ')}`,
        ]),
  ]
  return [lines.map((line) => `- ${line}`).join('\n')]
}

const licenceText = ({ id, name, link }: Licence) =>
  `${plain(name ?? id)}${link === undefined ? '' : ` (${plain(link)})`}`

function rewardLine({ name, learned }: RewardFacts): string {
  if (learned === null) return `Reward: ${plain(name)}, which learned from no judgments of this project`
  const { heldOut, encoder } = learned
  const through = encoder === null ? '' : `, through the encoder ${plain(encoder)}`
  return `Reward: ${plain(name)}, learned from ${judgments(learned)}${through}. ${heldOut === null ? 'It was measured on no held-out prompts.' : heldOutText(heldOut)}`
}

function heldOutText({
  labels,
  auc,
  aucInterval,
  clipScoreAuc,
  comparisons,
  pairAccuracy,
  pairAccuracyInterval,
}: NonNullable<Learned['heldOut']>): string {
  const sentences = [
    ...(auc === null
      ? []
      : [
          `AUC ${within(auc, aucInterval)} on ${counted(labels, 'label')} of prompts that it has not seen${clipScoreAuc === null ? '' : `; the CLIP score reaches ${figure(clipScoreAuc)}`}.`,
        ]),
    ...(pairAccuracy === null
      ? []
      : [
          `It orders ${within(pairAccuracy, pairAccuracyInterval)} of ${counted(comparisons, 'held-out pair')} as people did.`,
        ]),
  ]
  return sentences.length === 0 ? 'Too few held-out judgments for a figure.' : sentences.join(' ')
}

function costLine({ cost, finishedAt, version, torch }: NonNullable<CardFacts['training']>): string {
  const drawn = cost.imagesDrawn > 0 ? `${counted(cost.imagesDrawn, 'image')} drawn or learned from, ` : ''
  return `Cost: ${drawn}${counted(cost.updates, 'update')}, ${duration(cost.seconds)} of training; finished ${finishedAt.slice(0, 10)}, Attune ${plain(version)}${torch === null ? '' : `, libtorch ${plain(torch)}`}`
}

function settings({ training }: CardFacts): string[] {
  if (training === null || training.settings.length === 0) return []
  const rows = training.settings.map(([setting, value]) => `| ${plain(setting)} | ${plain(value)} |`)
  return [
    '<details><summary>All settings of the training</summary>',
    ['| setting | value |', '| --- | --- |', ...rows].join('\n'),
    '</details>',
  ]
}

/** An AUC, or a share of pairs, above which a reward is better than a coin. */
const chance = 0.5
/** Below this many judgments a reward knows little of what people want. */
const fewJudgments = 200

function limits(facts: CardFacts): string[] {
  const { name, base, file, training, rewards, pairs, report } = facts
  const learned = rewards.flatMap((reward) =>
    reward.learned === null ? [] : [{ ...reward.learned, name: reward.name }],
  )
  const lines = [
    ...learned.flatMap((reward) => [
      ...(reward.isSimulated
        ? [`The labels of the reward ${plain(reward.name)} were given by a program, not by people.`]
        : []),
      ...(reward.labels + reward.comparisons < fewJudgments
        ? [`The reward ${plain(reward.name)} was learned from few judgments (${reward.labels + reward.comparisons}).`]
        : []),
      ...(reward.raters === 1 && !reward.isSimulated
        ? [`The reward ${plain(reward.name)} knows the taste of one person.`]
        : []),
      ...(isProven(reward)
        ? []
        : [`The reward ${plain(reward.name)} is not shown to be better than chance on prompts that it has not seen.`]),
    ]),
    ...(pairs?.raters === 1 ? ['The pairs tell the taste of one person.'] : []),
    ...(training?.alarms ? [`${plain(name)} ${plain(training.alarms)}.`] : []),
    ...(training !== null && report === null
      ? ['Nothing has measured it on prompts that its training has not used.']
      : []),
    ...(report?.caveats.map(plain) ?? []),
    ...(base.family === 'embedded'
      ? ['Attune’s embedded model draws coloured shapes of 24 × 24 pixels, for trying things out.']
      : []),
    ...(file.form === 'attune' ? ['It is read by Attune alone, and fits its own base model only.'] : []),
    'What people preferred in these images need not hold for other prompts, other people or another base model; faults and biases of the base model remain.',
  ]
  return [lines.map((line) => `- ${line}`).join('\n')]
}

function isProven({ heldOut }: Learned): boolean {
  const low = heldOut?.aucInterval?.[0] ?? heldOut?.pairAccuracyInterval?.[0]
  return low !== undefined && low > chance
}
