/**
 * Every request and answer of the studio's HTTP interface. The server checks what it receives, the typed client what it
 * gets back, and `/api/openapi.json` is made from them. Only zod and the records are imported: the pages use this file too.
 */
import { z } from 'zod'
import { Judgment } from '../records.ts'

const count = z.int().nonnegative()
const share = z.number().min(0).max(1)
const time = z.iso.datetime()
/** No database keeps a NUL in a text, nor half a pair of surrogates. */
const isClean = (given: string) => !given.includes('\0') && given.isWellFormed()
const clean = 'whole characters, none of them NUL'
/** A text that a person wrote. It is data wherever it goes. */
const text = z.string().max(10_000).refine(isClean, clean)
/** Name of a run, a round or a comparison: the last part of its folder. */
export const RunName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, 'lower-case letters, digits, dots and hyphens')
export const ImageId = z.string().regex(/^[0-9a-f]{16}$/, '16 hex digits')
/** The run of a policy, or `pretrained`. */
export const PolicyRef = z.union([z.literal('pretrained'), RunName])
export const RaterName = z.string().trim().min(1).max(200).refine(isClean, clean)

/** What every refusal looks like. `code` is stable: that of the error, or `not-found`, `forbidden`, `too-many-requests` … */
export const Failure = z.object({
  error: z.object({
    code: z.string(),
    where: z.string(),
    expected: z.string(),
    received: z.string(),
    remedy: z.string(),
  }),
})
export type Failure = z.infer<typeof Failure>

/** A figure with its 95 % interval; null bounds where there are too few answers for one. */
export const Interval = z.object({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: count,
})
export type Interval = z.infer<typeof Interval>

export const ImageRef = z.object({
  /** Served at `/images/<id>`, and in at most `size` pixels a side at `/images/<id>?size=<64|128|256|512|1024>`. */
  id: ImageId,
  /** Pixels; the embedded model's are 24 × 24: enlarge them without smoothing (`image-rendering: pixelated`). */
  width: z.int().positive(),
  height: z.int().positive(),
})
export type ImageRef = z.infer<typeof ImageRef>

// ——— jobs ———

export const jobStates = ['waiting', 'running', 'stopping', 'stopped', 'done', 'failed'] as const
export const JobState = z.enum(jobStates)
export type JobState = z.infer<typeof JobState>

/** The stages that the page can start. */
export const stageNames = [
  'images generate',
  'reward train',
  'policy reward-weighted',
  'policy dpok',
  'report',
] as const
export const StageName = z.enum(stageNames)
export type StageName = z.infer<typeof StageName>

export const SettingValue = z.union([z.number(), text, z.boolean(), z.null(), z.array(z.union([z.number(), text]))])
export type SettingValue = z.infer<typeof SettingValue>

export const JobProgress = z.object({
  /** What is being done now, as the progress line says: `dpok`, `reward without held-out prompts`. */
  label: z.string(),
  done: count,
  total: count,
  unit: z.string(),
  /** `reward 0.610 KL 3.20 nats` */
  note: z.string(),
})
export type JobProgress = z.infer<typeof JobProgress>

export const Job = z.object({
  id: z.string(),
  stage: StageName,
  /** Of the run folder that it writes; rewards, policies, rounds and reports are named by it. */
  run: RunName,
  state: JobState,
  /** Jobs that come before it, for a waiting one. */
  ahead: count,
  queuedAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  progress: JobProgress.nullable(),
  /** Seconds left, where they can be told. */
  etaSeconds: z.number().nonnegative().nullable(),
  /** Wall-clock seconds so far. */
  seconds: z.number().nonnegative(),
  /** The line on which a failed job ended. */
  error: z.string().nullable(),
  can: z.object({
    stop: z.boolean(),
    resume: z.boolean(),
    /** Draws sample images at the next step. */
    sample: z.boolean(),
  }),
})
export type Job = z.infer<typeof Job>

export const JobDetail = Job.extend({
  /** The last lines of what it printed. */
  log: z.array(z.string()),
  /** What it was started with; runs by their names. */
  settings: z.record(z.string(), SettingValue),
  /** Of the manifest of a finished run; figures only. */
  results: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
})
export type JobDetail = z.infer<typeof JobDetail>

/** One setting as a form field; made from the schema that the command line's flag is made from. */
export const FormField = z.object({
  /** Key in `settings`. */
  field: z.string(),
  /** `KL weight` */
  label: z.string(),
  type: z.enum(['number', 'integer', 'text', 'boolean', 'list', 'choice', 'run', 'runs']),
  /** The sentence of the flag's help. */
  sentence: z.string(),
  /** What is accepted, in words: `a number ≥ 0`. */
  expected: z.string(),
  /** Null: left to the model, or nothing. */
  default: SettingValue,
  /** Whether null is accepted. */
  optional: z.boolean(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** Of `choice`, and the runs that fit of `run` and `runs` (several may be picked). */
  choices: z.array(z.object({ value: z.string(), label: z.string() })),
})
export type FormField = z.infer<typeof FormField>

export const StageForm = z.object({
  stage: StageName,
  /** `Fine-tune with DPOK` */
  title: z.string(),
  sentence: z.string(),
  /** What stands between the user and a start: `label at least one image good and one bad`. Null: it can be started. */
  missing: z.string().nullable(),
  /** Rough time with the defaults shown: `about a minute on two cores`. */
  takes: z.string(),
  main: z.array(FormField),
  more: z.array(FormField),
})
export type StageForm = z.infer<typeof StageForm>
export const StageForms = z.object({ stages: z.array(StageForm) })
export type StageForms = z.infer<typeof StageForms>

export const NewJob = z.strictObject({
  stage: StageName,
  /** Name of the run; made from the stage without it. */
  run: RunName.optional(),
  /** Fields that are left out have the form's defaults. */
  settings: z.record(z.string().max(100), SettingValue).default({}),
})
export type NewJob = z.input<typeof NewJob>
export const Jobs = z.object({ /** Newest first. */ jobs: z.array(Job) })
export type Jobs = z.infer<typeof Jobs>

export const Metrics = z.object({
  /** Largest step there is; null before the first. Ask for `since=<this>` next time. */
  last: count.nullable(),
  /** Rows after `since`, at most 500, evenly thinned. */
  rows: z.array(z.record(z.string(), z.number())),
})
export type Metrics = z.infer<typeof Metrics>

export const Samples = z.object({
  steps: z.array(
    z.object({
      step: count,
      /** The image lies at `/api/jobs/<id>/samples/<step>/<index>`; equal indices are equal prompts and noise. */
      images: z.array(z.object({ index: count, prompt: z.string() })),
    }),
  ),
})
export type Samples = z.infer<typeof Samples>

// ——— rounds, runs, lineage ———

export const Round = z.object({
  /** Name of the run that drew it; uploads are a round as well. */
  name: z.string(),
  policy: z.string(),
  images: count,
  /** Images with at least one judgment that stands and is no skip. */
  judged: count,
  prompts: count,
  at: time,
})
export type Round = z.infer<typeof Round>
export const Rounds = z.object({ /** Oldest first. */ rounds: z.array(Round) })
export type Rounds = z.infer<typeof Rounds>

export const NewRound = z.strictObject({
  policy: PolicyRef.default('pretrained'),
  /** Texts of prompts; without them `promptCount` prompts of the embedded model's seen ones, other ones every round. */
  prompts: z.array(z.string().trim().min(1).max(10_000).refine(isClean, clean)).min(1).max(500).optional(),
  promptCount: z.int().min(1).max(105).default(32),
  /** Three are judged at a time. */
  perPrompt: z.int().min(1).max(64).default(3),
})
export type NewRound = z.input<typeof NewRound>

export const RewardSummary = z.object({
  name: RunName,
  at: time,
  seconds: z.number(),
  head: z.string(),
  encoder: z.string(),
  labels: count,
  prompts: count,
  raters: count,
  /** Some of the labels are of a simulated rater. */
  simulated: z.boolean(),
  /** On judgments of prompts that were held out; null where none were, or where the figure does not exist. */
  heldOut: z
    .object({
      n: count,
      prompts: count,
      accuracy: share.nullable(),
      auc: share.nullable(),
      /** Of the CLIP score on the same images. */
      clipScoreAuc: share.nullable(),
      /** Expected calibration error. */
      calibrationError: z.number().nullable(),
      /** Share of held-out pairs and rankings in the order that people gave. */
      pairAccuracy: share.nullable(),
    })
    .nullable(),
})
export type RewardSummary = z.infer<typeof RewardSummary>
export const Rewards = z.object({ /** Newest first. */ rewards: z.array(RewardSummary) })
export type Rewards = z.infer<typeof Rewards>

export const RewardDetail = RewardSummary.extend({
  /** Reliability diagram: mean prediction and share of good labels of each bin. */
  reliability: z.array(z.object({ low: share, high: share, n: count, predicted: share, observed: share })),
  /** The images on which people and reward differ most, the largest difference first. */
  disagreements: z.array(
    z.object({
      image: ImageRef,
      prompt: z.string(),
      /** Of the reward. */
      score: z.number(),
      /** Mean of people's answers on the same scale, 0 bad … 1 good. */
      people: share,
      judgments: count,
    }),
  ),
  policies: z.array(RunName),
})
export type RewardDetail = z.infer<typeof RewardDetail>

export const PolicySummary = z.object({
  name: RunName,
  algorithm: z.enum(['reward-weighted', 'dpok', 'best-of-n']),
  at: time,
  seconds: z.number(),
  /** Name of the run, or a file. */
  reward: z.string().nullable(),
  /** Trained further from this one. */
  policy: z.string().nullable(),
  results: z.record(z.string(), z.number()),
})
export type PolicySummary = z.infer<typeof PolicySummary>

export const ReportSummary = z.object({
  name: RunName,
  at: time,
  /** The page, to be shown in `<iframe sandbox>`: `/reports/<name>`. */
  url: z.string(),
  /** The alignment-versus-fidelity picture. */
  policies: z.array(
    z.object({
      name: z.string(),
      seen: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
      unseen: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
      /** Fréchet distance; smaller is closer. */
      frechet: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
      /** To the pre-trained model, nats. */
      klNats: z.number(),
      reward: z.number(),
    }),
  ),
})
export type ReportSummary = z.infer<typeof ReportSummary>
export const Reports = z.object({ /** Newest first. */ reports: z.array(ReportSummary) })
export type Reports = z.infer<typeof Reports>

export const LineageNode = z.object({
  /** Unique in the graph; the run's name, `pretrained`, or `judgments`. */
  id: z.string(),
  kind: z.enum(['pretrained', 'round', 'judgments', 'reward', 'policy', 'report']),
  label: z.string(),
  /** `32 images`, `AUC 0.91` */
  fact: z.string(),
  at: time.nullable(),
  /** Column from the left: every edge goes from a smaller to a larger one. */
  depth: count,
})
export type LineageNode = z.infer<typeof LineageNode>
export const Lineage = z.object({
  nodes: z.array(LineageNode),
  edges: z.array(
    z.object({ from: z.string(), to: z.string(), /** `policy`, `reward`, `images`, `judgments` */ role: z.string() }),
  ),
})
export type Lineage = z.infer<typeof Lineage>

// ——— who and what ———

export const User = z.object({
  /** Null on a machine without login until the page has asked for one; send it with every request then. */
  name: z.string().nullable(),
  role: z.enum(['admin', 'rater']),
})
export type User = z.infer<typeof User>

export const Counts = z.object({
  images: count,
  /** Images with at least one answer that is no skip. */
  judged: count,
  judgments: count,
  raters: count,
  good: count,
  bad: count,
  skip: count,
  pairs: count,
  ratings: count,
  rankings: count,
  votes: count,
})
export type Counts = z.infer<typeof Counts>

export const nextSteps = [
  'draw',
  'label',
  'train-reward',
  'train-policy',
  'wait',
  'draw-again',
  'compare',
  'report',
] as const
export const State = z.object({
  version: z.string(),
  /** Last part of the workspace's folder. */
  workspace: z.string(),
  /** Accounts are asked for: this server listens on more than this machine. */
  login: z.boolean(),
  user: User,
  counts: Counts,
  rounds: z.array(Round),
  /** Those that run or wait, in their order, then the last few that ended. */
  jobs: z.array(Job),
  rewards: z.array(RewardSummary),
  policies: z.array(PolicySummary),
  reports: z.array(ReportSummary),
  next: z.object({ step: z.enum(nextSteps), sentence: z.string() }),
})
export type State = z.infer<typeof State>

// ——— labelling ———

export const taskModes = ['good-bad', 'pair', 'rating'] as const
export const TaskMode = z.enum(taskModes)
export type TaskMode = z.infer<typeof TaskMode>

export const Progress = z.object({
  /** Things of this mode that this rater has judged, and all that there are for this rater. */
  done: count,
  total: count,
})
export type Progress = z.infer<typeof Progress>

/**
 * What is asked next. `good-bad`: one to three images of one prompt, a `good-bad-skip` judgment of each. `pair`: two or
 * more images of one prompt; the first two are shown, the winner stays and meets the next one, a tie or "both bad" goes on with
 * the next two; a `pair` judgment of each meeting. `rating`: images of one prompt, a `rating` of each, and then, where there are
 * two or more, one `ranking` of all. The order is random; judgments name it in `images` (and `shown`).
 */
export const Task = z.object({
  id: z.string(),
  mode: TaskMode,
  prompt: z.string(),
  images: z.array(ImageRef).min(1),
  /** Of `rating`: the overall ratings that this rater has given some of the images before; those are not asked again. */
  rated: z.record(z.string(), z.number()).default({}),
})
export type Task = z.infer<typeof Task>
export const Tasks = z.object({ tasks: z.array(Task), progress: Progress })
export type Tasks = z.infer<typeof Tasks>
export const TasksQuery = z.object({
  mode: TaskMode.default('good-bad'),
  count: z.coerce.number().int().min(1).max(50).default(5),
  /** Ids of images that the page already holds, joined by commas: they do not come again. */
  without: z.string().max(10_000).default(''),
})
export type TasksQuery = z.input<typeof TasksQuery>

const own = { rater: true, raterKind: true } as const
const [GoodBadSkip, Pair, Rating, Ranking] = Judgment.options
/** A judgment as a page sends it: who judges is the server's to say, and votes have a way of their own. */
export const NewJudgment = z.discriminatedUnion('kind', [
  GoodBadSkip.omit(own),
  Pair.omit(own),
  Rating.omit(own),
  Ranking.omit(own),
])
export type NewJudgment = z.infer<typeof NewJudgment>
export const NewJudgments = z.strictObject({ judgments: z.array(NewJudgment).min(1).max(200) })
export type NewJudgments = z.infer<typeof NewJudgments>
/** When this arrives, the judgments are on the disk. */
export const Added = z.object({
  added: count,
  /** Sent before; counted once. */
  known: count,
})
export type Added = z.infer<typeof Added>

export const Guidelines = z.object({
  /** Plain text; blank lines part paragraphs, lines that begin with "- " are a list, with "# " a heading. */
  text,
  /** Reasons that a rater may pick; the code goes into `reasons` of the judgment. */
  reasons: z
    .array(z.object({ code: z.string().regex(/^[a-z0-9-]{1,60}$/), label: z.string().min(1).max(200) }))
    .max(30),
  /** What raters agree to; shown before the first answer where it is not empty, and part of every export. */
  consent: text,
})
export type Guidelines = z.infer<typeof Guidelines>

/** How raters are asked. */
export const AskingSettings = z.object({
  mode: TaskMode,
  /** Share of the images that two raters are asked about. */
  overlapShare: share,
  /** Share of the tasks that hold an image with a known answer. */
  goldShare: share,
})
export type AskingSettings = z.infer<typeof AskingSettings>

/** Images with a known answer, by which raters are checked. */
export const Gold = z.object({
  items: z.array(z.object({ image: ImageRef, prompt: z.string(), answer: z.enum(['good', 'bad']) })),
})
export type Gold = z.infer<typeof Gold>
/** Null: its answer is not known any more. */
export const GoldChange = z.strictObject({ answer: z.enum(['good', 'bad']).nullable() })
export type GoldChange = z.infer<typeof GoldChange>

export const RaterSummary = z.object({
  name: z.string(),
  kind: z.enum(['person', 'simulated']),
  judgments: count,
  skips: count,
  /** Median seconds an answer. */
  secondsPerAnswer: z.number().nullable(),
  /** Cohen's κ with all others on what both judged. */
  agreement: Interval.nullable(),
  /** Gold items: answers with a known right one. */
  gold: z.object({ asked: count, right: count }),
  /** Judgments stay and are not trained on. */
  excluded: z.boolean(),
  lastAt: time.nullable(),
})
export type RaterSummary = z.infer<typeof RaterSummary>
export const Raters = z.object({ raters: z.array(RaterSummary) })
export type Raters = z.infer<typeof Raters>
export const RaterChange = z.strictObject({ excluded: z.boolean() })
export type RaterChange = z.infer<typeof RaterChange>

export const Agreement = z.object({
  /** Of every way of asking that two raters or more have answered. */
  kinds: z.array(
    z.object({
      kind: z.enum(['good-bad-skip', 'pair', 'rating', 'ranking']),
      /** Items that at least two raters judged. */
      items: count,
      raters: count,
      alphaNominal: Interval.nullable(),
      alphaOrdinal: Interval.nullable(),
      fleissKappa: Interval.nullable(),
      pairs: z.array(z.object({ first: z.string(), second: z.string(), kappa: Interval })),
    }),
  ),
})
export type Agreement = z.infer<typeof Agreement>

// ——— comparing ———

export const NewComparison = z.strictObject({
  policies: z.array(PolicyRef).min(2).max(6),
  /** Without them the embedded model's unseen prompts. */
  prompts: z.array(z.string().trim().min(1).max(10_000).refine(isClean, clean)).min(1).max(200).optional(),
  promptCount: z.int().min(1).max(79).default(12),
  /** Four make a set of Lee et al.'s form. */
  perPrompt: z.int().min(1).max(8).default(4),
})
export type NewComparison = z.input<typeof NewComparison>

export const ComparisonSummary = z.object({
  id: RunName,
  policies: z.array(z.string()),
  at: time,
  prompts: count,
  perPrompt: count,
  /** All images are drawn. */
  ready: z.boolean(),
  /** Ids of the jobs that draw them. */
  jobs: z.array(z.string()),
})
export type ComparisonSummary = z.infer<typeof ComparisonSummary>
export const Comparisons = z.object({ /** Newest first. */ comparisons: z.array(ComparisonSummary) })
export type Comparisons = z.infer<typeof Comparisons>

/** Side by side: the same prompt and noise in every policy. */
export const ComparisonDetail = ComparisonSummary.extend({
  rows: z.array(
    z.object({
      prompt: z.string(),
      index: count,
      /** In the order of `policies`; null where it is not drawn yet. */
      images: z.array(ImageRef.nullable()),
    }),
  ),
})
export type ComparisonDetail = z.infer<typeof ComparisonDetail>

export const VoteForm = z.enum(['single', 'set'])
export const VoteQuestion = z.enum(['alignment', 'fidelity'])
/** A blind vote: which side is which policy stays on the server. */
export const VoteTask = z.object({
  /** Opaque. */
  id: z.string(),
  prompt: z.string(),
  question: VoteQuestion,
  first: z.array(ImageRef),
  second: z.array(ImageRef),
})
export type VoteTask = z.infer<typeof VoteTask>
export const VoteTasks = z.object({ tasks: z.array(VoteTask), progress: Progress })
export type VoteTasks = z.infer<typeof VoteTasks>
export const VoteTasksQuery = z.object({
  form: VoteForm.default('single'),
  question: VoteQuestion.default('alignment'),
  count: z.coerce.number().int().min(1).max(50).default(5),
  /** Ids of vote tasks that the page already holds, joined by commas. */
  without: z.string().max(10_000).default(''),
})
export type VoteTasksQuery = z.input<typeof VoteTasksQuery>
export const NewVotes = z.strictObject({
  votes: z
    .array(
      z.strictObject({
        /** A UUID made by the page: a repetition counts once. */
        id: z.string().min(1).max(100),
        task: z.string().max(500),
        answer: z.enum(['first', 'second', 'tie', 'skip']),
        at: time,
        durationMs: z.number().nonnegative().optional(),
        undoes: z.string().max(100).optional(),
      }),
    )
    .min(1)
    .max(200),
})
export type NewVotes = z.infer<typeof NewVotes>

export const WinRate = z.object({
  first: z.string(),
  second: z.string(),
  form: VoteForm,
  question: VoteQuestion,
  votes: count,
  raters: count,
  wins: count,
  losses: count,
  ties: count,
  /** Share of votes for `first`, a tie counts half. */
  rate: Interval.nullable(),
  /** Lee et al.'s form: prompts on which one side has at least two thirds of the votes; null for single pairs. */
  decided: z.object({ first: count, second: count, undecided: count }).nullable(),
})
export type WinRate = z.infer<typeof WinRate>
export const Votes = z.object({ winRates: z.array(WinRate) })
export type Votes = z.infer<typeof Votes>

// ——— in and out ———

export const importFormats = ['csv', 'jsonl', 'pick-a-pic', 'image-reward', 'hpdv2', 'label-studio'] as const
export const ImportFormat = z.enum(importFormats)
export const exportFormats = ['csv', 'jsonl', 'pick-a-pic', 'image-reward'] as const
export const ExportFormat = z.enum(exportFormats)
export const ExportQuery = z.object({
  format: ExportFormat,
  /** People keep their names; without it each has a pseudonym that only this studio can tell. */
  names: z.stringbool().default(false),
})
export type ImportFormat = z.infer<typeof ImportFormat>
export type ExportFormat = z.infer<typeof ExportFormat>

/**
 * Sent as multipart: `file`, `format`, for rows that name nobody `rater`, and as `images` the pictures that the file names
 * by paths.
 */
export const Imported = z.object({
  added: count,
  known: count,
  unanswered: count,
  /** New ones. */
  images: count,
  /** Images that cannot be read, and judgments about them: a line each. */
  leftOut: z.array(z.string()).default([]),
})
export type Imported = z.infer<typeof Imported>
/** Sent as multipart: `files` (PNG, JPEG, WebP) and `prompts`, one text for each in the same order, as a JSON list. */
export const Uploaded = z.object({
  round: z.string().nullable(),
  images: count,
  broken: z.array(z.object({ file: z.string(), reason: z.string() })),
})
export type Uploaded = z.infer<typeof Uploaded>

// ——— accounts; only where `login` is true ———

export const Invitation = z.object({
  id: z.string(),
  /** For whom, as the admin wrote it. */
  name: z.string(),
  role: z.enum(['admin', 'rater']),
  createdAt: time,
  expiresAt: time,
  acceptedAt: time.nullable(),
})
export type Invitation = z.infer<typeof Invitation>
export const Invitations = z.object({ invitations: z.array(Invitation) })
export type Invitations = z.infer<typeof Invitations>
export const NewInvitation = z.strictObject({
  name: RaterName,
  role: z.enum(['admin', 'rater']).default('rater'),
  days: z.int().min(1).max(90).default(14),
})
export type NewInvitation = z.input<typeof NewInvitation>
/** The link is told once; the server keeps a hash. */
export const InvitationLink = z.object({
  invitation: Invitation,
  /** `https://host/#/invitation/<token>` */ link: z.string(),
})
export type InvitationLink = z.infer<typeof InvitationLink>
/** Accepting an invitation; the session comes as a cookie. */
export const NewSession = z.strictObject({ token: z.string().min(10).max(200) })
export type NewSession = z.infer<typeof NewSession>
export const Session = z.object({ user: User })
export type Session = z.infer<typeof Session>

export const Done = z.object({ done: z.literal(true) })
export type Done = z.infer<typeof Done>
